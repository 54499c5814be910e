import { randomInt } from 'node:crypto';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

const SEED_NAME = 'pipe.hash.seed';

/** Another one in every process, so that nobody can choose keys that collide; the same in all threads of a process. */
const SEED = ((): number => {
  const known = getEnvironmentData(SEED_NAME);
  if (typeof known === 'number') return known;
  const seed = randomInt(0x100000000) | 0;
  setEnvironmentData(SEED_NAME, seed);
  return seed;
})();

/** The hash of no bytes, to begin with: FNV-1a over the bytes (`hash = imul(hash ^ byte, HASH_PRIME)`), then `finishHash`. */
export const HASH_START: number = 0x811c9dc5 ^ SEED;
export const HASH_PRIME = 0x01000193;

/** FNV-1a leaves its low bits weak (the finaliser of MurmurHash3, shortened). */
export function finishHash(hash: number): number {
  const h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return h ^ (h >>> 13);
}

export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let h = HASH_START;
  for (let p = start; p < end; p++) h = Math.imul(h ^ (bytes[p] as number), HASH_PRIME);
  return finishHash(h);
}

/**
 * A STRING column as bytes, with no JS string per value: value i is `bytes` [start[i], end[i]). The bytes are UTF-8, but a lone
 * surrogate (which JSON can escape) stands as the three bytes of its code unit, so that texts that differ have bytes that differ (WTF-8).
 */
export class TextColumn {
  readonly bytes: Buffer;
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** hashBytes of each value, where its maker had it at hand. */
  readonly hash: Int32Array | null;
  #strings: string[] | null = null;

  constructor(bytes: Buffer, start: Int32Array, end: Int32Array, hash: Int32Array | null) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.hash = hash;
  }

  /** Value i as a string. */
  at(i: number): string { return readText(this.bytes, this.start[i] as number, this.end[i] as number); }

  /** The first `n` values as strings: made once. */
  strings(n: number): string[] {
    if (this.#strings === null) this.#strings = Array.from({ length: n }, (_, i) => this.at(i));
    return this.#strings;
  }

  /** The first `n` rows, in memory that nobody uses again. Bytes in `lasting` stay where they are: a whole fetch may lie there. */
  copy(n: number, lasting: Buffer): TextColumn {
    let { bytes } = this;
    if (bytes !== lasting) {
      let used = 0;
      for (let i = 0; i < n; i++) used = Math.max(used, this.end[i] as number);
      bytes = Buffer.from(bytes.subarray(0, used));
    }
    return new TextColumn(bytes, this.start.slice(0, n), this.end.slice(0, n), this.hash?.slice(0, n) ?? null);
  }

  /** The rows `keep`, of the same bytes. */
  pick(keep: Int32Array): TextColumn { return new TextColumn(this.bytes, pickInts(this.start, keep), pickInts(this.end, keep), this.hash === null ? null : pickInts(this.hash, keep)); }
}

function pickInts(from: Int32Array, keep: Int32Array): Int32Array {
  const to = new Int32Array(keep.length);
  for (let k = 0; k < keep.length; k++) to[k] = from[keep[k] as number] as number;
  return to;
}

/** What expressions read: the strings of a TextColumn, any other column as it is. */
export const plainColumn = <C>(column: C | TextColumn, n: number): C | string[] => (column instanceof TextColumn ? column.strings(n) : column);

/** 0xed begins the bytes of surrogates (and of U+D000 to U+D7FF). */
const SURROGATES = 0xed;

/** Text of WTF-8 bytes [start, end). */
export function readText(b: Buffer, start: number, end: number): string {
  let seen = 0;
  let surrogates = false;
  for (let p = start; p < end; p++) {
    const c = b[p] as number;
    seen |= c;
    if (c === SURROGATES) surrogates = true;
  }
  if (seen < 128) return b.latin1Slice(start, end);
  return surrogates ? readSurrogates(b, start, end) : b.utf8Slice(start, end);
}

function readSurrogates(b: Buffer, start: number, end: number): string {
  let text = '';
  let run = start;
  for (let p = start; p < end; p++) {
    if (b[p] !== SURROGATES || (b[p + 1] as number) < 0xa0) continue;
    text += b.utf8Slice(run, p) + String.fromCharCode(0xd000 | (((b[p + 1] as number) & 63) << 6) | ((b[p + 2] as number) & 63));
    run = p + 3;
    p += 2;
  }
  return text + b.utf8Slice(run, end);
}

/** Most bytes that a text of this many UTF-16 units takes. */
export const textBytes = (units: number): number => 3 * units;

/** Writes a text as WTF-8 at `at`, for which there is room (`textBytes`); returns the end. */
export function writeWtf8(text: string, to: Buffer, at: number): number {
  const n = text.length;
  let p = at;
  for (let i = 0; i < n; i++) {
    const c = text.charCodeAt(i);
    if (c > 127) return p + writeRest(text, i, to, p);
    to[p++] = c;
  }
  return p;
}

function writeRest(text: string, from: number, to: Buffer, at: number): number {
  const rest = from === 0 ? text : text.slice(from);
  if (rest.isWellFormed()) return to.utf8Write(rest, at);
  let p = at;
  // by code points: of a pair one, of a lone surrogate itself
  for (const s of rest) {
    const c = s.codePointAt(0) as number;
    if (c >= 0xd800 && c <= 0xdfff) {
      to[p++] = SURROGATES;
      to[p++] = 0x80 | ((c >> 6) & 63);
      to[p++] = 0x80 | (c & 63);
    } else {
      p += to.utf8Write(s, p);
    }
  }
  return p - at;
}
