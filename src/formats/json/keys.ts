import type { Slot } from './slot.ts';

/** Fields whose place in the record is remembered. */
const REMEMBERED = 64;

/** Finds the wanted column of a key. Records of a topic mostly have the same keys in the same order: what stood at a place last time is tried first. */
export class KeyTable {
  /** Wanted slot that the last record had as its n-th field; null for a field that nobody wants. */
  readonly #layout: (Slot | null)[] = new Array<Slot | null>(REMEMBERED).fill(null);
  /** By length of the key in bytes. */
  readonly #byLength: (Slot[] | undefined)[] = [];
  /** Keys that were written with escapes are looked up by their text. */
  readonly #byText = new Map<string, Slot>();

  constructor(slots: readonly Slot[]) {
    for (const slot of slots) {
      this.#byText.set(slot.key, slot);
      // a key with these can only be written with escapes
      if (/["\\\u0000-\u001f]/.test(slot.key)) continue;
      (this.#byLength[slot.bytes.length] ??= []).push(slot);
    }
  }

  /** The slot whose key stands at `p`, closing quote included, if it is the one that field `n` had last time. */
  expected(b: Buffer, p: number, n: number): Slot | null {
    const slot = n < REMEMBERED ? (this.#layout[n] as Slot | null) : null;
    if (slot === null) return null;
    const { bytes } = slot;
    const end = p + bytes.length;
    // bytes after the record's end cannot pass for it: the caller goes on from `end` and fails there
    if (b[end] !== 34) return null;
    for (let i = bytes.length - 1; i >= 0; i--) if (b[p + i] !== bytes[i]) return null;
    return slot;
  }

  /** The slot of a key without escapes, bytes [p, end). */
  find(b: Buffer, p: number, end: number, n: number): Slot | null {
    const slot = this.#match(b, p, end);
    if (n < REMEMBERED) this.#layout[n] = slot;
    return slot;
  }

  named(text: string): Slot | null { return this.#byText.get(text) ?? null; }

  #match(b: Buffer, p: number, end: number): Slot | null {
    const candidates = this.#byLength[end - p];
    if (candidates === undefined) return null;
    next: for (const slot of candidates) {
      for (let i = 0; i < slot.bytes.length; i++) if (b[p + i] !== slot.bytes[i]) continue next;
      return slot;
    }
    return null;
  }
}
