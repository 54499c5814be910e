import type { Batch } from './batch.ts';

const LOOKED_AT = 100;
/** Record timestamps before 2001 say nothing about the clock of the producer. */
const SANE = 978_307_200_000;
const YEARS_20 = 20 * 365 * 86_400_000;

/**
 * Looks at the first event times of a source: values in another unit than the file says lie decades away from the records'
 * timestamps, and a thousand times more or less lies beside them. A wrong unit gives no error, only windows that never close.
 */
export class TimeUnitCheck {
  readonly #column: string;
  readonly #unit: 's' | 'ms' | 'us';
  #seen = 0;
  #seconds = 0;
  #millis = 0;
  #first = 0;
  done = false;

  constructor(column: string, unit: 's' | 'ms' | 'us') {
    this.#column = column;
    this.#unit = unit;
  }

  /** The warning, once there is one. `time` is the index of the event time column. */
  look(b: Batch, time: number): { readonly message: string; readonly hint: string } | null {
    const events = b.cols[time] as Float64Array;
    const origin = b.origin as NonNullable<Batch['origin']>;
    for (let i = 0; i < b.length && this.#seen < LOOKED_AT; i++) {
      const t = events[i] as number;
      const stamped = origin.records.timestamps[origin.rows[i] as number] as number;
      if (this.#seen++ === 0) this.#first = t;
      if (stamped < SANE || Math.abs(t - stamped) < YEARS_20) continue;
      if (Math.abs(t * 1000 - stamped) < YEARS_20) this.#seconds++;
      else if (Math.abs(t / 1000 - stamped) < YEARS_20) this.#millis++;
    }
    if (this.#seen < LOOKED_AT) return null;
    this.done = true;
    const finer = this.#unit === 's' ? 'ms' : 'us';
    const coarser = this.#unit === 'us' ? 'ms' : 's';
    if (this.#seconds === LOOKED_AT && this.#unit !== 's') return this.#warning(coarser);
    if (this.#millis === LOOKED_AT && this.#unit !== 'us') return this.#warning(finer);
    return null;
  }

  #warning(meant: string): { readonly message: string; readonly hint: string } {
    const date = Math.abs(this.#first) < 8.64e15 ? ` → ${new Date(this.#first).toISOString().slice(0, 10)}` : '';
    return {
      message: `${LOOKED_AT} of the first ${LOOKED_AT} "${this.#column}" values look like ${meant}, but event_time.unit is ${this.#unit}${date}`,
      hint: `event_time: {from: ${this.#column}, unit: ${meant}}`,
    };
  }
}
