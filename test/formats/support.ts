import type { Batch } from '../../src/engine/batch.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import type { DecodeColumn, Decoder } from '../../src/formats/format.ts';
import { PlainDecoder } from '../../src/formats/json/decode.ts';
import { scanDecoder } from '../../src/formats/json/fast/decoder.ts';
import { type SqlType, type Value } from '../../src/sql/types.ts';
import { TextColumn } from '../../src/sql/values/text-column.ts';
import { GENERATED } from '../no-codegen.ts';

/** Values as records of one partition, with foreign bytes (latin1) around each, as framing and neighbours are. */
export function recordsOf(values: readonly (string | Uint8Array | null)[], around = '12"}'): RecordBatch {
  const edge = Buffer.from(around, 'latin1');
  const parts: Buffer[] = [edge];
  const starts: number[] = [];
  const ends: number[] = [];
  let at = edge.length;
  for (const v of values) {
    const bytes = v === null ? Buffer.alloc(0) : Buffer.from(v as string);
    starts.push(v === null ? -1 : at);
    ends.push(v === null ? -1 : at + bytes.length);
    parts.push(bytes, edge);
    at += bytes.length + edge.length;
  }
  const n = values.length;
  return {
    topic: 't', partition: 0, length: n, data: Buffer.concat(parts), next: n,
    valueStart: Int32Array.from(starts), valueEnd: Int32Array.from(ends),
    keyStart: new Int32Array(n).fill(-1), keyEnd: new Int32Array(n).fill(-1),
    offsets: Float64Array.from({ length: n }, (_, i) => i), timestamps: new Float64Array(n), headers: () => [],
  };
}

export const column = (name: string, type: SqlType, more: Partial<DecodeColumn> = {}): DecodeColumn => ({ field: { name, type, nullable: true }, key: name, time: null, required: false, ...more });

export type MakeDecoder = (columns: readonly DecodeColumn[], maxRecordBytes?: number) => Decoder;

/** The generated scanner. Throws where there is none. */
export function generated(columns: readonly DecodeColumn[], maxRecordBytes: number): NonNullable<ReturnType<typeof scanDecoder>> {
  const decoder = scanDecoder(columns, maxRecordBytes);
  if (decoder === null) throw new Error(`no code for ${columns.length} columns`);
  return decoder;
}

/** Each must pass every test. */
export const decoders: readonly { readonly name: string; readonly decoderOf: MakeDecoder }[] = [
  { name: 'plain', decoderOf: (columns, maxRecordBytes = 1 << 20) => new PlainDecoder(columns, maxRecordBytes) },
  ...(GENERATED ? [{ name: 'generated', decoderOf: (columns: readonly DecodeColumn[], maxRecordBytes = 1 << 20) => generated(columns, maxRecordBytes) }] : []),
];

/** A cell as a plain value: booleans from bits, null from the null map. */
export function cell(batch: Batch, c: number, i: number): Value | null {
  if (batch.nulls[c]?.[i] === 1) return null;
  const from = batch.cols[c] as ArrayLike<Value> | TextColumn;
  const v = from instanceof TextColumn ? from.at(i) : (from[i] as Value);
  return batch.schema[c]?.type.k === 'boolean' ? v === 1 : v;
}

export const rowsOf = (batch: Batch): (Value | null)[][] => Array.from({ length: batch.length }, (_, i) => batch.schema.map((_f, c) => cell(batch, c, i)));

export type Outcome = { readonly row: (Value | null)[] } | { readonly code: string; readonly message: string };

/** What becomes of each record, in order. */
export function outcomes(decoder: Decoder, values: readonly (string | Uint8Array | null)[]): Outcome[] {
  const out: Outcome[] = new Array<Outcome>(values.length);
  const batch = decoder.decode(recordsOf(values), 0, values.length, (i, code, message) => {
    if (out[i] !== undefined) throw new Error(`record ${i} was reported twice`);
    out[i] = { code, message };
  });
  rowsOf(batch).forEach((row, i) => {
    const record = batch.origin?.rows[i] as number;
    if (out[record] !== undefined) throw new Error(`record ${record} is both a row and bad`);
    out[record] = { row };
  });
  return out;
}

export interface Reading {
  readonly one: (columns: readonly DecodeColumn[], value: string | Uint8Array | null) => Outcome;
  /** One value of one column: the cell, or the error's code. */
  readonly read: (type: SqlType, json: string, more?: Partial<DecodeColumn>) => Value | null | string;
}

export function reading(decoderOf: MakeDecoder): Reading {
  const one: Reading['one'] = (columns, value) => outcomes(decoderOf(columns), [value])[0] as Outcome;
  return {
    one,
    read: (type, json, more = {}) => {
      const r = one([column('a', type, more)], `{"a":${json}}`);
      return 'row' in r ? (r.row[0] as Value | null) : `!${r.code}`;
    },
  };
}

/** mulberry32: numbers in [0, 1), the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const seed = Number(process.env['FORMATS_SEED'] ?? Date.now() % 1_000_000);
/** FORMATS_COUNT multiplies the rounds. */
export const rounds = (n: number): number => Math.ceil(n * Number(process.env['FORMATS_COUNT'] ?? 1));
