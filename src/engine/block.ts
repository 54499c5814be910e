import { PipeError } from '../errors.ts';
import { BlockBuilder, checksum } from './block-builder.ts';
import { BYTES_AT, CRC_AT, FIRST_TIME_AT, getLong, MAGIC, RECORDS_AT, ROWS_AT, skipInt } from './block-layout.ts';
import { OLD_MAGIC, openOldBlock } from './block-old.ts';
import type { Header, RecordBatch } from './records.ts';

const NO_HEADERS: readonly Header[] = [];

/**
 * The records of a block (block-layout.ts) as ranges of its bytes. `timestamp` replaces the stored ones when given (append time).
 * Throws system.source.corrupt_batch when the bytes are not what was written.
 */
export function openBlock(data: Buffer, topic: string, partition: number, base: number, timestamp: number | null): RecordBatch {
  const bad = (what: string): PipeError => new PipeError('system.source.corrupt_batch', `the block at offset ${base} of ${topic}/${partition} is damaged: ${what}`, { hint: 'its bytes were changed on disk: restore a copy of the file (topics.db of the data folder)' });
  const magic = data.length < 4 ? 0 : data.readUInt32LE(0);
  if (magic === OLD_MAGIC) return openOldBlock(data, topic, partition, base, timestamp, bad);
  if (data.length < RECORDS_AT || magic !== MAGIC) throw bad('no block begins here');
  const n = data.readUInt32LE(ROWS_AT);
  if (data.length !== RECORDS_AT + data.readUInt32LE(BYTES_AT)) throw bad('its length is wrong');
  if (checksum(data) !== data.readUInt32LE(CRC_AT)) throw bad('its checksum is wrong');
  const rows = new Rows(data, n, data.readDoubleLE(FIRST_TIME_AT), timestamp);
  const end = rows.read();
  if (end !== data.length) throw bad('its records do not end where it ends');
  const { keyStart, keyEnd, valueStart, valueEnd, timestamps } = rows;
  const offsets = new Float64Array(n);
  for (let i = 0; i < n; i++) offsets[i] = base + i;
  return { topic, partition, length: n, data, keyStart, keyEnd, valueStart, valueEnd, offsets, timestamps, next: base + n, headers: row => rows.headers(row) };
}

/** Where keys and values of a block's records lie. */
class Rows {
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly timestamps: Float64Array;
  readonly #data: Buffer;
  readonly #rows: number;
  readonly #first: number;
  readonly #timestamp: number | null;
  /** Position of the headers of those that have any. */
  #headersAt: Map<number, number> | null = null;

  constructor(data: Buffer, rows: number, first: number, timestamp: number | null) {
    const ints = (): Int32Array => new Int32Array(rows);
    this.#data = data;
    this.#rows = rows;
    this.#first = first;
    this.#timestamp = timestamp;
    this.keyStart = ints();
    this.keyEnd = ints();
    this.valueStart = ints();
    this.valueEnd = ints();
    this.timestamps = new Float64Array(rows);
  }

  /** The end of the last record. */
  read(): number {
    const { keyStart, keyEnd, valueStart, valueEnd, timestamps } = this;
    const data = this.#data;
    const rows = this.#rows;
    const first = this.#first;
    const given = this.#timestamp;
    let p = RECORDS_AT;
    for (let i = 0; i < rows; i++) {
      const length = getLong(data, p);
      // beyond the length stand the attributes
      p = skipInt(data, p) + 1;
      const end = p - 1 + length;
      timestamps[i] = given ?? first + (data[p] === 0 ? 0 : getLong(data, p));
      p = skipInt(data, skipInt(data, p));
      const key = getLong(data, p);
      p = skipInt(data, p);
      if (key < 0) keyStart[i] = keyEnd[i] = -1;
      else { keyStart[i] = p; keyEnd[i] = p += key; }
      const value = getLong(data, p);
      p = skipInt(data, p);
      if (value < 0) valueStart[i] = valueEnd[i] = -1;
      else { valueStart[i] = p; valueEnd[i] = p += value; }
      if (data[p] !== 0) (this.#headersAt ??= new Map()).set(i, p);
      p = end;
    }
    return p;
  }

  headers(row: number): readonly Header[] {
    const at = this.#headersAt?.get(row);
    if (at === undefined) return NO_HEADERS;
    const data = this.#data;
    let p = at;
    const int = (): number => { const v = getLong(data, p); p = skipInt(data, p); return v; };
    const bytes = (length: number): Buffer => data.subarray(p, p += length);
    return Array.from({ length: int() }, () => {
      const key = bytes(int()).toString();
      const length = int();
      return { key, value: length < 0 ? null : bytes(length) };
    });
  }
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
