import { crc32 } from 'node:zlib';
import { PipeError } from '../errors.ts';
import { ByteWriter } from './bytes.ts';
import type { Header, RecordBatch } from './records.ts';

/*
 * A block holds the records of one topic and partition: what the outbox keeps and what the embedded log stores, byte for byte.
 *
 *   0  u32 magic 'pb01'   4  u32 crc32 of the bytes from 8 on   8  u32 records   12  u32 bytes of payload   16  u32 bytes of headers
 *   20 u32 reserved   24 f64 timestamps[n]   i32 ends of keys[n]   i32 ends of values[n]   payload   headers
 *
 * Payload: key and value of each record, one after the other. An end of -1 - e marks NULL (e = where it would end).
 * All numbers are little-endian, as the views over them are. Headers: JSON per block, only where a record has any.
 */
const MAGIC = 0x31306270;
const HEAD = 24;

/** Collects records; reused from block to block. */
export class BlockBuilder {
  /** Write the bytes of keys and values here, between begin and end. */
  readonly out = new ByteWriter(1 << 16);
  #timestamps = new Float64Array(256);
  #keyEnds: Int32Array = new Int32Array(256);
  #valueEnds: Int32Array = new Int32Array(256);
  #headers: [number, [string, string | null][]][] = [];
  #recordHeaders: [string, string | null][] | null = null;
  #recordStart = 0;
  rows = 0;

  /** Bytes of the payload so far. */
  get bytes(): number { return this.out.pos; }

