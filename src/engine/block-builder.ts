import { crc32 } from 'node:zlib';
import { BYTES_AT, CRC_AT, FIRST_TIME_AT, HEAD_END, intSize, LAST_TIME_AT, MAGIC, putInt, putLong, RECORDS_AT, ROWS_AT } from './block-layout.ts';
import { ByteWriter, copyBytes } from './bytes.ts';
import type { Header } from './records.ts';

/** The parts of a record that are no key, value or header take less. */
const FRAME = 40;

/** Collects records into a block, in place; used again from block to block. */
export class BlockBuilder {
  /** Write the bytes of a value here, between begin and end. */
  readonly out: ByteWriter = new ByteWriter(1 << 16);
  rows = 0;
  #first = 0;
  #last = 0;
  /** Of the open record, and how much later than the first that is. */
  #time = -1;
  #delta = 0;
  #start = 0;
  #valueAt = 0;
  #keyed = false;
  #keyBytes = 0;
  /** Bytes kept free for the lengths of a record and its value: as the last record's needed, so that bytes seldom move. */
  #recordSize = 2;
  #valueSize = 2;

  constructor() { this.out.pos = RECORDS_AT; }

  /** Bytes of the records so far. */
  get bytes(): number { return this.out.pos - RECORDS_AT; }

  /** Bytes of the open record's key and value. */
  get size(): number { return this.#keyBytes + this.out.pos - this.#valueAt - this.#valueSize; }

  /** The open record's key as text, `most` bytes of it; null for a null key. */
  openKey(most: number): string | null {
    const from = this.#valueAt - this.#keyBytes;
    return this.#keyed ? this.out.buf.toString('utf8', from, Math.min(this.#valueAt, from + most)) : null;
  }

  /** A record with key bytes [from, to), or with the key NULL: `from` < 0. What is written to `out` from here on is its value. */
  begin(key: Uint8Array, from: number, to: number, timestamp: number): void {
    const { out, rows } = this;
    out.reserve(FRAME + to - from);
    const { buf } = out;
    let p = out.pos;
    if (rows === 0 || timestamp !== this.#time) this.#setTime(timestamp);
    this.#start = p;
    p += this.#recordSize;
    buf[p++] = 0;
    if (this.#delta === 0) buf[p++] = 0;
    else p = putLong(buf, p, this.#delta);
    p = putInt(buf, p, rows);
    if (from < 0) {
      buf[p++] = 1;
      this.#keyBytes = 0;
    } else {
      const length = to - from;
      this.#keyBytes = length;
      p = putInt(buf, p, length);
      copyBytes(key, from, to, buf, p);
      p += length;
    }
    this.#keyed = from >= 0;
    this.#valueAt = p;
    out.pos = p + this.#valueSize;
  }

  /** After the value's bytes: the record is complete. */
  end(headers: readonly Header[] = NO_HEADERS): void {
    const { out } = this;
    const valueAt = this.#valueAt;
    const length = out.pos - valueAt - this.#valueSize;
    const size = intSize(length);
    if (size !== this.#valueSize) this.#valueSize = this.#move(valueAt, this.#valueSize, size);
    putInt(out.buf, valueAt, length);
    this.#close(headers);
  }

  /** The open record has the value NULL. */
  endNull(headers: readonly Header[] = NO_HEADERS): void {
    const { out } = this;
    out.pos = putInt(out.buf, this.#valueAt, -1);
    this.#close(headers);
  }

  /** Forgets the open record. */
  cancel(): void { this.out.pos = this.#start; }

  /** Forgets all records. */
  reset(): void {
    this.out.pos = RECORDS_AT;
    this.rows = 0;
  }

  add(key: Uint8Array | null, value: Uint8Array | null, headers: readonly Header[], timestamp: number): void {
    if (key === null) this.begin(NO_BYTES, -1, 0, timestamp);
    else this.begin(key, 0, key.length, timestamp);
    if (value === null) return this.endNull(headers);
    this.out.bytes(value);
    this.end(headers);
  }

  /** The block as a buffer of its own; the builder is empty afterwards. */
  finish(): Buffer {
    const { rows } = this;
    const block = this.out.take();
    block.fill(0, 0, RECORDS_AT);
    block.writeUInt32LE(MAGIC, 0);
    block.writeUInt32LE(rows, ROWS_AT);
    block.writeUInt32LE(block.length - RECORDS_AT, BYTES_AT);
    block.writeDoubleLE(this.#first, FIRST_TIME_AT);
    block.writeDoubleLE(this.#last, LAST_TIME_AT);
    block.writeUInt32LE(checksum(block), CRC_AT);
    this.reset();
    return block;
  }

  #setTime(timestamp: number): void {
    if (this.rows === 0) this.#first = timestamp;
    this.#time = timestamp;
    this.#delta = timestamp - this.#first;
  }

  #close(headers: readonly Header[]): void {
    const { out } = this;
    const start = this.#start;
    if (headers.length === 0) {
      out.reserve(1);
      out.buf[out.pos++] = 0;
    } else {
      writeHeaders(headers, out);
    }
    const length = out.pos - start - this.#recordSize;
    const size = intSize(length);
    if (size !== this.#recordSize) this.#recordSize = this.#move(start, this.#recordSize, size);
    putInt(out.buf, start, length);
    if (this.rows++ === 0 || this.#time > this.#last) this.#last = this.#time;
  }

  /** What follows a gap of `from` bytes, behind one of `to` bytes. */
  #move(at: number, from: number, to: number): number {
    const { out } = this;
    out.reserve(to);
    out.buf.copyWithin(at + to, at + from, out.pos);
    out.pos += to - from;
    return to;
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_HEADERS: readonly Header[] = [];

/** Of what a block's head and records say; the room between them is left out. */
export const checksum = (block: Buffer): number => crc32(block.subarray(RECORDS_AT), crc32(block.subarray(ROWS_AT, HEAD_END)));

function writeHeaders(headers: readonly Header[], out: ByteWriter): void {
  const int = (v: number): void => { out.reserve(5); out.pos = putInt(out.buf, out.pos, v); };
  int(headers.length);
  for (const { key, value } of headers) {
    const name = Buffer.from(key);
    int(name.length);
    out.bytes(name);
    int(value === null ? -1 : value.length);
    if (value !== null) out.bytes(value);
  }
}
