/** Reads what little of a record batch is not read in a hot loop: varints and what they measure, within bytes [pos, end). */
export class VarintReader {
  readonly #b: Buffer;
  readonly #end: number;
  pos: number;

  constructor(b: Buffer, pos: number, end: number) {
    this.#b = b;
    this.pos = pos;
    this.#end = end;
  }

  /** Zigzag; of a varlong only its end is right. */
  varint(): number {
    let v = 0;
    let byte = 128;
    for (let shift = 0; byte > 127 && this.pos < this.#end; shift += 7) {
      byte = this.#b[this.pos++] as number;
      v |= (byte & 127) << shift;
    }
    return (v >>> 1) ^ -(v & 1);
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    const start = this.pos;
    this.pos += length;
    return this.#b.subarray(start, this.pos);
  }
}
