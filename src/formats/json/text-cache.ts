const SLOTS = 1 << 14;
/** Longest text kept, in bytes. */
const WIDTH = 24;

/**
 * Texts by their bytes, so that a name that returns in record after record is one string: nothing is allocated for it,
 * and its hash for Maps is computed once. Bounded: a text has two slots to be in and drives out the one in its first.
 */
export class TextCache {
  readonly #hashes = new Int32Array(SLOTS);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #bytes = new Uint8Array(SLOTS * WIDTH);
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');

  /** The text of bytes [start, end). `hash` is any function of them; `ascii` promises that none is above 127. */
  get(b: Buffer, start: number, end: number, hash: number, ascii: boolean): string {
    const length = end - start;
    if (length > WIDTH) return ascii ? b.latin1Slice(start, end) : b.utf8Slice(start, end);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    if (this.#holds(slot, b, start, length, hash)) return this.#texts[slot] as string;
    if (this.#holds(slot ^ 1, b, start, length, hash)) return this.#texts[slot ^ 1] as string;
    const text = ascii ? b.latin1Slice(start, end) : b.utf8Slice(start, end);
    this.#put(this.#lengths[slot] === 0 ? slot : slot ^ (hash >>> 31), b, start, length, hash, text);
    return text;
  }

  #holds(slot: number, b: Buffer, start: number, length: number, hash: number): boolean {
    if (this.#hashes[slot] !== hash || this.#lengths[slot] !== length) return false;
    const bytes = this.#bytes;
    const at = slot * WIDTH;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== b[start + i]) return false;
    return true;
  }

  #put(slot: number, b: Buffer, start: number, length: number, hash: number, text: string): void {
    const at = slot * WIDTH;
    for (let i = 0; i < length; i++) this.#bytes[at + i] = b[start + i] as number;
    this.#hashes[slot] = hash;
    this.#lengths[slot] = length;
    this.#texts[slot] = text;
  }
}
