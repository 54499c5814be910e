import { RowError } from '../errors.ts';
import { generateAggregate, interpretAggregate, slotsBefore } from '../codegen/aggregate.ts';
import { locator } from '../codegen/locate.ts';
import type { AggregateHost, AggregateLoop } from '../codegen/loop.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { AggregateFn, StateColumn } from '../sql/functions/define.ts';
import type { StateTx } from '../state/store.ts';
import type { TextColumn } from '../sql/values/text-column.ts';
import type { Batch } from './batch.ts';
import { GroupEmitter } from './emit-groups.ts';
import { KeyWriter, NULL_HASH, NULL_KEY, TextEncoder } from './group-key.ts';
import { GroupStore } from './group-store.ts';
import { memoryError } from './context.ts';
import type { DiskBudget, OpenWindows, Operator, OperatorContext, Output } from './operator.ts';
import type { Pane } from './pane.ts';
import { spilledGroups, type SpilledWindow } from './spill-store.ts';

/** Rows pushed on at once when a pane closes. */
const OUT_ROWS = 4096;
/** Bytes of emitted groups that wait to be written back, at most: those of a grouping without a window. */
const KEPT_BYTES = 16 << 20;
/** After so many bytes of a closing window that is on disk there is an epoch: signals and others get their turn, and a crash costs no more. */
const READ_BYTES = 32 << 20;

/** Groups by their keys (group-key.ts), one after the other. */
export interface FoldedGroups {
  readonly hashes: Int32Array;
  readonly ends: Int32Array;
  readonly keys: Buffer;
  readonly state: readonly StateColumn[];
}

/**
 * GROUP BY within windows, or over the whole input when `window` is null. A pane closes, and a row is late for it, when
 * window_end - 1 ms <= watermark. Output: keys, results, then window_start, window_end, window_time.
 *
 * Panes that memory does not hold go to disk (spill-store.ts), those that did not change first. Rows that come for such a window make a
 * new pane, which every epoch appends to what is on disk.
 */
export class AggregateOperator implements Operator, AggregateHost {
  readonly id: string;
  readonly #a: Aggregate;
  readonly #context: OperatorContext;
  readonly #next: Output;
  #loop: AggregateLoop;
  readonly #logging: (() => AggregateLoop) | null;
  readonly #emitter: GroupEmitter;
  readonly #locate: ReturnType<typeof locator>;
  readonly #panes = new Map<number, Pane>();
  /** Calls whose groups hold bytes beyond their slots, with their first slot. */
  readonly #sized: readonly { readonly at: number; readonly bytes: NonNullable<AggregateFn['bytes']> }[];
  readonly #merges: readonly { readonly at: number; readonly merge: NonNullable<AggregateFn['merge']> }[];
  readonly #store: GroupStore;
  readonly key: KeyWriter;
  readonly #texts = new TextEncoder();
  /** The pane that was used last, mostly the one that the next batch is for. */
  #last: Pane | null = null;
  /** Watermark or end of input that waits behind an unfinished close. */
  #waiting: { readonly ms: number; readonly finish: boolean } | null = null;
  #forwarded = -Infinity;
  #logged = false;
  #onDisk = false;
  closed = -Infinity;

