import { generateAggregate, interpretAggregate } from '../../codegen/aggregate.ts';
import type { AggregateHost, AggregateLoop } from '../../codegen/loop.ts';
import type { Aggregate, PhysicalPlan } from '../../plan/physical.ts';
import type { StateColumn, StateSlot } from '../../sql/functions/define.ts';
import { hashBytes, type TextColumn } from '../../sql/values/text-column.ts';
import type { FoldedGroups } from '../aggregate.ts';
import { newBatch, type Batch } from '../batch.ts';
import { KeyWriter, NULL_HASH, NULL_KEY, ownerOf, TextEncoder } from '../group-key.ts';
import { Pane } from '../pane.ts';
import { aligned, type Arena } from './arena.ts';
import type { Keyed } from './split.ts';

/**
 * Groups of one window in shared memory, folded of the rows of one slice: i32 hashes of their keys[n], i32 ends of the keys[n], the keys
 * (group-key.ts), aligned to 8, and f64[n] for each slot of their aggregates that is a number; those of the others are in `values`.
 */
export interface GroupPart {
  readonly shared: SharedArrayBuffer;
  readonly at: number;
  /** Groups. */
  readonly length: number;
  readonly keyBytes: number;
  readonly start: number;
  readonly end: number;
  /** [n] for each of those slots, in their order. */
  readonly values: readonly (readonly unknown[])[];
}

/** A group of so many rows, on average, is worth more than the rows themselves. */
const WORTH = 4;
/** Slices whose rows cross over one by one after one whose groups were not worth it. */
const APART = 64;

/** Aggregates that merge give the same to the last digit in whatever pieces their rows are folded. */
const combinable = (a: Aggregate): boolean => a.calls.every(c => c.fn.merge !== undefined);

/**
 * Folds the rows of a slice before they cross over to the worker that holds their keys, as databases do that aggregate in two phases: of
 * many rows of a group one crosses. No row may be late for that, which the main thread finds once it knows the slices before.
 */
export class Combiner implements AggregateHost {
  readonly closed = -Infinity;
  readonly key: KeyWriter;
  readonly #loop: AggregateLoop;
  readonly #slots: readonly StateSlot[];
  readonly #count: number;
  readonly #texts = new TextEncoder();
  readonly #filtered: (n: number) => void;
  #panes = new Map<number, Pane>();
  #inTime = new Float64Array(0);
  #rows = 0;
  #failed = false;
  #apart = 0;

  /** For `count` workers; null where rows are to cross one by one. `filtered`: so many rows do not belong to any group. */
  static of({ aggregate, before }: Keyed, count: number, jit: boolean, filtered: (n: number) => void): Combiner | null {
    const [{ schema }] = before.sinks as readonly [PhysicalPlan['sinks'][number]];
    return combinable(aggregate) ? new Combiner(aggregate, schema.length, count, jit, filtered) : null;
  }

  private constructor(a: Aggregate, width: number, count: number, jit: boolean, filtered: (n: number) => void) {
    this.#loop = jit ? generateAggregate(a, width).loop : interpretAggregate(a, width);
    this.#slots = a.calls.flatMap(c => c.fn.state);
    this.#count = count;
    this.#filtered = filtered;
    this.key = new KeyWriter(a.keys.length);
  }

