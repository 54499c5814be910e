import { RowError } from '../errors.ts';
import { generateAggregate, interpretAggregate, slotsBefore } from '../codegen/aggregate.ts';
import { locator } from '../codegen/locate.ts';
import type { AggregateHost, AggregateLoop } from '../codegen/loop.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { AggregateFn } from '../sql/functions/define.ts';
import type { Value } from '../sql/types.ts';
import type { StateTx } from '../state/store.ts';
import { newColumn, type Batch, type Column } from './batch.ts';
import { GroupStore } from './group-store.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';
import { Pane } from './pane.ts';

/** Rows pushed on at once when a pane closes. */
const OUT_ROWS = 4096;
/** Map entry, key value and bookkeeping of one group, beside its slots; measured on short keys. */
const GROUP_BYTES = 96;

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
  readonly #groupBytes: number;
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
    this.#store = new GroupStore(a, shape, context.state);
    this.#groupBytes = GROUP_BYTES + 8 * (this.#store.slots.length + a.keys.length);
  }

  open(): void {
    const saved = this.#context.state.get(this.id, 'closed');
    if (typeof saved === 'number') this.closed = saved;
    const forwarded = this.#context.state.get(this.id, 'forwarded');
    if (typeof forwarded === 'number') this.#forwarded = forwarded;
    this.#store.load((start, end) => this.pane(start, end));
    // a close that was cut goes on, also when no newer record comes
    if (this.closed > this.#forwarded || this.#due(false).length > 0) this.#waiting = { ms: this.closed, finish: false };
    for (const pane of this.#panes.values()) if (pane.extra !== null) this.#weigh(pane, pane.index.values());
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
    for (const pane of this.#panes.values()) if (pane.extra !== null) this.#weigh(pane, pane.changed);
    this.#store.save(tx, this.#panes.values());
    if (this.closed > -Infinity) tx.put(this.id, 'closed', this.closed);
    if (this.#forwarded > -Infinity) tx.put(this.id, 'forwarded', this.#forwarded);
  }

  pane(start: number, end: number): Pane {
    let pane = this.#panes.get(end);
    if (pane === undefined) {
      const made: Pane = new Pane(start, end, this.#a.keys.length, this.#store.slots, this.#a.window === null, this.#sized.length > 0, added => this.#keysGrew(made, added));
      this.#panes.set(end, (pane = made));
      this.#grow(16);
    }
    return pane;
  }

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
    this.#grow(-pane.dirty.length, -pane.extraBytes - pane.reportedKeyBytes);
    this.#store.closed(pane);
    return true;
  }

  #emit(pane: Pane, from: number, to: number): void {
    const { schema, keys, calls, window } = this.#a;
    const cols: Column[] = schema.map(f => newColumn(f.type, to - from));
    const nulls: (Uint8Array | null)[] = schema.map(f => (f.nullable ? new Uint8Array(to - from) : null));
    const put = (j: number, m: number, v: Value | null): void => {
      if (v === null) (nulls[j] as Uint8Array)[m] = 1;
      else (cols[j] as unknown[])[m] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
      if (v !== null && nulls[j] !== null) (nulls[j] as Uint8Array)[m] = 0;
    };
    let m = 0;
    for (let g = from; g < to; g++) {
      if (pane.pending !== null && pane.pending[g] === 0) continue;
      keys.forEach((_, j) => put(j, m, (pane.keys[j] as (Value | null)[])[g] as Value | null));
      if (window !== null) [pane.start, pane.end, pane.end - 1].forEach((t, j) => put(keys.length + calls.length + j, m, t));
      let at = 0;
      try {
        for (let j = 0; j < calls.length; j++) {
          const { fn } = calls[j] as (typeof calls)[number];
          put(keys.length + j, m, fn.result(pane.state, at, g));
          at += fn.state.length;
        }
        m++;
        if (pane.pending !== null) pane.settle(g);
      } catch (error) {
        if (!(error instanceof RowError)) throw error;
        this.#failedGroup(pane, g, error);
        if (pane.pending !== null) pane.settle(g);
      }
    }
    if (m === 0) return;
    const wm = new Float64Array(m).fill(this.#forwarded);
    this.#next.push({ schema, length: m, cols, nulls, wm, origin: null });
  }

  /** A result that does not fit (SUM overflow): the group is reported with its key and the results that do, the others as NULL. */
  #failedGroup(pane: Pane, g: number, error: RowError): void {
    const { schema, keys, calls, window } = this.#a;
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
    const values = [...keys.map((_, j) => (pane.keys[j] as (Value | null)[])[g] as Value | null), ...results, ...(window === null ? [] : [pane.start, pane.end, pane.end - 1])];
    const cols = schema.map((f, j) => {
      const column = newColumn(f.type, 1) as unknown[];
      const v = values[j] as Value | null;
      if (v !== null) column[0] = typeof v === 'boolean' ? (v ? 1 : 0) : v;
      return column as unknown as Column;
    });
    const nulls = values.map(v => (v === null ? new Uint8Array([1]) : null));
    this.#context.counts.failed(this.id, { schema, length: 1, cols, nulls, wm: null, origin: null }, 0, error.code, error.message, calls[0]?.at ?? null);
  }

  keys(): number {
    let n = 0;
    for (const pane of this.#panes.values()) n += pane.groups - pane.emitted;
    return n;
  }

  #keysGrew(pane: Pane, added: number): void {
    const bytes = pane.keyBytes - pane.reportedKeyBytes;
    pane.reportedKeyBytes = pane.keyBytes;
    this.#grow(added, bytes);
  }

  /** `groups` of room and `bytes` beside them, more or less than before. */
  #grow(groups: number, bytes = 0): void {
    this.#context.memory(this.id, this.keys(), bytes + groups * this.#groupBytes);
  }

  /** Texts and sets of the groups that changed, weighed once an epoch. */
  #weigh(pane: Pane, groups: Iterable<number>): void {
    const extra = pane.extra as Float64Array;
    const before = pane.extraBytes;
    for (const g of groups) {
      let bytes = 0;
      for (const s of this.#sized) bytes += s.bytes(pane.state, s.at, g);
      pane.extraBytes += bytes - (extra[g] as number);
      extra[g] = bytes;
    }
    if (pane.extraBytes !== before) this.#grow(0, pane.extraBytes - before);
  }
}
