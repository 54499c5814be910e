/** A growing piece of memory that several threads see. Written from its begin, read by others until its owner knows that they are done. */
export class Arena {
  shared = new SharedArrayBuffer(1 << 16);
  #used = 0;
  /** Bytes of all that was reserved since the last reset. */
  #all = 0;

  /** What was written is not needed any more. */
  reset(): void { this.#used = this.#all = 0; }

  /** Where `bytes` more fit, aligned to 8. What does not fit goes to new memory; readers of the old keep it. */
  reserve(bytes: number): number {
    const at = (this.#used + 7) & ~7;
    this.#all += aligned(bytes);
    this.#used = at + bytes;
    if (this.#used <= this.shared.byteLength) return at;
    this.shared = new SharedArrayBuffer(2 * this.#all);
    this.#used = bytes;
    return 0;
  }
}

export const aligned = (bytes: number): number => (bytes + 7) & ~7;
