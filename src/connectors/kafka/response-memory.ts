import { poisons } from '../../failpoint.ts';

/** Responses below this many bytes are left to the collector: it finds them young. */
const SMALL_BYTES = 64 << 10;
/** Sizes are rounded up to these steps, so that one piece serves responses that differ a little. */
const STEP_BYTES = 1 << 20;
/** Pieces that wait to be used again: a fetch is on its way while another is worked on. */
const SPARE = 3;
/** Bytes of all of them; what is larger is rare, and not kept for its own sake. */
const SPARE_BYTES = 32 << 20;

/** Tells when the memory of one response may be used again: when all who keep parts of it are done. */
export interface Lease {
  /** Says that a part is kept; what is returned says, once, that it is not needed any more. Whoever never says so leaves the memory to the collector. */
  keep(): () => void;
}

/**
 * Memory for the responses of one connection, used again and again. Fetched records are by far the most bytes of a run and soon done
 * with: left to the collector they made it run every ten MB or so, which was a quarter of a grouping's CPU time.
 */
export class ResponseMemory {
  readonly #spare: Buffer[] = [];
  /** What was made here: a small response shares its memory with whatever else Node keeps there. */
  readonly #own = new WeakSet<ArrayBufferLike>();

  /** Room for `bytes`. */
  take(bytes: number): Buffer {
    if (bytes < SMALL_BYTES) return Buffer.allocUnsafe(bytes);
    const i = this.#spare.findIndex(b => b.length >= bytes);
    if (i >= 0) return this.#spare.splice(i, 1)[0] as Buffer;
    const made = Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    this.#own.add(made.buffer);
    return made;
  }

  /** For a response that lies in what was taken: its memory comes back when nobody keeps a part and `done` was called. */
  lease(response: Buffer): Lease & { done(): void } {
    let kept = 1;
    const end = (): void => { if (--kept === 0) this.#give(response); };
    return {
      done: end,
      keep: () => {
        let open = true;
        kept++;
        return () => {
          if (open) end();
          open = false;
        };
      },
    };
  }

  #give(response: Buffer): void {
    if (poisons) response.fill(0xdb);
    if (!this.#own.has(response.buffer)) return;
    this.#spare.push(Buffer.from(response.buffer));
    this.#spare.sort((a, b) => a.length - b.length);
    // the smallest serves least
    if (this.#spare.length > SPARE) this.#spare.shift();
    while (this.#spare.reduce((n, b) => n + b.length, 0) > SPARE_BYTES) this.#spare.pop();
  }
}
