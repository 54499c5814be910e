/** A growing byte buffer that encoders write into; `reserve` before writing to `buf` at `pos` directly. */
export class ByteWriter {
  buf: Buffer;
  pos = 0;

  constructor(capacity = 1 << 16) { this.buf = Buffer.allocUnsafeSlow(capacity); }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    if (this.pos + n <= this.buf.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.buf.length * 2, this.pos + n));
    this.buf.copy(bigger, 0, 0, this.pos);
    this.buf = bigger;
  }

  ascii(text: string): void {
    this.reserve(text.length);
    this.pos += this.buf.latin1Write(text, this.pos);
  }

  utf8(text: string): void {
    this.reserve(text.length * 3);
    this.pos += this.buf.utf8Write(text, this.pos);
  }

  bytes(from: Uint8Array): void {
    this.reserve(from.length);
    this.buf.set(from, this.pos);
    this.pos += from.length;
  }

  reset(): void { this.pos = 0; }
}

declare global {
  interface Buffer {
    latin1Write(text: string, offset?: number, length?: number): number;
    utf8Write(text: string, offset?: number, length?: number): number;
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  }
}