  beginRecord(): void {
    if (this.rows === this.#timestamps.length) this.#grow();
    this.#recordStart = this.out.pos;
    this.#recordHeaders = null;
  }

  /** After the key's bytes; `isNull` when there are none because the key is null. */
  endKey(isNull: boolean): void { this.#keyEnds[this.rows] = isNull ? -1 - this.out.pos : this.out.pos; }

  header(key: string, value: Uint8Array | null): void {
    (this.#recordHeaders ??= []).push([key, value === null ? null : Buffer.from(value).toString('base64')]);
  }

  /** After the value's bytes: the record is complete. */
  endRecord(isNull: boolean, timestamp: number): void {
    this.#valueEnds[this.rows] = isNull ? -1 - this.out.pos : this.out.pos;
    this.#timestamps[this.rows] = timestamp;
    if (this.#recordHeaders !== null) this.#headers.push([this.rows, this.#recordHeaders]);
    this.rows++;
  }

  /** Forgets what was written since beginRecord. */
  cancelRecord(): void { this.out.pos = this.#recordStart; }

  /** The last key's bytes are [keyStart, keyEnd) of `out.buf` while the record is open. */
  get keyStart(): number { return this.#recordStart; }

  add(key: Uint8Array | null, value: Uint8Array | null, headers: readonly Header[], timestamp: number): void {
    this.beginRecord();
    if (key !== null) this.out.bytes(key);
    this.endKey(key === null);
    for (const h of headers) this.header(h.key, h.value);
    if (value !== null) this.out.bytes(value);
    this.endRecord(value === null, timestamp);
  }

  /** The block as a buffer of its own; the builder is empty afterwards. */
  finish(): Buffer {
    const n = this.rows;
    const payload = this.out.pos;
    const headers = this.#headers.length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(this.#headers));
    const block = Buffer.allocUnsafeSlow(HEAD + 16 * n + payload + headers.length);
    block.writeUInt32LE(MAGIC, 0);
    block.writeUInt32LE(n, 8);
    block.writeUInt32LE(payload, 12);
    block.writeUInt32LE(headers.length, 16);
    block.writeUInt32LE(0, 20);
    let p = HEAD;
    for (const a of [this.#timestamps, this.#keyEnds, this.#valueEnds]) {
      block.set(new Uint8Array(a.buffer, 0, n * a.BYTES_PER_ELEMENT), p);
      p += n * a.BYTES_PER_ELEMENT;
    }
    this.out.buf.copy(block, p, 0, payload);
    headers.copy(block, p + payload);
    block.writeUInt32LE(crc32(block.subarray(8)), 4);
    this.reset();
    return block;
  }

  reset(): void {
    this.out.reset();
    this.rows = 0;
    this.#headers = [];
  }

  #grow(): void {
    const capacity = this.#timestamps.length * 2;
    const timestamps = new Float64Array(capacity);
    timestamps.set(this.#timestamps);
    this.#timestamps = timestamps;
    const ends = (from: Int32Array): Int32Array => { const to = new Int32Array(capacity); to.set(from); return to; };
    this.#keyEnds = ends(this.#keyEnds);
    this.#valueEnds = ends(this.#valueEnds);
  }
}

const NO_HEADERS: readonly Header[] = [];

/**
 * Views over a block; nothing is parsed per record but its ends. `timestamp` replaces the stored ones when given (append time).
 * Throws system.source.corrupt_batch when the bytes are not what was written.
 */
export function openBlock(data: Buffer, topic: string, partition: number, base: number, timestamp: number | null): RecordBatch {
  const bad = (what: string): PipeError => new PipeError('system.source.corrupt_batch', `the block at offset ${base} of ${topic}/${partition} is damaged: ${what}`);
  if (data.length < HEAD || data.readUInt32LE(0) !== MAGIC) throw bad('no block begins here');
  const n = data.readUInt32LE(8);
  const payload = data.readUInt32LE(12);
  const headerBytes = data.readUInt32LE(16);
  if (data.length !== HEAD + 16 * n + payload + headerBytes) throw bad('its length is wrong');
  if (crc32(data.subarray(8)) !== data.readUInt32LE(4)) throw bad('its checksum is wrong');
  const aligned = data.byteOffset % 8 === 0 ? data : Buffer.from(new Uint8Array(data).buffer);
  const at = aligned.byteOffset + HEAD;
  const first = HEAD + 16 * n;
  const keyEnds = new Int32Array(aligned.buffer, at + 8 * n, n);
  const valueEnds = new Int32Array(aligned.buffer, at + 12 * n, n);
  const keyStart = new Int32Array(n);
  const keyEnd = new Int32Array(n);
  const valueStart = new Int32Array(n);
  const valueEnd = new Int32Array(n);
  const offsets = new Float64Array(n);
  let p = 0;
  for (let i = 0; i < n; i++) {
    const k = keyEnds[i] as number;
    const v = valueEnds[i] as number;
    offsets[i] = base + i;
    if (k < 0) keyStart[i] = keyEnd[i] = -1;
    else { keyStart[i] = first + p; keyEnd[i] = first + k; p = k; }
    if (v < 0) valueStart[i] = valueEnd[i] = -1;
    else { valueStart[i] = first + p; valueEnd[i] = first + v; p = v; }
  }
  const timestamps = timestamp === null ? new Float64Array(aligned.buffer, at, n) : new Float64Array(n).fill(timestamp);
  let headers: Map<number, Header[]> | null = null;
  return {
    topic, partition, length: n, data: aligned, keyStart, keyEnd, valueStart, valueEnd, offsets, timestamps, next: base + n,
    headers: row => {
      if (headerBytes === 0) return NO_HEADERS;
      headers ??= readHeaders(aligned.subarray(first + payload));
      return headers.get(row) ?? NO_HEADERS;
    },
  };
}

function readHeaders(bytes: Buffer): Map<number, Header[]> {
  const list = JSON.parse(bytes.toString()) as [number, [string, string | null][]][];
  return new Map(list.map(([row, hs]) => [row, hs.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value, 'base64') }))]));
}

/** Records [from, to) as views; `next` is the offset behind them. */
export function sliceRecords(b: RecordBatch, from: number, to: number): RecordBatch {
  if (from === 0 && to === b.length) return b;
  return {
    topic: b.topic, partition: b.partition, length: to - from, data: b.data,
    keyStart: b.keyStart.subarray(from, to), keyEnd: b.keyEnd.subarray(from, to),
    valueStart: b.valueStart.subarray(from, to), valueEnd: b.valueEnd.subarray(from, to),
    offsets: b.offsets.subarray(from, to), timestamps: b.timestamps.subarray(from, to),
    headers: row => b.headers(from + row),
    next: to === b.length ? b.next : (b.offsets[to] as number),
  };
}

export interface PlainRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly headers?: readonly Header[];
  readonly timestamp?: number;
}

/** A record batch from a list, for commands and tests. */
export function recordsFrom(records: readonly PlainRecord[], topic = 'test', partition = 0, base = 0): RecordBatch {
  const b = new BlockBuilder();
  const bytes = (x: Uint8Array | string | null): Uint8Array | null => (typeof x === 'string' ? Buffer.from(x) : x);
  for (const r of records) b.add(bytes(r.key), bytes(r.value), r.headers ?? NO_HEADERS, r.timestamp ?? 0);
  return openBlock(b.finish(), topic, partition, base, null);
}
