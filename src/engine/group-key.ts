import { reprOf, type SqlType, type Value, type Wide } from '../sql/types.ts';
import { canonical } from '../sql/values/wide.ts';
import { hashBytes, plainColumn, readText, textBytes, TextColumn, writeWtf8 } from '../sql/values/text-column.ts';

/*
 * A group is found by the bytes of its keys, one after the other, so that equal bytes are equal keys:
 *   NULL     0xff, with which no text begins
 *   text     WTF-8, and 0xfe (which is in no text) unless it is the only key
 *   number   0, then a double, little-endian; an integer beyond 2^53: 1, its digits, 0xfe
 *   boolean  0 or 1
 *   bytes    0, u32 length, the bytes
 */
const NULL = 0xff;
const END = 0xfe;

/** What all NULL keys share. */
export const NULL_KEY: Buffer = Buffer.from([NULL]);
export const NULL_HASH = hashBytes(NULL_KEY, 0, 1);

/** Which of `count` workers holds a key of this hash. High bits: the low ones choose the place in a pane's table. */
export const ownerOf = (hash: number, count: number): number => ((hash >>> 16) * count) >>> 16;

/** Writes the keys of one group after the other; [0, pos) of `bytes` are those of the last. */
export class KeyWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(256);
  pos = 0;
  readonly #alone: boolean;
  readonly #double = new Float64Array(1);
  readonly #octets = new Uint8Array(this.#double.buffer);

  /** `keys`: how many a group has. */
  constructor(keys: number) { this.#alone = keys === 1; }

  begin(): void { this.pos = 0; }
  hash(): number { return hashBytes(this.bytes, 0, this.pos); }

  null(): void {
    this.#reserve(1);
    this.bytes[this.pos++] = NULL;
  }

  text(v: string): void {
    this.#reserve(textBytes(v.length) + 1);
    this.pos = writeWtf8(v, this.bytes, this.pos);
    if (!this.#alone) this.bytes[this.pos++] = END;
  }

  number(v: number): void {
    this.#reserve(9);
    // -0 and 0 are one key
    this.#double[0] = v + 0;
    const { bytes, pos } = this;
    bytes[pos] = 0;
    for (let i = 0; i < 8; i++) bytes[pos + 1 + i] = this.#octets[i] as number;
    this.pos = pos + 9;
  }

  wide(v: Wide): void {
    if (typeof v === 'number') return this.number(v);
    const digits = String(v);
    this.#reserve(digits.length + 2);
    this.bytes[this.pos++] = 1;
    this.pos += this.bytes.latin1Write(digits, this.pos);
    this.bytes[this.pos++] = END;
  }

  boolean(v: boolean): void {
    this.#reserve(1);
    this.bytes[this.pos++] = v ? 1 : 0;
  }

  octets(v: Uint8Array): void {
    this.#reserve(v.length + 5);
    this.bytes[this.pos] = 0;
    this.bytes.writeUInt32LE(v.length, this.pos + 1);
    this.bytes.set(v, this.pos + 5);
    this.pos += v.length + 5;
  }

  /** A value of any type. */
  value(type: SqlType, v: Value | null): void {
    if (v === null) return this.null();
    switch (reprOf(type)) {
      case 'text': return this.text(v as string);
      case 'f64': return this.number(v as number);
      case 'wide': return this.wide(v as Wide);
      case 'bool': return this.boolean(v as boolean);
      case 'bytes': return this.octets(v as Uint8Array);
    }
  }

  #reserve(n: number): void {
    if (this.pos + n <= this.bytes.length) return;
    const bigger = Buffer.allocUnsafeSlow(2 * (this.pos + n));
    this.bytes.copy(bigger, 0, 0, this.pos);
    this.bytes = bigger;
  }
}

/** The values that a KeyWriter wrote to [start, end). */
export function readKeys(types: readonly SqlType[], b: Buffer, start: number, end: number): (Value | null)[] {
  let p = start;
  return types.map(type => {
    if (p < end && b[p] === NULL) { p++; return null; }
    const repr = reprOf(type);
    if (repr === 'bool') return b[p++] === 1;
    if (repr === 'text') {
      const from = p;
      if (types.length === 1) p = end;
      else while (b[p] !== END) p++;
      return readText(b, from, types.length === 1 ? p : p++);
    }
    const tag = b[p++];
    const from = p;
    if (repr === 'bytes') {
      p += 4 + b.readUInt32LE(from);
      return new Uint8Array(b.subarray(from + 4, p));
    }
    if (tag === 0) { p += 8; return b.readDoubleLE(from); }
    while (b[p] !== END) p++;
    return canonical(BigInt(b.latin1Slice(from, p++)));
  });
}

/** Strings as a TextColumn with hashes; its arrays are used again by the next. */
export class TextEncoder {
  #bytes: Buffer = Buffer.allocUnsafeSlow(0);
  #start = new Int32Array(0);
  #end = new Int32Array(0);
  #hash = new Int32Array(0);

  /** A column of texts with their hashes: as it is where it has them. */
  hashed(c: TextColumn | readonly string[], nulls: Uint8Array | null, n: number): TextColumn {
    return c instanceof TextColumn && c.hash !== null ? c : this.column(plainColumn(c, n), nulls, n);
  }

  /** `strings` [0, n); where `nulls` says so there is none. */
  column(strings: readonly string[], nulls: Uint8Array | null, n: number): TextColumn {
    let units = 0;
    for (let i = 0; i < n; i++) if (nulls === null || nulls[i] === 0) units += (strings[i] as string).length;
    if (this.#bytes.length < textBytes(units)) this.#bytes = Buffer.allocUnsafeSlow(2 * textBytes(units));
    if (this.#start.length < n) { this.#start = new Int32Array(2 * n); this.#end = new Int32Array(2 * n); this.#hash = new Int32Array(2 * n); }
    let p = 0;
    for (let i = 0; i < n; i++) {
      this.#start[i] = p;
      if (nulls === null || nulls[i] === 0) {
        const from = p;
        p = writeWtf8(strings[i] as string, this.#bytes, p);
        this.#hash[i] = hashBytes(this.#bytes, from, p);
      }
      this.#end[i] = p;
    }
    return new TextColumn(this.#bytes, this.#start, this.#end, this.#hash);
  }
}
