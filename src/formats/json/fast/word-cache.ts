const SLOTS = 1 << 14;
/** Most bytes of a text that is kept. */
export const LONGEST = 24;
const WORDS = LONGEST / 4;

/** As TextCache, for short ASCII texts that are looked at four bytes at a time: a text that returns is one string, and compared in a few steps. */
export class WordCache {
  readonly #hashes = new Int32Array(SLOTS);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * WORDS);
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');

  /** The text of bytes [start, end) of `b`, of which `d` is a view that goes on for 3 bytes at least. `hash` is any function of them. */
  get(b: Buffer, d: DataView, start: number, end: number, hash: number): string {
    const slot = hash & (SLOTS - 1);
    const length = end - start;
    if (this.#holds(slot, d, start, length, hash)) return this.#texts[slot] as string;
    if (this.#holds(slot ^ 1, d, start, length, hash)) return this.#texts[slot ^ 1] as string;
    const text = b.latin1Slice(start, end);
    this.#put(this.#lengths[slot] === 0 ? slot : slot ^ (hash >>> 31), d, start, length, hash, text);
    return text;
  }

  #holds(slot: number, d: DataView, start: number, length: number, hash: number): boolean {
    if (this.#hashes[slot] !== hash || this.#lengths[slot] !== length) return false;
    const words = this.#words;
    let at = slot * WORDS;
    const last = start + (length & ~3);
    for (let p = start; p < last; p += 4) if (words[at++] !== d.getInt32(p, true)) return false;
    return (length & 3) === 0 || words[at] === lastWord(d, last, length);
  }

  #put(slot: number, d: DataView, start: number, length: number, hash: number, text: string): void {
    let at = slot * WORDS;
    const last = start + (length & ~3);
    for (let p = start; p < last; p += 4) this.#words[at++] = d.getInt32(p, true);
    if ((length & 3) !== 0) this.#words[at] = lastWord(d, last, length);
    this.#hashes[slot] = hash;
    this.#lengths[slot] = length;
    this.#texts[slot] = text;
  }
}

/** The 1 to 3 bytes at `last` that a text of this length ends in. */
const lastWord = (d: DataView, last: number, length: number): number => d.getInt32(last, true) & ((1 << (8 * (length & 3))) - 1);
