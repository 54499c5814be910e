import { poisons } from '../failpoint.ts';
import type { RecordBatch } from './records.ts';

/** Where records lie, and when: [n] each. */
export type RecordArrays = Pick<RecordBatch, 'keyStart' | 'keyEnd' | 'valueStart' | 'valueEnd' | 'offsets' | 'timestamps'>;

function arraysOf(n: number): RecordArrays {
  const ints = (): Int32Array => new Int32Array(n);
  return { keyStart: ints(), keyEnd: ints(), valueStart: ints(), valueEnd: ints(), offsets: new Float64Array(n), timestamps: new Float64Array(n) };
}

/** Rows [from, to) as views. */
export const sliceArrays = (a: RecordArrays, from: number, to: number): RecordArrays => ({
  keyStart: a.keyStart.subarray(from, to), keyEnd: a.keyEnd.subarray(from, to), valueStart: a.valueStart.subarray(from, to), valueEnd: a.valueEnd.subarray(from, to),
  offsets: a.offsets.subarray(from, to), timestamps: a.timestamps.subarray(from, to),
});

/** Arrays that are used again and again: what was taken is valid until `again`. */
export class ArrayStock {
  #arrays = arraysOf(0);
  #used = 0;
  /** Rows of all that was taken since `again`. */
  #all = 0;

  take(n: number): RecordArrays {
    this.#all += n;
    // who has some of the old ones keeps them
    if (this.#used + n > this.#arrays.offsets.length) {
      this.#arrays = arraysOf(2 * this.#all);
      this.#used = 0;
    }
    this.#used += n;
    return sliceArrays(this.#arrays, this.#used - n, this.#used);
  }

  again(): void {
    if (poisons) for (const a of Object.values(sliceArrays(this.#arrays, 0, this.#used))) a.fill(-2);
    this.#used = this.#all = 0;
  }
}