  /** `shape` is what its state means; state of another shape is not taken over. */
  constructor(a: Aggregate, shape: string, width: number, context: OperatorContext, next: Output, jit: boolean) {
    this.id = a.id;
    this.#a = a;
    this.#context = context;
    this.#next = next;
    this.#loop = jit ? generateAggregate(a, width).loop : interpretAggregate(a, width);
    this.#logging = jit ? () => generateAggregate(a, width, true).loop : null;
    const exprs = [...(a.filter === null ? [] : [a.filter]), ...a.keys, ...a.calls.flatMap(c => [...(c.filter === null ? [] : [c.filter]), ...c.args])];
    this.#locate = locator(exprs, a.window !== null && 'def' in a.window ? a.window : null, width);
    this.#sized = a.calls.flatMap((c, k) => (c.fn.bytes === undefined ? [] : [{ at: slotsBefore(a.calls, k), bytes: c.fn.bytes }]));
    this.#merges = a.calls.flatMap((c, k) => (c.fn.merge === undefined ? [] : [{ at: slotsBefore(a.calls, k), merge: c.fn.merge }]));
    this.#store = new GroupStore(a, shape, context, bytes => this.#grow(bytes));
    this.#emitter = new GroupEmitter({
      a, next, keys: (pane, g) => this.#store.keys(pane, g), forwarded: () => this.#forwarded,
      failed: (b, error, at) => this.#context.counts.failed(this.id, b, 0, error.code, error.message, at),
    });
    this.key = new KeyWriter(a.keys.length);
  }

  open(): void {
    const saved = this.#context.state.get(this.id, 'closed');
    if (typeof saved === 'number') this.closed = saved;
    const forwarded = this.#context.state.get(this.id, 'forwarded');
    if (typeof forwarded === 'number') this.#forwarded = forwarded;
    this.#store.load((start, end) => this.pane(start, end));
    this.#logValues();
    this.#told(0, 0);
    // a close that was cut goes on, also when no newer record comes
    if (this.closed > this.#forwarded || this.#due(false).length > 0) this.#waiting = { ms: this.closed, finish: false };
    for (const pane of this.#panes.values()) if (pane.extra !== null) this.#weigh(pane, 0);
  }

  push(b: Batch): void {
    this.#loop(b, this);
    const { disk } = this.#context;
    if (disk !== null && disk.used > disk.watch) this.#press(disk, b.length);
  }

  /** Groups of one window whose rows were folded elsewhere, none of them late; `ends` of their keys, `state` in the columns of a pane. */
  merge({ start, end }: { readonly start: number; readonly end: number }, { hashes, ends, keys, state }: FoldedGroups): void {
    const pane = this.pane(start, end);
    let from = 0;
    for (let i = 0; i < hashes.length; i++) {
      const to = ends[i] as number;
      const g = pane.find(keys, from, to, hashes[i] as number);
      if (pane.dirty[g] === 0) pane.touch(g);
      for (const m of this.#merges) m.merge(pane.state, m.at, g, state, i);
      from = to;
    }
  }

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
    for (const end of this.#due(finish)) {
      const spilled = this.#store.spill?.windows.get(end);
      if (!(spilled === undefined ? this.#close(this.#panes.get(end) as Pane) : this.#closeSpilled(spilled))) return false;
    }
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
    this.#spill(tx);
    this.#store.save(tx, this.#panes.values());
    if (this.closed > -Infinity) tx.put(this.id, 'closed', this.closed);
    if (this.#forwarded > -Infinity) tx.put(this.id, 'forwarded', this.#forwarded);
  }

  pane(start: number, end: number): Pane {
    let pane = this.#panes.get(end);
    if (pane === undefined) {
      pane = this.#store.pane(start, end, bytes => this.#grow(bytes, 1));
      this.#panes.set(end, pane);
    }
    this.#last = pane;
    return pane;
  }

  keyText(b: Batch, index: number): TextColumn {
    const keys = this.#texts.hashed(b.cols[index] as TextColumn | string[], b.nulls[index] ?? null, b.length);
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
    for (const end of this.#ends()) if (last === null || end > last) last = end;
    return last;
  }

  /** Ends of the windows that are to close; groups without a window wait for the end of the input, also when `closed` says that there was one before. */
  #due(finish: boolean): number[] { return this.#ends().filter(end => finish || (end !== Infinity && end - 1 <= this.closed)).sort((x, y) => x - y); }

  #ends(): number[] {
    const windows = this.#store.spill?.windows;
    return windows === undefined || windows.size === 0 ? [...this.#panes.keys()] : [...new Set([...this.#panes.keys(), ...windows.keys()])];
  }

  /** Emits what is left of a pane; false when the epoch is full before that. */
  #close(pane: Pane): boolean {
    const total = pane.groups;
    while (pane.emitted < total) {
      if (this.#context.full()) return false;
      const from = pane.emitted;
      const to = Math.min(total, from + OUT_ROWS);
      this.#emitter.emit(pane, from, to);
      pane.emitted = to;
    }
    if (pane.end === Infinity) {
      pane.emitted = 0;
      return true;
    }
    this.#drop(pane);
    this.#store.closed(pane);
    this.#context.closed(pane.end);
    return true;
  }

  #drop(pane: Pane): void {
    this.#panes.delete(pane.end);
    if (this.#last === pane) this.#last = null;
    this.#grow(-pane.bytes - pane.extraBytes);
  }

  /** The same for a window that is on disk, range by range of its keys; its newest rows must be there, too. */
  #closeSpilled(w: SpilledWindow): boolean {
    const spill = this.#store.spill as NonNullable<GroupStore['spill']>;
    const newest = this.#panes.get(w.end);
    if (newest !== undefined && newest.groups > 0) return false;
    if (newest !== undefined) this.#drop(newest);
    let read = 0;
    while (w.next < spill.parts) {
      if (this.#context.full() || spill.kept(w) >= KEPT_BYTES || read >= READ_BYTES) return false;
      const { pane, to, bytes } = spill.nextGroups(w, p => this.#check(p));
      read += bytes;
      let emitted = 0;
      for (let from = 0; from < pane.groups; from += OUT_ROWS) emitted += this.#emitter.emit(pane, from, Math.min(pane.groups, from + OUT_ROWS));
      if (pane.pending !== null && emitted > 0) spill.keep(w, pane, to);
      w.next = to;
    }
    spill.closed(w);
    spill.release();
    if (w.end !== Infinity) this.#context.closed(w.end);
    return true;
  }

  /** One key may have more than memory holds. */
  #check(pane: Pane): void {
    const { disk } = this.#context;
    if (disk === null || this.#sized.length === 0) return;
    let bytes = pane.bytes;
    for (const s of this.#sized) for (let g = 0; g < pane.groups; g++) bytes += s.bytes(pane.state, s.at, g);
    if (bytes > disk.most) throw memoryError(disk.most, this.id, pane.groups);
  }

  /** Asks for an epoch before the panes that another `rows` rows would make grow take more than they may. */
  #press(disk: DiskBudget, rows: number): void {
    let bytes = disk.used;
    for (const pane of this.#panes.values()) bytes += pane.growth(rows);
    if (bytes > disk.limit) disk.pressed = true;
  }

  /** New groups of windows on disk go there; where memory is short more windows follow: those with the fewest changes, and of them those that close last. */
  #spill(tx: StateTx): void {
    const { spill } = this.#store;
    const { disk } = this.#context;
    if (spill === null || disk === null) return;
    const short = disk.pressed || disk.used > disk.limit;
    if (!short && spill.windows.size === 0) return;
    const before = spill.written;
    const held = this.#inMemory();
    for (const pane of [...this.#panes.values()]) {
      if (!spill.windows.has(pane.end)) continue;
      const keep = pane.groups > 0 && !short;
      if (pane.groups > 0) spill.append(tx, pane);
      if (keep) this.#empty(pane);
      else this.#drop(pane);
    }
    if (short) {
      const changed = (p: Pane): number => (p.changes + p.groups - p.saved) / p.groups;
      const panes = [...this.#panes.values()].filter(p => p.emitted === 0 && p.groups > 0).map(pane => ({ pane, changed: changed(pane) })).sort((x, y) => x.changed - y.changed || y.pane.end - x.pane.end);
      for (const { pane } of panes) {
        if (disk.used <= disk.limit / 2) break;
        this.#store.spillPane(tx, pane);
        this.#drop(pane);
      }
      this.#logValues();
    }
    this.#told(spill.written - before, held);
  }

  /** Its memory stays for the rows of the next epoch. */
  #empty(pane: Pane): void {
    this.#grow(-pane.extraBytes);
    pane.reset();
  }

  /** From when on some panes are only the newest part of their window. */
  #logValues(): void {
    const { spill } = this.#store;
    if (this.#logging === null || spill === null || !spill.logs || spill.windows.size === 0 || this.#logged) return;
    this.#loop = this.#logging();
    this.#logged = true;
  }

  /** `held`: groups that were in memory before. */
  #told(written: number, held: number): void {
    const { spill } = this.#store;
    if (spill !== null && (written > 0 || spill.windows.size > 0 || this.#onDisk)) this.#context.disk?.spilled(this.id, held, spill.bytes, written);
    this.#onDisk = (spill?.windows.size ?? 0) > 0;
  }

  keys(): number { return (this.#store.spill?.groups ?? 0) + this.#inMemory(); }

  /** Groups that are not out yet. */
  #inMemory(): number {
    let n = 0;
    for (const pane of this.#panes.values()) n += pane.groups - pane.emitted;
    return n;
  }

  windows(most: number): OpenWindows | null {
    if (this.#a.window === null) return null;
    const ends = this.#due(true);
    const spilled = this.#store.spill?.windows;
    return {
      open: ends.length,
      first: ends.slice(0, most).map(end => {
        const pane = this.#panes.get(end);
        const w = spilled?.get(end);
        return { start: (pane ?? (w as SpilledWindow)).start, end, keys: (pane?.groups ?? 0) - (pane?.emitted ?? 0) + (w === undefined ? 0 : spilledGroups(w)) };
      }),
    };
  }

  /** `more` are the keys that are being added and do not count yet. */
  #grow(bytes: number, more = 0): void { this.#context.memory(this.id, () => this.keys() + more, bytes); }

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
