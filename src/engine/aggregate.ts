import { RowError } from '../errors.ts';
import { generateAggregate, interpretAggregate, slotsBefore } from '../codegen/aggregate.ts';
import { locator } from '../codegen/locate.ts';
import type { AggregateHost, AggregateLoop } from '../codegen/loop.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { AggregateFn } from '../sql/functions/define.ts';
import { reprOf, type Schema, type Value } from '../sql/types.ts';
import type { StateTx } from '../state/store.ts';
import { plainColumn, TextColumn } from '../sql/values/text-column.ts';
import { newColumn, type Batch, type Column } from './batch.ts';
import { KeyWriter, NULL_HASH, NULL_KEY, TextEncoder } from './group-key.ts';
import { GroupStore } from './group-store.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';
import { Pane } from './pane.ts';

/** Rows pushed on at once when a pane closes. */
const OUT_ROWS = 4096;

/**
 * GROUP BY within windows, or over the whole input when `window` is null. A pane closes, and a row is late for it, when
 * window_end - 1 ms <= watermark. Output: keys, results, then window_start, window_end, window_time.
 */
export class AggregateOperator implements Operator, AggregateHost {
  readonly id: string;
  readonly #a: Aggregate;
  readonly #context: OperatorContext;
  readonly #next: Output;
  readonly #loop: AggregateLoop;
  readonly #locate: ReturnType<typeof locator>;
  readonly #panes = new Map<number, Pane>();
  /** Calls whose groups hold bytes beyond their slots, with their first slot. */
  readonly #sized: readonly { readonly at: number; readonly bytes: NonNullable<AggregateFn['bytes']> }[];
  readonly #store: GroupStore;
  readonly key: KeyWriter;
  readonly #texts = new TextEncoder();
  /** The pane that was used last, mostly the one that the next batch is for. */
  #last: Pane | null = null;
  /** Watermark or end of input that waits behind an unfinished close. */
  #waiting: { readonly ms: number; readonly finish: boolean } | null = null;
  #forwarded = -Infinity;
  closed = -Infinity;

  /** `shape` is what its state means; state of another shape is not taken over. */
  constructor(a: Aggregate, shape: string, width: number, context: OperatorContext, next: Output, jit: boolean) {
    this.id = a.id;
    this.#a = a;
    this.#context = context;
    this.#next = next;
    this.#loop = jit ? generateAggregate(a, width).loop : interpretAggregate(a, width);
    const exprs = [...(a.filter === null ? [] : [a.filter]), ...a.keys, ...a.calls.flatMap(c => [...(c.filter === null ? [] : [c.filter]), ...c.args])];
    this.#locate = locator(exprs, a.window !== null && 'def' in a.window ? a.window : null, width);
    this.#sized = a.calls.flatMap((c, k) => (c.fn.bytes === undefined ? [] : [{ at: slotsBefore(a.calls, k), bytes: c.fn.bytes }]));
    this.#store = new GroupStore(a, shape, context);
    this.key = new KeyWriter(a.keys.length);
  }

