import { RowError, type Span } from '../errors.ts';
import type { Aggregate } from '../plan/physical.ts';
import { reprOf, type Schema, type Value } from '../sql/types.ts';
import { TextColumn } from '../sql/values/text-column.ts';
import { newBatch, newColumn, perColumn, type Batch, type Column } from './batch.ts';
import { NULL_KEY } from './group-key.ts';
import type { Output } from './operator.ts';
import type { Pane } from './pane.ts';

/** What the emitter of a grouping needs of it. */
export interface EmitParts {
  readonly a: Aggregate;
  readonly next: Output;
  /** Key values of group g. */
  keys(pane: Pane, g: number): (Value | null)[];
  /** The watermark (epoch ms) that holds for the rows. */
  forwarded(): number;
  /** Row 0 of the batch holds a group of which a result failed. */
  failed(b: Batch, error: RowError, at: Span | null): void;
}

/** Pushes the groups of closing panes on. */
export class GroupEmitter {
  readonly #p: EmitParts;

  constructor(p: EmitParts) { this.#p = p; }

  /** Groups [from, to): all of them, or where one pane is emitted more than once those that are pending. Returns how many. */
  emit(pane: Pane, from: number, to: number): number {
    return pane.pending === null && this.#emitAll(pane, from, to) ? to - from : this.#emitEach(pane, from, to);
  }

  /** Column by column; false, and nothing is emitted, when a result fails. */
  #emitAll(pane: Pane, from: number, to: number): boolean {
    const { schema, keys, calls } = this.#p.a;
    const m = to - from;
    const cols = perColumn<Schema[number], Column>(schema, f => newColumn(f.type, m));
    const nulls = perColumn(schema, f => (f.nullable ? new Uint8Array(m) : null));
    let at = 0;
    try {
      for (let j = 0; j < calls.length; j++) {
        const { fn } = calls[j] as (typeof calls)[number];
        const column = cols[keys.length + j] as unknown[];
        const empty = nulls[keys.length + j] as Uint8Array;
        for (let i = 0; i < m; i++) {
          const v = fn.result(pane.state, at, from + i);
          if (v === null) empty[i] = 1;
          else column[i] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
        }
        at += fn.state.length;
      }
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      return false;
    }
    this.#putKeys(pane, from, to, cols, nulls);
    this.#bounds(pane).forEach((t, j) => (cols[keys.length + calls.length + j] as Float64Array).fill(t));
    this.#p.next.push(newBatch(schema, m, cols, nulls, new Float64Array(m).fill(this.#p.forwarded()), null));
    return true;
  }

  #putKeys(pane: Pane, from: number, to: number, cols: Column[], nulls: readonly (Uint8Array | null)[]): void {
    const { keys } = this.#p.a;
    const [first] = keys;
    if (keys.length === 1 && first !== undefined && reprOf(first.type) === 'text') {
      const { keyAt, keyBytes } = pane;
      cols[0] = new TextColumn(keyBytes, keyAt.subarray(from, to), keyAt.subarray(from + 1, to + 1), null);
      const empty = nulls[0];
      if (empty) for (let g = from; g < to; g++) if (keyBytes[keyAt[g] as number] === NULL_KEY[0] && (keyAt[g + 1] as number) > (keyAt[g] as number)) empty[g - from] = 1;
      return;
    }
    for (let g = from; g < to; g++) {
      const values = this.#p.keys(pane, g);
      for (let j = 0; j < values.length; j++) {
        const v = values[j] as Value | null;
        if (v === null) (nulls[j] as Uint8Array)[g - from] = 1;
        else (cols[j] as unknown[])[g - from] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
      }
    }
  }

  #bounds(pane: Pane): readonly number[] { return this.#p.a.window === null ? [] : [pane.start, pane.end, pane.end - 1]; }

  /** One by one, without those that fail. */
  #emitEach(pane: Pane, from: number, to: number): number {
    const { schema, calls } = this.#p.a;
    const rows: (Value | null)[][] = [];
    let emitted = 0;
    for (let g = from; g < to; g++) {
      if (pane.pending !== null && pane.pending[g] === 0) continue;
      emitted++;
      let at = 0;
      try {
        const results = calls.map(({ fn }) => {
          const v = fn.result(pane.state, at, g);
          at += fn.state.length;
          return v;
        });
        rows.push([...this.#p.keys(pane, g), ...results, ...this.#bounds(pane)]);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        this.#failedGroup(pane, g, error);
      }
      if (pane.pending !== null) pane.settle(g);
    }
    if (rows.length > 0) this.#p.next.push(batchOf(schema, rows, new Float64Array(rows.length).fill(this.#p.forwarded())));
    return emitted;
  }

  /** A result that does not fit (SUM overflow): the group is reported with its key and the results that do, the others as NULL. */
  #failedGroup(pane: Pane, g: number, error: RowError): void {
    const { schema, calls } = this.#p.a;
    let at = 0;
    const results = calls.map(c => {
      const from = at;
      at += c.fn.state.length;
      try {
        return c.fn.result(pane.state, from, g);
      } catch {
        return null;
      }
    });
    this.#p.failed(batchOf(schema, [[...this.#p.keys(pane, g), ...results, ...this.#bounds(pane)]]), error, calls[0]?.at ?? null);
  }
}

/** Rows of values as a batch; NULLs are marked in every column. */
function batchOf(schema: Schema, rows: readonly (readonly (Value | null)[])[], wm: Float64Array | null = null): Batch {
  const cols = schema.map((f, j) => {
    const column = newColumn(f.type, rows.length) as unknown[];
    rows.forEach((row, i) => {
      const v = row[j] as Value | null;
      if (v !== null) column[i] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
    });
    return column as unknown as Column;
  });
  const nulls = schema.map((_, j) => (rows.some(row => row[j] === null) ? Uint8Array.from(rows, row => (row[j] === null ? 1 : 0)) : null));
  return newBatch(schema, rows.length, cols, nulls, wm, null);
}
