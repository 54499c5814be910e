import type { Batch, Column } from '../engine/batch.ts';
import { plainColumn, type TextColumn } from '../sql/values/text-column.ts';
import type { KeyWriter } from '../engine/group-key.ts';
import type { Pane } from '../engine/pane.ts';
import type { Writer } from './writer.ts';

/** What the loop of a stateless stage calls back. Output arrays hold at least `capacity` rows. */
export interface StageHost {
  readonly out: readonly Column[];
  /** A map for each nullable output column. */
  readonly outNulls: readonly (Uint8Array | null)[];
  /** Input row of each output row. */
  readonly rows: Int32Array;
  readonly capacity: number;
  /** Pushes output rows [0, m) on. */
  emit(b: Batch, m: number): void;
  filtered(n: number): void;
  /** Reports a RowError of row i; throws everything else on. */
  failed(b: Batch, i: number, error: unknown): void;
}
export type StageLoop = (b: Batch, host: StageHost) => void;

/** What the loop of a grouping operator calls back. */
export interface AggregateHost {
  /** Watermark (ms) up to which panes are closed for good. */
  readonly closed: number;
  pane(start: number, end: number): Pane;
  /** For the keys of one row. */
  readonly key: KeyWriter;
  /** Column `index`, a text that is the only key, as bytes with hashes. */
  keyText(b: Batch, index: number): TextColumn;
  /** The group of NULL, where there is one key. */
  nullGroup(pane: Pane): number;
  late(b: Batch, i: number): void;
  filtered(n: number): void;
  failed(b: Batch, i: number, error: unknown): void;
}
export type AggregateLoop = (b: Batch, host: AggregateHost) => void;

/** Declares, before all else, columns of batch `b` as `c0..`, texts as strings, and their null maps as `n0..`. */
export function declareColumns(w: Writer, columns: readonly number[]): void {
  const plain = w.bind(plainColumn);
  w.first(columns.map(j => `const c${j} = ${plain}(b.cols[${j}], b.length), n${j} = b.nulls[${j}];`));
}

/** A loop over the rows of `b` that goes on behind a row that failed; the try block costs nothing per row. */
export function rowLoop(w: Writer, body: () => void): void {
  w.line('let i = 0; const n = b.length;');
  w.line('for (;;) { try { for (; i < n; i++) {');
  body();
  w.line('} break; } catch (error) { h.failed(b, i, error); i++; } }');
}