  /** Whether the rows of the next slice are to be folded. */
  next(): boolean {
    if (this.#apart === 0) return true;
    this.#apart--;
    return false;
  }

  /** For some slices they are not. */
  rest(): void { this.#apart = APART; }

  /** Rows as the grouping would have them. */
  push(b: Batch): void {
    if (this.#inTime.length < b.length) this.#inTime = new Float64Array(2 * b.length).fill(-Infinity);
    this.#rows += b.length;
    this.#loop(newBatch(b.schema, b.length, b.cols, b.nulls, this.#inTime, b.origin), this);
  }

  /** The groups by owner, and the ends of their windows; null where a row of them failed. Begins anew. */
  take(arena: Arena): { readonly parts: GroupPart[][]; readonly ends: number[] } | null {
    const used = [...this.#panes.values()].filter(p => p.groups > 0);
    const groups = used.reduce((n, p) => n + p.groups, 0);
    if (this.#failed || groups * WORTH > this.#rows) this.rest();
    const parts = Array.from({ length: this.#count }, (): GroupPart[] => []);
    if (!this.#failed) for (const pane of used) this.#write(pane, arena, parts);
    const taken = this.#failed ? null : { parts, ends: used.map(p => p.end) };
    // the next slice is mostly of the same windows
    this.#panes = new Map(used.map(p => [p.end, p]));
    for (const p of used) p.reset();
    this.#rows = 0;
    this.#failed = false;
    return taken;
  }

  pane(start: number, end: number): Pane {
    const known = this.#panes.get(end);
    if (known !== undefined) return known;
    const made = new Pane(start, end, this.#slots, false, false, () => undefined);
    this.#panes.set(end, made);
    return made;
  }

  keyText(b: Batch, index: number): TextColumn { return this.#texts.hashed(b.cols[index] as TextColumn | string[], b.nulls[index] ?? null, b.length); }

  nullGroup(pane: Pane): number { return pane.find(NULL_KEY, 0, 1, NULL_HASH); }
  late(): never { throw new Error('no row is late before its watermark is known'); }
  filtered(n: number): void {
    this.#rows -= n;
    this.#filtered(n);
  }

  /** The worker that holds its key says of what it fails. */
  failed(): void { this.#failed = true; }

  #write(pane: Pane, arena: Arena, to: readonly GroupPart[][]): void {
    const { keyBytes, keyAt, groups } = pane;
    const hashes = new Int32Array(groups);
    const owned = Array.from({ length: this.#count }, (): number[] => []);
    for (let g = 0; g < groups; g++) {
      const hash = hashBytes(keyBytes, keyAt[g] as number, keyAt[g + 1] as number);
      hashes[g] = hash;
      (owned[ownerOf(hash, this.#count)] as number[]).push(g);
    }
    owned.forEach((list, owner) => { if (list.length > 0) (to[owner] as GroupPart[]).push(this.#writeOwn(pane, hashes, list, arena)); });
  }

  #writeOwn(pane: Pane, hashes: Int32Array, list: readonly number[], arena: Arena): GroupPart {
    const { keyBytes: keys, keyAt, state, start, end } = pane;
    const n = list.length;
    let keyBytes = 0;
    for (const g of list) keyBytes += (keyAt[g + 1] as number) - (keyAt[g] as number);
    const values = this.#slots.flatMap((slot, j) => (slot.repr === 'f64' ? [] : [list.map(g => (state[j] as readonly unknown[])[g])]));
    const at = arena.reserve(aligned(8 * n + keyBytes) + 8 * n * (state.length - values.length));
    const part = { shared: arena.shared, at, length: n, keyBytes, start, end, values };
    const into = openGroups(part, this.#slots);
    let p = 0;
    for (let i = 0; i < n; i++) {
      const g = list[i] as number;
      into.hashes[i] = hashes[g] as number;
      for (let q = keyAt[g] as number; q < (keyAt[g + 1] as number); q++) into.keys[p++] = keys[q] as number;
      into.ends[i] = p;
    }
    state.forEach((column, j) => {
      if (!(column instanceof Float64Array)) return;
      const to = into.state[j] as Float64Array;
      for (let i = 0; i < n; i++) to[i] = column[list[i] as number] as number;
    });
    return part;
  }
}

/** Groups as columns over the memory of a part. */
export function openGroups({ shared, at, length: n, keyBytes, values }: GroupPart, slots: readonly StateSlot[]): FoldedGroups {
  let next = at + aligned(8 * n + keyBytes);
  let other = 0;
  const column = ({ repr }: StateSlot): StateColumn => {
    if (repr !== 'f64') return values[other++] as StateColumn;
    next += 8 * n;
    return new Float64Array(shared, next - 8 * n, n);
  };
  return {
    hashes: new Int32Array(shared, at, n), ends: new Int32Array(shared, at + 4 * n, n), keys: Buffer.from(shared as unknown as ArrayBuffer, at + 8 * n, keyBytes),
    state: slots.map(column),
  };
}
