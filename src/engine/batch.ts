import type { RecordBatch } from './records.ts';
import { reprOf, type Schema, type SqlType } from '../sql/types.ts';
import type { TextColumn } from '../sql/values/text-column.ts';

/** Float64Array for repr f64, Uint8Array (0, 1) for bool, plain array for wide, text and bytes; text that only passes through or is grouped by may stay bytes. */
export type Column = Float64Array | Uint8Array | unknown[] | TextColumn;

/** Which record each row came from, for dead letters: row i is record `rows[i]` of `records`. */
export interface Origin {
  readonly records: RecordBatch;
  readonly rows: Int32Array;
}

/**
 * Rows [0, length) in columns; columns may be longer than `length`. Immutable after push; a consumer keeps no reference
 * to it past the call, because producers may reuse the arrays.
 */
export interface Batch {
  readonly schema: Schema;
  readonly length: number;
  readonly cols: readonly Column[];
  /** nulls[c][i] === 1 when row i of column c is NULL; null when the column has none. The column's value there is unspecified. */
  readonly nulls: readonly (Uint8Array | null)[];
  /**
   * Watermark (epoch ms) in force just before each row, -Infinity before the first; null where the pipeline has no event time.
   * A row is late for a window when window_end - 1 <= wm[i]: so results do not depend on batch sizes.
   */
  readonly wm: Float64Array | null;
  readonly origin: Origin | null;
}

/** All batches are made here: of one shape, on which hot loops rely. */
export const newBatch = (schema: Schema, length: number, cols: readonly Column[], nulls: Batch['nulls'], wm: Float64Array | null, origin: Origin | null): Batch => ({ schema, length, cols, nulls, wm, origin });

/**
 * One value for each of `list`, as columns of a batch. Not Array.map, whose result V8 makes as an array of another kind once it is
 * compiled: then every loop over columns would be thrown away and compiled again.
 */
export function perColumn<T, U>(list: readonly T[], make: (x: T, j: number) => U): U[] {
  const made: U[] = [];
  for (let j = 0; j < list.length; j++) made.push(make(list[j] as T, j));
  return made;
}

/** A new column for `capacity` values of a type. */
export function newColumn(type: SqlType, capacity: number): Exclude<Column, TextColumn> {
  switch (reprOf(type)) {
    case 'f64': return new Float64Array(capacity);
    case 'bool': return new Uint8Array(capacity);
    default: return new Array(capacity);
  }
}
