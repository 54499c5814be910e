import { reprOf, type Schema, type Value } from '../../sql/types.ts';
import { hashBytes, TextColumn } from '../../sql/values/text-column.ts';
import { newBatch, perColumn, type Batch, type Column } from '../batch.ts';
import { KeyWriter, NULL_HASH, ownerOf, TextEncoder } from '../group-key.ts';
import { aligned, type Arena } from './arena.ts';
import type { SliceRecords } from './raw.ts';

/**
 * Rows of one slice for the worker that holds their keys, in shared memory. One after the other, each aligned to 8: f64 watermarks[n],
 * i32 records[n], then for each column: f64[n] | u8[n] | i32 start[n], end[n], hash[n] and the bytes | nothing, where the values are
 * in `values`; and u8 nulls[n] where it has any.
 */
export interface Part {
  readonly shared: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
  /** By column. */
  readonly columns: readonly PartColumn[];
  readonly nulls: readonly boolean[];
}

/** Numbers; numbers that stand for a wide column; booleans; bytes of a text; values that cannot be shared. */
type PartColumn = 'f64' | 'bool' | { readonly bytes: number } | { readonly values: readonly unknown[] };

/** Sends rows to the workers that hold their keys, by a hash of the key's bytes that all threads of a process share. */
export class Router {
  readonly #schema: Schema;
  readonly #keys: number;
  readonly #count: number;
  readonly #writer: KeyWriter;
  readonly #texts: readonly TextEncoder[];
  #owners = new Uint8Array(0);

  /** The first `keys` columns are the key; `count` workers. */
  constructor(schema: Schema, keys: number, count: number) {
    this.#schema = schema;
    this.#keys = keys;
    this.#count = count;
    this.#writer = new KeyWriter(keys);
    this.#texts = schema.map(() => new TextEncoder());
  }

