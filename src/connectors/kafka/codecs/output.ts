import { SLACK, viewOf } from './copy.ts';
import { tooLarge } from './damage.ts';

/** What a decoder writes, where the size is not known beforehand. */
export class Output {
  /** The first `length` bytes are written. */
  bytes: Buffer;
  view: DataView;
  length = 0;
  readonly #limit: number;

  /** `expected` is a guess, `limit` the most that it may become, in bytes. */
  constructor(expected: number, limit: number) {
    this.#limit = limit;
    this.bytes = Buffer.allocUnsafeSlow(Math.min(expected, limit) + SLACK);
    this.view = viewOf(this.bytes);
  }

  /** Makes room for `size` more bytes, less where the limit is near: returns where it ends. `bytes` and `view` may be others then. */
  reserve(size: number): number {
    const end = Math.min(this.length + size, this.#limit);
    if (end + SLACK > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(end, this.bytes.length * 2), this.#limit) + SLACK);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
      this.view = viewOf(larger);
    }
    return end;
  }

  /** What is wrong with a block that goes on behind the `end` that `reserve` gave. */
  overrun(end: number): Error { return end === this.#limit ? tooLarge(end) : new Error('a block is longer than it may be'); }

  /** Appends bytes [at, at + size) of `from`, which are there. */
  append(from: Buffer, at: number, size: number): void {
    const end = this.reserve(size);
    if (size > end - this.length) throw this.overrun(end);
    from.copy(this.bytes, this.length, at, at + size);
    this.length += size;
  }

  finish(): Buffer { return this.bytes.subarray(0, this.length); }
}
