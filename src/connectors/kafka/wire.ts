/**
 * Kafka's primitive types (https://kafka.apache.org/protocol#protocol_types), big-endian. "Compact" forms are those of the
 * flexible versions (KIP-482): an unsigned varint of length + 1, 0 for null.
 */
export class WireWriter {
  #buf: Buffer;
  #pos = 0;

  constructor(capacity = 512) { this.#buf = Buffer.allocUnsafe(capacity); }

  /** What was written, as a view. */
  finish(): Buffer { return this.#buf.subarray(0, this.#pos); }

  int8(v: number): this { this.#reserve(1); this.#pos = this.#buf.writeInt8(v, this.#pos); return this; }
  int16(v: number): this { this.#reserve(2); this.#pos = this.#buf.writeInt16BE(v, this.#pos); return this; }
  int32(v: number): this { this.#reserve(4); this.#pos = this.#buf.writeInt32BE(v, this.#pos); return this; }
  int64(v: number | bigint): this { this.#reserve(8); this.#pos = this.#buf.writeBigInt64BE(BigInt(v), this.#pos); return this; }
  bool(v: boolean): this { return this.int8(v ? 1 : 0); }
  uuid(hex: string): this { return this.raw(Buffer.from(hex, 'hex')); }

  uvarint(v: number): this {
    this.#reserve(5);
    let rest = v;
    while (rest > 127) { this.#buf[this.#pos++] = (rest & 127) | 128; rest >>>= 7; }
    this.#buf[this.#pos++] = rest;
    return this;
  }

  string(v: string | null): this {
    if (v === null) return this.int16(-1);
    const bytes = Buffer.from(v);
    return this.int16(bytes.length).raw(bytes);
  }

  compactString(v: string | null): this {
    if (v === null) return this.uvarint(0);
    const bytes = Buffer.from(v);
    return this.uvarint(bytes.length + 1).raw(bytes);
  }

  bytes(v: Buffer): this { return this.int32(v.length).raw(v); }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  compactArray<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.uvarint(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) write(item);
    return this;
  }

  /** No tagged fields. */
  tags(): this { return this.uvarint(0); }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buf.set(bytes, this.#pos);
    this.#pos += bytes.length;
    return this;
  }

  #reserve(n: number): void {
    if (this.#pos + n <= this.#buf.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(this.#buf.length * 2, this.#pos + n));
    this.#buf.copy(bigger, 0, 0, this.#pos);
    this.#buf = bigger;
  }
}

/** Throws RangeError where a response is shorter than it says. */
export class WireReader {
  readonly buf: Buffer;
  pos = 0;

  constructor(buf: Buffer) { this.buf = buf; }

  int8(): number { return this.buf.readInt8(this.#skip(1)); }
  int16(): number { return this.buf.readInt16BE(this.#skip(2)); }
  int32(): number { return this.buf.readInt32BE(this.#skip(4)); }
  int64(): bigint { return this.buf.readBigInt64BE(this.#skip(8)); }
  /** An int64 that is known to be below 2^53, such as an offset. */
  long(): number { return Number(this.int64()); }
  bool(): boolean { return this.int8() !== 0; }
  uuid(): string { const at = this.#skip(16); return this.buf.toString('hex', at, at + 16); }

  uvarint(): number {
    let v = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.buf.readUInt8(this.#skip(1));
      v += (byte & 127) * 2 ** shift;
      if (byte < 128) return v;
    }
  }

  string(): string { return this.nullableString() ?? ''; }
  nullableString(): string | null { return this.#text(this.int16()); }
  compactString(): string { return this.nullableCompactString() ?? ''; }
  nullableCompactString(): string | null { return this.#text(this.uvarint() - 1); }

  /** A view; null for null. */
  bytes(): Buffer | null { return this.#view(this.int32()); }
  compactBytes(): Buffer | null { return this.#view(this.uvarint() - 1); }

  /** [] for a null array. */
  array<T>(read: () => T): T[] { return this.#items(this.int32(), read); }
  compactArray<T>(read: () => T): T[] { return this.#items(this.uvarint() - 1, read); }

  /** Tagged fields; `read` may look into the one that it is told of. */
  tags(read: (tag: number) => void = () => undefined): void {
    for (let n = this.uvarint(); n > 0; n--) {
      const tag = this.uvarint();
      const size = this.uvarint();
      const end = this.#skip(size) + size;
      this.pos = end - size;
      read(tag);
      this.pos = end;
    }
  }

  #items<T>(n: number, read: () => T): T[] {
    const items: T[] = [];
    for (let i = 0; i < n; i++) items.push(read());
    return items;
  }

  #text(length: number): string | null {
    if (length < 0) return null;
    const at = this.#skip(length);
    return this.buf.toString('utf8', at, at + length);
  }

  #view(length: number): Buffer | null {
    if (length < 0) return null;
    const at = this.#skip(length);
    return this.buf.subarray(at, at + length);
  }

  #skip(n: number): number {
    const at = this.pos;
    if (at + n > this.buf.length) throw new RangeError('the response is cut short');
    this.pos = at + n;
    return at;
  }
}
