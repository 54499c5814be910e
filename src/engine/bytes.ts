/** Bytes of a buffer that is used again: what a block that is full takes. */
const POOLED_BYTES = 1 << 20;
/** As much as two epochs of output take, the one on its way and the next. */
const POOLED_MOST = 64;
const pool: Buffer[] = [];
/** Buffers of that size that this thread has asked for and not got back: a thread that only passes on what others made keeps none. */
let lent = 0;

/** Of POOLED_BYTES where that many are asked for, the buffer may be one that was given back. */
function allocate(n: number): Buffer {
  if (n !== POOLED_BYTES) return Buffer.allocUnsafeSlow(n);
  lent++;
  return pool.pop() ?? Buffer.allocUnsafeSlow(n);
}

/**
 * Gives back what ByteWriter.take() gave, when nobody reads it any more: buffers of this size that come and go make V8 collect its
 * whole heap again and again. All others are left alone.
 */
export function recycle({ buffer, byteOffset }: Buffer): void {
  if (buffer.byteLength !== POOLED_BYTES || byteOffset !== 0 || lent === 0 || pool.length >= POOLED_MOST || pool.some(b => b.buffer === buffer)) return;
  lent--;
  pool.push(Buffer.from(buffer as ArrayBuffer));
}

/** A growing byte buffer that encoders write into; `reserve` before writing to `buf` or `view` at `pos` directly. */
export class ByteWriter {
  buf: Buffer;
  /** Over the same bytes: for writes of several bytes at once. */
  view: DataView;
  pos = 0;

  constructor(capacity = 1 << 16) {
    this.buf = Buffer.allocUnsafeSlow(capacity);
    this.view = viewOf(this.buf);
  }

  /** Makes room for `n` more bytes. */
  reserve(n: number): void {
    if (this.pos + n > this.buf.length) this.#grow(n);
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
    const n = from.length;
    this.reserve(n);
    copyBytes(from, 0, n, this.buf, this.pos);
    this.pos += n;
  }

  reset(): void { this.pos = 0; }

  /** What was written, for good: without a copy where it fills at least half of the buffer, which is replaced then. Empty afterwards. */
  take(): Buffer {
    const { buf, pos } = this;
    this.pos = 0;
    if (2 * pos < buf.length) {
      const copy = Buffer.allocUnsafeSlow(pos);
      buf.copy(copy, 0, 0, pos);
      return copy;
    }
    this.buf = allocate(buf.length);
    this.view = viewOf(this.buf);
    return buf.subarray(0, pos);
  }

  #grow(n: number): void {
    const bigger = allocate(Math.max(this.buf.length * 2, this.pos + n));
    this.buf.copy(bigger, 0, 0, this.pos);
    this.buf = bigger;
    this.view = viewOf(bigger);
  }
}

const viewOf = (b: Buffer): DataView => new DataView(b.buffer, b.byteOffset, b.length);

/** Up to this many bytes a loop is faster than a call out of JavaScript. */
const SHORT = 64;

/** Bytes [from, to) of one buffer to another, which has room. */
export function copyBytes(source: Uint8Array, from: number, to: number, target: Buffer, at: number): void {
  if (to - from > SHORT) target.set(from === 0 && to === source.length ? source : source.subarray(from, to), at);
  else for (let i = from, p = at; i < to; i++, p++) target[p] = source[i] as number;
}

declare global {
  interface Buffer {
    latin1Write(text: string, offset?: number, length?: number): number;
    utf8Write(text: string, offset?: number, length?: number): number;
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  }
}
