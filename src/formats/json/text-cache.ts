const FIRST_SLOTS = 1 << 8;
const MOST_SLOTS = 1 << 14;
/** Longest text kept, in bytes. */
const WIDTH = 24;

/**
 * Texts by their bytes, so that a name that returns in record after record is one string: nothing is allocated for it,
 * and its hash for Maps is computed once. Bounded: a text has two slots to be in and drives out the one in its first. Small at first:
 * a column of few texts stays so, and one of many has another cache of twice the slots whenever all could have been filled.
 */
export class TextCache {
  #mask = FIRST_SLOTS - 1;
  #hashes = new Int32Array(FIRST_SLOTS);
  #lengths = new Uint8Array(FIRST_SLOTS);
  #bytes = new Uint8Array(FIRST_SLOTS * WIDTH);
  #texts: string[] = new Array<string>(FIRST_SLOTS).fill('');
  /** Texts put since it has this size. */
  #puts = 0;

  /** The text of bytes [start, end). `hash` is any function of them; `ascii` promises that none is above 127. */
  get(b: Buffer, start: number, end: number, hash: number, ascii: boolean): string {
    const length = end - start;
    if (length > WIDTH) return ascii ? b.latin1Slice(start, end) : b.utf8Slice(start, end);
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    if (this.#holds(slot, b, start, length, hash)) return this.#texts[slot] as string;
    if (this.#holds(slot ^ 1, b, start, length, hash)) return this.#texts[slot ^ 1] as string;
    const text = ascii ? b.latin1Slice(start, end) : b.utf8Slice(start, end);
    this.#put(this.#lengths[slot] === 0 ? slot : slot ^ (hash >>> 31), b, start, length, hash, text);
    if (this.#puts > this.#mask && this.#mask < MOST_SLOTS - 1) this.#grow();
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
    this.#puts++;
  }

  /** What it held is forgotten, and comes again. */
  #grow(): void {
    const slots = 2 * (this.#mask + 1);
    this.#mask = slots - 1;
    this.#hashes = new Int32Array(slots);
    this.#lengths = new Uint8Array(slots);
    this.#bytes = new Uint8Array(slots * WIDTH);
    this.#texts = new Array<string>(slots).fill('');
    this.#puts = 0;
  }
}
