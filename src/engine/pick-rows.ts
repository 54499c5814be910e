import { TextColumn } from '../sql/values/text-column.ts';
import { newBatch, perColumn, type Batch, type Column } from './batch.ts';

/** A copy of `b` without some of its rows (ascending). */
export function withoutRows(b: Batch, removed: readonly number[]): Batch {
  const keep = new Int32Array(b.length - removed.length);
  let next = 0;
  let m = 0;
  for (let i = 0; i < b.length; i++) {
    if (removed[next] === i) next++;
    else keep[m++] = i;
  }
  return newBatch(
    b.schema, m, perColumn(b.cols, c => (c instanceof TextColumn ? c.pick(keep) : pick(c, keep))), perColumn(b.nulls, c => (c === null ? null : pick(c, keep))),
    b.wm === null ? null : pick(b.wm, keep), b.origin === null ? null : { records: b.origin.records, rows: pick(b.origin.rows, keep) },
  );
}

function pick<T extends Exclude<Column, TextColumn> | Int32Array>(from: T, keep: Int32Array): T {
  const to = (Array.isArray(from) ? new Array(keep.length) : new (from.constructor as new (n: number) => Float64Array)(keep.length)) as T;
  for (let k = 0; k < keep.length; k++) to[k] = from[keep[k] as number] as never;
  return to;
}
