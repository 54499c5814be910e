import { poisons } from '../failpoint.ts';
import { doneWith } from './young.ts';
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

/** Memory for the records of a turn, used again and again: what was taken is valid until `again`. */
export class ArrayStock {
  #arrays = arraysOf(0);
  #used = 0;
  /** Rows of all that was taken since `again`. */
  #all = 0;
  #joined = Buffer.alloc(0);
  #joinedUsed = 0;
  #joinedAll = 0;
  #owned: Buffer[] = [];

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

  /** Pieces one behind the other. */
  join(all: readonly Buffer[]): Buffer {
    const bytes = all.reduce((n, b) => n + b.length, 0);
    this.#joinedAll += bytes;
    if (this.#joinedUsed + bytes > this.#joined.length) {
      this.#joined = Buffer.allocUnsafeSlow(2 * this.#joinedAll);
      this.#joinedUsed = 0;
    }
    for (const b of all) this.#joinedUsed += b.copy(this.#joined, this.#joinedUsed);
    return this.#joined.subarray(this.#joinedUsed - bytes, this.#joinedUsed);
  }

  /** A buffer that is needed as long as what was taken. */
  owns(b: Buffer): void { this.#owned.push(b); }

  again(): void {
    if (poisons) {
      for (const a of Object.values(sliceArrays(this.#arrays, 0, this.#used))) a.fill(-2);
      this.#joined.fill(0xdb);
    }
    this.#used = this.#all = this.#joinedUsed = this.#joinedAll = 0;
    const owned = this.#owned;
    this.#owned = [];
    doneWith(owned);
  }
}