  open(): void {
    const saved = this.#context.state.get(this.id, 'closed');
    if (typeof saved === 'number') this.closed = saved;
    const forwarded = this.#context.state.get(this.id, 'forwarded');
    if (typeof forwarded === 'number') this.#forwarded = forwarded;
    this.#store.load((start, end) => this.pane(start, end));
    // a close that was cut goes on, also when no newer record comes
    if (this.closed > this.#forwarded || this.#due(false).length > 0) this.#waiting = { ms: this.closed, finish: false };
    for (const pane of this.#panes.values()) if (pane.extra !== null) this.#weigh(pane, 0);
  }

  push(b: Batch): void { this.#loop(b, this); }

  watermark(ms: number): void {
    if (ms > this.closed) this.closed = ms;
    this.#waiting = { ms, finish: false };
    this.resume();
  }

  /** Every pane closes; event time stands at the end of the last one, so that later windows go on. */
  finish(): void {
    const last = this.#lastEnd();
    if (last !== null && last - 1 > this.closed) this.closed = last - 1;
    this.#waiting = { ms: this.closed, finish: true };
    this.resume();
  }

  resume(): boolean {
    if (this.#waiting === null) return true;
    const { ms, finish } = this.#waiting;
    for (const pane of this.#due(finish)) if (!this.#close(pane)) return false;
    this.#waiting = null;
    if (ms > this.#forwarded) { this.#forwarded = ms; this.#next.watermark(ms); }
    if (finish) this.#next.finish();
    return true;
  }

  lastOpenEnd(): number | null {
    const end = this.#lastEnd();
    return end === Infinity ? null : end;
  }

  snapshot(tx: StateTx): void {
    for (const pane of this.#panes.values()) if (pane.extra !== null) this.#weigh(pane, pane.saved);
    this.#store.save(tx, this.#panes.values());
    if (this.closed > -Infinity) tx.put(this.id, 'closed', this.closed);
    if (this.#forwarded > -Infinity) tx.put(this.id, 'forwarded', this.#forwarded);
  }

  pane(start: number, end: number): Pane {
    let pane = this.#panes.get(end);
    if (pane === undefined) {
      pane = new Pane(start, end, this.#store.slots, this.#a.window === null, this.#sized.length > 0, bytes => this.#grow(bytes, 1));
      this.#panes.set(end, pane);
    }
    this.#last = pane;
    return pane;
  }

  keyText(b: Batch, index: number): TextColumn {
    const column = b.cols[index] as TextColumn | string[];
    const keys = column instanceof TextColumn && column.hash !== null ? column : this.#texts.column(plainColumn(column, b.length), b.nulls[index] ?? null, b.length);
    this.#last?.lookAhead(keys, b.length);
    return keys;
  }

  nullGroup(pane: Pane): number { return pane.find(NULL_KEY, 0, 1, NULL_HASH); }

  late(b: Batch, i: number): void { this.#context.counts.late(this.id, b, i); }

  filtered(n: number): void {
    if (this.#a.overRecords) this.#context.counts.filtered(this.id, n);
  }

  failed(b: Batch, i: number, error: unknown): void {
    if (!(error instanceof RowError)) throw error;
    const { code, message, at } = this.#locate(b, i, error);
    this.#context.counts.failed(this.id, b, i, code, message, at);
  }

  #lastEnd(): number | null {
    let last: number | null = null;
    for (const end of this.#panes.keys()) if (last === null || end > last) last = end;
    return last;
  }

  #due(finish: boolean): Pane[] {
    return [...this.#panes.values()].filter(p => finish || p.end - 1 <= this.closed).sort((x, y) => x.end - y.end);
  }

  /** Emits what is left of a pane; false when the epoch is full before that. */
  #close(pane: Pane): boolean {
    const total = pane.groups;
    while (pane.emitted < total) {
      if (this.#context.full()) return false;
      const from = pane.emitted;
      const to = Math.min(total, from + OUT_ROWS);
      this.#emit(pane, from, to);
      pane.emitted = to;
    }
    if (pane.end === Infinity) {
      pane.emitted = 0;
      return true;
    }
    this.#panes.delete(pane.end);
    if (this.#last === pane) this.#last = null;
    this.#grow(-pane.bytes - pane.extraBytes);
    this.#store.closed(pane);
    return true;
  }

  #emit(pane: Pane, from: number, to: number): void {
    if (pane.pending === null && this.#emitAll(pane, from, to)) return;
    this.#emitEach(pane, from, to);
  }

  /** Groups [from, to) column by column; false, and nothing is emitted, when a result fails. */
  #emitAll(pane: Pane, from: number, to: number): boolean {
    const { schema, keys, calls } = this.#a;
    const m = to - from;
    const cols: Column[] = schema.map(f => newColumn(f.type, m));
    const nulls: (Uint8Array | null)[] = schema.map(f => (f.nullable ? new Uint8Array(m) : null));
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
    this.#next.push({ schema, length: m, cols, nulls, wm: new Float64Array(m).fill(this.#forwarded), origin: null });
    return true;
  }

  #putKeys(pane: Pane, from: number, to: number, cols: Column[], nulls: readonly (Uint8Array | null)[]): void {
    const { keys } = this.#a;
    const [first] = keys;
    if (keys.length === 1 && first !== undefined && reprOf(first.type) === 'text') {
      const { keyAt, keyBytes } = pane;
      cols[0] = new TextColumn(keyBytes, keyAt.subarray(from, to), keyAt.subarray(from + 1, to + 1), null);
      const empty = nulls[0];
      if (empty) for (let g = from; g < to; g++) if (keyBytes[keyAt[g] as number] === NULL_KEY[0] && (keyAt[g + 1] as number) > (keyAt[g] as number)) empty[g - from] = 1;
      return;
    }
    for (let g = from; g < to; g++) {
      const values = this.#store.keys(pane, g);
      for (let j = 0; j < values.length; j++) {
        const v = values[j] as Value | null;
        if (v === null) (nulls[j] as Uint8Array)[g - from] = 1;
        else (cols[j] as unknown[])[g - from] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
      }
    }
  }

  #bounds(pane: Pane): readonly number[] { return this.#a.window === null ? [] : [pane.start, pane.end, pane.end - 1]; }

  /** Groups [from, to) one by one: those that are pending, where one pane is emitted more than once, and without those that fail. */
  #emitEach(pane: Pane, from: number, to: number): void {
    const { schema, calls } = this.#a;
    const rows: (Value | null)[][] = [];
    for (let g = from; g < to; g++) {
      if (pane.pending !== null && pane.pending[g] === 0) continue;
      let at = 0;
      try {
        const results = calls.map(({ fn }) => {
          const v = fn.result(pane.state, at, g);
          at += fn.state.length;
          return v;
        });
        rows.push([...this.#store.keys(pane, g), ...results, ...this.#bounds(pane)]);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        this.#failedGroup(pane, g, error);
      }
      if (pane.pending !== null) pane.settle(g);
    }
    if (rows.length > 0) this.#next.push({ ...batchOf(schema, rows), wm: new Float64Array(rows.length).fill(this.#forwarded) });
  }

  /** A result that does not fit (SUM overflow): the group is reported with its key and the results that do, the others as NULL. */
  #failedGroup(pane: Pane, g: number, error: RowError): void {
    const { schema, calls } = this.#a;
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
    const row = [...this.#store.keys(pane, g), ...results, ...this.#bounds(pane)];
    this.#context.counts.failed(this.id, batchOf(schema, [row]), 0, error.code, error.message, calls[0]?.at ?? null);
  }

  keys(): number {
    let n = 0;
    for (const pane of this.#panes.values()) n += pane.groups - pane.emitted;
    return n;
  }

  /** `more` are the keys that are being added and do not count yet. */
  #grow(bytes: number, more = 0): void { this.#context.memory(this.id, this.keys() + more, bytes); }

  /** Texts and sets of the groups that changed and of those from `first` on, weighed once an epoch. */
  #weigh(pane: Pane, first: number): void {
    const extra = pane.extra as Float64Array;
    const before = pane.extraBytes;
    const weigh = (g: number): void => {
      let bytes = 0;
      for (const s of this.#sized) bytes += s.bytes(pane.state, s.at, g);
      pane.extraBytes += bytes - (extra[g] as number);
      extra[g] = bytes;
    };
    for (let i = 0; i < pane.changes; i++) weigh(pane.changed[i] as number);
    for (let g = first; g < pane.groups; g++) weigh(g);
    if (pane.extraBytes !== before) this.#grow(pane.extraBytes - before);
  }
}

/** Rows of values as a batch; NULLs are marked in every column. */
function batchOf(schema: Schema, rows: readonly (readonly (Value | null)[])[]): Batch {
  const cols = schema.map((f, j) => {
    const column = newColumn(f.type, rows.length) as unknown[];
    rows.forEach((row, i) => {
      const v = row[j] as Value | null;
      if (v !== null) column[i] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
    });
    return column as unknown as Column;
  });
  const nulls = schema.map((_, j) => (rows.some(row => row[j] === null) ? Uint8Array.from(rows, row => (row[j] === null ? 1 : 0)) : null));
  return { schema, length: rows.length, cols, nulls, wm: null, origin: null };
}