  /** Copies the rows of a batch by owner; null where there are none. */
  route(batch: Batch, arena: Arena): (Part | null)[] {
    const b = newBatch(batch.schema, batch.length, perColumn(batch.cols, (c, j) => this.#asBytes(batch, c, j)), batch.nulls, batch.wm, batch.origin);
    const counts = this.#assign(b);
    return counts.map((n, owner) => (n === 0 ? null : writePart(this.#schema, b, this.#rowsOf(owner, n, b.length), arena)));
  }

  /** Texts cross over as bytes, the only key with its hashes. */
  #asBytes(b: Batch, c: Column, j: number): Column {
    if (reprOf((this.#schema[j] as Schema[number]).type) !== 'text') return c;
    const isKey = this.#keys === 1 && j === 0;
    if (c instanceof TextColumn && !isKey) return c;
    return (this.#texts[j] as TextEncoder).hashed(c as TextColumn | string[], b.nulls[j] ?? null, b.length);
  }

  #assign(b: Batch): number[] {
    const n = b.length;
    const count = this.#count;
    if (this.#owners.length < n) this.#owners = new Uint8Array(n);
    const owners = this.#owners;
    const [key] = b.cols;
    const empty = b.nulls[0] ?? null;
    if (this.#keys === 1 && key instanceof TextColumn && key.hash !== null) {
      const { hash } = key;
      for (let i = 0; i < n; i++) owners[i] = ownerOf(empty !== null && empty[i] === 1 ? NULL_HASH : hash[i] as number, count);
    } else {
      for (let i = 0; i < n; i++) owners[i] = ownerOf(this.#hash(b, i), count);
    }
    const counts = new Array<number>(count).fill(0);
    for (let i = 0; i < n; i++) counts[owners[i] as number] = (counts[owners[i] as number] as number) + 1;
    return counts;
  }

  #hash(b: Batch, i: number): number {
    const w = this.#writer;
    w.begin();
    for (let j = 0; j < this.#keys; j++) {
      const { type } = this.#schema[j] as Schema[number];
      w.value(type, b.nulls[j]?.[i] === 1 ? null : valueAt(b.cols[j] as Column, i, type));
    }
    return hashBytes(w.bytes, 0, w.pos);
  }

  #rowsOf(owner: number, n: number, length: number): Int32Array {
    const rows = new Int32Array(n);
    const owners = this.#owners;
    let m = 0;
    for (let i = 0; i < length; i++) if (owners[i] === owner) rows[m++] = i;
    return rows;
  }
}

function valueAt(c: Column, i: number, type: Schema[number]['type']): Value {
  if (c instanceof TextColumn) return c.at(i);
  return type.k === 'boolean' ? c[i] === 1 : c[i] as Value;
}

function writePart(schema: Schema, b: Batch, rows: Int32Array, arena: Arena): Part {
  const n = rows.length;
  const columns = schema.map((f, j) => formOf(f.type, b.cols[j] as Column, b.nulls[j] ?? null, rows));
  const nulls = schema.map((_, j) => b.nulls[j]?.subarray(0, b.length).includes(1) ?? false);
  const at = arena.reserve(columns.reduce((size, c, j) => size + sizeOf(c, n) + (nulls[j] === true ? aligned(n) : 0), aligned(8 * n) + aligned(4 * n)));
  const { shared } = arena;
  let p = at;
  if (b.wm !== null) gather64(b.wm, new Float64Array(shared, p, n), rows);
  p += 8 * n;
  gather32((b.origin as NonNullable<Batch['origin']>).rows, new Int32Array(shared, p, n), rows);
  p += aligned(4 * n);
  columns.forEach((c, j) => {
    const from = b.cols[j] as Column;
    if (c === 'f64' && from instanceof Float64Array) gather64(from, new Float64Array(shared, p, n), rows);
    else if (c === 'f64') gatherWide(from as number[], new Float64Array(shared, p, n), rows);
    else if (c === 'bool') gather8(from as Uint8Array, new Uint8Array(shared, p, n), rows);
    else if ('bytes' in c) gatherText(from as TextColumn, b.nulls[j] ?? null, shared, p, rows);
    p += sizeOf(c, n);
    if (nulls[j] !== true) return;
    gather8(b.nulls[j] as Uint8Array, new Uint8Array(shared, p, n), rows);
    p += aligned(n);
  });
  return { shared, at, length: n, columns, nulls };
}

function formOf(type: Schema[number]['type'], c: Column, nulls: Uint8Array | null, rows: Int32Array): PartColumn {
  switch (reprOf(type)) {
    case 'f64': return 'f64';
    case 'bool': return 'bool';
    case 'text': return { bytes: textSize(c as TextColumn, nulls, rows) };
    default: {
      const values: unknown[] = [];
      // what stands where a NULL is may be anything
      for (const i of rows) values.push(nulls !== null && nulls[i] === 1 ? 0 : (c as unknown[])[i]);
      return values.every(v => typeof v === 'number') ? 'f64' : { values };
    }
  }
}

function sizeOf(c: PartColumn, n: number): number {
  if (c === 'f64') return 8 * n;
  if (c === 'bool') return aligned(n);
  return 'bytes' in c ? aligned(12 * n) + aligned(c.bytes) : 0;
}

function textSize(c: TextColumn, nulls: Uint8Array | null, rows: Int32Array): number {
  let bytes = 0;
  for (const i of rows) if (nulls === null || nulls[i] === 0) bytes += (c.end[i] as number) - (c.start[i] as number);
  return bytes;
}

// one function for each kind of array: the loop over all kinds would be several times slower
function gather64(from: Float64Array, to: Float64Array, rows: Int32Array): void {
  for (let k = 0; k < rows.length; k++) to[k] = from[rows[k] as number] as number;
}

function gather32(from: Int32Array, to: Int32Array, rows: Int32Array): void {
  for (let k = 0; k < rows.length; k++) to[k] = from[rows[k] as number] as number;
}

function gather8(from: Uint8Array, to: Uint8Array, rows: Int32Array): void {
  for (let k = 0; k < rows.length; k++) to[k] = from[rows[k] as number] as number;
}

function gatherWide(from: readonly number[], to: Float64Array, rows: Int32Array): void {
  for (let k = 0; k < rows.length; k++) to[k] = from[rows[k] as number] as number;
}

function gatherText(c: TextColumn, nulls: Uint8Array | null, shared: SharedArrayBuffer, at: number, rows: Int32Array): void {
  const n = rows.length;
  const start = new Int32Array(shared, at, n);
  const end = new Int32Array(shared, at + 4 * n, n);
  const to = new Uint8Array(shared, at + aligned(12 * n));
  const { bytes, start: starts, end: ends } = c;
  if (c.hash !== null) gather32(c.hash, new Int32Array(shared, at + 8 * n, n), rows);
  let p = 0;
  for (let k = 0; k < n; k++) {
    const i = rows[k] as number;
    start[k] = p;
    const until = nulls === null || nulls[i] === 0 ? ends[i] as number : 0;
    for (let q = starts[i] as number; q < until; q++) to[p++] = bytes[q] as number;
    end[k] = p;
  }
}

/** The rows of a part; a text that is the only key has hashes. Valid until the part's memory is used again. */
export function readPart(schema: Schema, part: Part, records: SliceRecords, keys: number): Batch {
  const { shared, length: n, columns } = part;
  let p = part.at;
  const wm = new Float64Array(shared, p, n);
  p += 8 * n;
  const rows = new Int32Array(shared, p, n);
  p += aligned(4 * n);
  const nulls: (Uint8Array | null)[] = [];
  const cols = columns.map((c, j): Column => {
    const at = p;
    p += sizeOf(c, n);
    nulls.push(part.nulls[j] === true ? new Uint8Array(shared, p, n) : null);
    if (part.nulls[j] === true) p += aligned(n);
    if (c === 'f64') return new Float64Array(shared, at, n);
    if (c === 'bool') return new Uint8Array(shared, at, n);
    if ('values' in c) return c.values as unknown[];
    const ints = (k: number): Int32Array => new Int32Array(shared, at + 4 * n * k, n);
    return new TextColumn(Buffer.from(shared as unknown as ArrayBuffer, at + aligned(12 * n), c.bytes), ints(0), ints(1), keys === 1 && j === 0 ? ints(2) : null);
  });
  return newBatch(schema, n, cols, nulls, wm, { records, rows });
}
