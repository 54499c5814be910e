import { PipeError } from '../errors.ts';
import { BlockBuilder, checksum } from './block-builder.ts';
import { BYTES_AT, CRC_AT, FIRST_TIME_AT, getLong, MAGIC, RECORDS_AT, ROWS_AT, skipInt } from './block-layout.ts';
import { OLD_MAGIC, openOldBlock } from './block-old.ts';
import { ArrayStock, sliceArrays, type RecordArrays } from './record-arrays.ts';
import type { Header, PackedPart, RecordBatch } from './records.ts';

const NO_HEADERS: readonly Header[] = [];

/** The records of a block (block-layout.ts) as ranges of its bytes. Throws system.source.corrupt_batch when the bytes are not what was written. */
export const openBlock = (data: Buffer, topic: string, partition: number, base: number, at: number | null): RecordBatch => openBlocks([{ data, base, at }], topic, partition, new ArrayStock());

/** The same of blocks that follow one another, as one. Blocks that lie side by side in one memory are not copied. */
export function openBlocks(blocks: readonly PackedPart[], topic: string, partition: number, stock: ArrayStock): RecordBatch {
  const opened = blocks.map(b => check(b, topic, partition));
  const { data, starts } = together(opened.map(o => o.data), stock);
  const length = opened.reduce((n, o) => n + o.rows, 0);
  const arrays = stock.take(length);
  const reader = new RowReader(data, arrays);
  let row = 0;
  opened.forEach(({ old, rows, base, first, given, bad }, k) => {
    if (old === null) reader.read(starts[k] as number, row, rows, base, first, given, bad);
    else reader.copy(old, starts[k] as number, row);
    row += rows;
  });
  const { base, rows } = opened.at(-1) as Checked;
  return { topic, partition, length, data, ...arrays, next: base + rows, headers: i => reader.headers(i) };
}

/** A block whose head and checksum are right. */
interface Checked {
  readonly data: Buffer;
  readonly rows: number;
  readonly base: number;
  /** Time of its first record. */
  readonly first: number;
  readonly given: number | null;
  readonly bad: (what: string) => PipeError;
  /** Of the layout before this one: its records. */
  readonly old: RecordBatch | null;
}

function check({ data, base, at: given }: PackedPart, topic: string, partition: number): Checked {
  const bad = (what: string): PipeError => new PipeError('system.source.corrupt_batch', `the block at offset ${base} of ${topic}/${partition} is damaged: ${what}`, { hint: 'its bytes were changed on disk: restore a copy of the file (topics.db of the data folder)' });
  const magic = data.length < 4 ? 0 : data.readUInt32LE(0);
  if (magic === OLD_MAGIC) {
    const old = openOldBlock(data, topic, partition, base, given, bad);
    return { data: old.data, rows: old.length, base, first: 0, given, bad, old };
  }
  if (data.length < RECORDS_AT || magic !== MAGIC) throw bad('no block begins here');
  if (data.length !== RECORDS_AT + data.readUInt32LE(BYTES_AT)) throw bad('its length is wrong');
  if (checksum(data) !== data.readUInt32LE(CRC_AT)) throw bad('its checksum is wrong');
  return { data, rows: data.readUInt32LE(ROWS_AT), base, first: data.readDoubleLE(FIRST_TIME_AT), given, bad, old: null };
}

/** One piece of memory that holds all, and where each begins in it. */
function together(all: readonly Buffer[], stock: ArrayStock): { readonly data: Buffer; readonly starts: readonly number[] } {
  const [first] = all as readonly [Buffer];
  if (all.length === 1) return { data: first, starts: [0] };
  let next = 0;
  const starts = all.map(d => (next += d.length) - d.length);
  const beside = all.every((d, k) => d.buffer === first.buffer && d.byteOffset - first.byteOffset === starts[k]);
  return { data: beside ? Buffer.from(first.buffer, first.byteOffset, next) : stock.join(all), starts };
}

/** Finds keys and values of the records of blocks. */
class RowReader {
  readonly #data: Buffer;
  readonly #to: RecordArrays;
  /** Position of the headers of those that have any. */
  #headersAt: Map<number, number> | null = null;
  /** Rows of the older layout. */
  readonly #old: { readonly from: number; readonly records: RecordBatch }[] = [];

  constructor(data: Buffer, to: RecordArrays) {
    this.#data = data;
    this.#to = to;
  }

  /** Those of the block at `at` become rows from `row` on. Hot: nothing is allocated per record. */
  read(at: number, row: number, rows: number, base: number, first: number, given: number | null, bad: (what: string) => PipeError): void {
    const { keyStart, keyEnd, valueStart, valueEnd, timestamps, offsets } = this.#to;
    const data = this.#data;
    let p = at + RECORDS_AT;
    for (let i = row, offset = base; i < row + rows; i++, offset++) {
      offsets[i] = offset;
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
    if (p !== at + RECORDS_AT + data.readUInt32LE(at + BYTES_AT)) throw bad('its records do not end where it ends');
  }

  /** Records of the older layout, whose bytes begin at `at`, become rows from `row` on. */
  copy(old: RecordBatch, at: number, row: number): void {
    const to = this.#to;
    for (const name of ['keyStart', 'keyEnd', 'valueStart', 'valueEnd'] as const) {
      for (let i = 0; i < old.length; i++) { const p = old[name][i] as number; to[name][row + i] = p < 0 ? -1 : p + at; }
    }
    to.offsets.set(old.offsets, row);
    to.timestamps.set(old.timestamps, row);
    this.#old.push({ from: row, records: old });
  }

  headers(row: number): readonly Header[] {
    const old = this.#old.find(o => o.from <= row && row < o.from + o.records.length);
    if (old !== undefined) return old.records.headers(row - old.from);
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
    topic: b.topic, partition: b.partition, length: to - from, data: b.data, ...sliceArrays(b, from, to),
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
