import type { ResponseMemory } from './response-memory.ts';

const HEAD_BYTES = 4;
/** What comes is read into this, unless much is wanted. */
const SCRATCH_BYTES = 64 << 10;
/** Room that is made on the word of a head alone; more is made when so much has come. */
const FIRST_BYTES = 16 << 20;
/** No broker sends more; four letters of HTTP are. */
const MOST_BYTES = 1 << 30;

/** What a connection reads, cut into responses: an int32 length, and so many bytes (https://kafka.apache.org/protocol#protocol_common). Each is read into memory of its own. */
export class Frames {
  readonly #memory: ResponseMemory;
  readonly #found: (response: Buffer) => void;
  readonly #bad: (length: number) => void;
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  /** The next read goes into the response itself. */
  #direct = false;
  /** Its length, of which bytes [0, #headAt) are known. */
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headAt = 0;
  #body: Buffer | null = null;
  #size = 0;
  #at = 0;

  /** `found` is given each response without its length. `bad`: what came is none; nothing is to be read any more. */
  constructor(memory: ResponseMemory, found: (response: Buffer) => void, bad: (length: number) => void) {
    this.#memory = memory;
    this.#found = found;
    this.#bad = bad;
  }

  /** Where the next bytes are to be read into. */
  next(): Uint8Array {
    const body = this.#body;
    this.#direct = body !== null && this.#size - this.#at >= SCRATCH_BYTES;
    return this.#direct ? (body as Buffer).subarray(this.#at, this.#size) : this.#scratch;
  }

  /** So many were. */
  got(n: number): void {
    if (!this.#direct) return this.feed(this.#scratch.subarray(0, n));
    this.#at += n;
    this.#filled();
  }

  /** Bytes that were read elsewhere. */
  feed(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#body === null) {
        const n = Math.min(HEAD_BYTES - this.#headAt, chunk.length - at);
        this.#head.set(chunk.subarray(at, at + n), this.#headAt);
        at += n;
        this.#headAt += n;
        if (this.#headAt === HEAD_BYTES && !this.#begin(this.#head.readInt32BE(0))) return;
        continue;
      }
      const n = Math.min(Math.min(this.#size, this.#body.length) - this.#at, chunk.length - at);
      this.#body.set(chunk.subarray(at, at + n), this.#at);
      at += n;
      this.#at += n;
      this.#filled();
    }
  }

  #begin(length: number): boolean {
    if (length < HEAD_BYTES || length > MOST_BYTES) {
      this.#bad(length);
      return false;
    }
    this.#headAt = this.#at = 0;
    this.#size = length;
    this.#body = this.#memory.take(Math.min(length, FIRST_BYTES));
    return true;
  }

  /** A response that is whole is given on, one that is longer than its room gets more. */
  #filled(): void {
    const body = this.#body as Buffer;
    if (this.#at === this.#size) {
      this.#body = null;
      this.#found(body.subarray(0, this.#size));
    } else if (this.#at === body.length) {
      this.#body = this.#memory.take(Math.min(this.#size, 2 * body.length));
      this.#body.set(body);
    }
  }
}
