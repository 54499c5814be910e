import { stateColumn, type StateColumn, type StateSlot } from '../sql/functions/define.ts';
import type { Value } from '../sql/types.ts';

/**
 * The groups of one open window: key to dense group number, the key values, one column per state slot, and which groups
 * changed since the last epoch. It is the write-back cache of its rows in the state file: a window that opens and closes
 * within one epoch never touches SQLite.
 */
export class Pane {
  readonly start: number;
  readonly end: number;
  readonly index = new Map<Value | null, number>();
  /** Key values by key column, then by group. */
  readonly keys: (Value | null)[][];
  state: StateColumn[];
  dirty: Uint8Array;
  /** Groups marked in `dirty`, in the order of marking. */
  changed: number[] = [];
  /** Groups that changed since they were last emitted; kept only where one pane is emitted more than once. */
  pending: Uint8Array | null;
  /** Bytes beyond the slots (texts, sets) by group, as of the last epoch; null where no aggregate has any. */
  extra: Float64Array | null;
  extraBytes = 0;
  /** True when the state file holds rows of this pane. */
  persisted = false;
  /** Bytes of text keys; what `grown` was told of them. */
  keyBytes = 0;
  reportedKeyBytes = 0;
  /** Groups [0, emitted) are out already: the pane is closing. */
  emitted = 0;
  /** Groups [0, erased) are out of the state file, too. */
  erased = 0;
  readonly #slots: readonly StateSlot[];
  readonly #grown: (added: number) => void;

  /** `grown` is told how many groups of room are added; the bytes of keys are in `keyBytes` then. */
  constructor(start: number, end: number, keys: number, slots: readonly StateSlot[], repeats: boolean, extra: boolean, grown: (added: number) => void) {
    this.start = start;
    this.end = end;
    this.keys = Array.from({ length: keys }, () => []);
    this.#slots = slots;
    this.#grown = grown;
    this.state = slots.map(s => stateColumn(s, 16));
    this.dirty = new Uint8Array(16);
    this.pending = repeats ? new Uint8Array(16) : null;
    this.extra = extra ? new Float64Array(16) : null;
  }

  get groups(): number { return this.index.size; }

  /** A new group in its initial state. */
  add(key: Value | null, values: readonly (Value | null)[]): number {
    const g = this.index.size;
    if (g === this.dirty.length) this.#grow();
    this.index.set(key, g);
    if (typeof key === 'string') this.keyBytes += key.length;
    for (let j = 0; j < values.length; j++) {
      const v = values[j] as Value | null;
      (this.keys[j] as (Value | null)[])[g] = v;
      // of a single key the map has the same text
      if (typeof v === 'string' && values.length > 1) this.keyBytes += v.length;
    }
    for (let j = 0; j < this.#slots.length; j++) {
      const slot = this.#slots[j] as StateSlot;
      if (slot.repr === 'any') (this.state[j] as unknown[])[g] = slot.init();
    }
    return g;
  }

  /** Marks a group as changed in this epoch. */
  touch(g: number): void {
    this.dirty[g] = 1;
    this.changed.push(g);
    if (this.pending !== null) this.pending[g] = 1;
  }

  /** Forgets which groups changed: they are in the transaction. */
  clean(): void {
    for (const g of this.changed) this.dirty[g] = 0;
    this.changed = [];
  }

  /** Group g was emitted and is not pending any more, which the state file must learn. */
  settle(g: number): void {
    (this.pending as Uint8Array)[g] = 0;
    if (this.dirty[g] === 1) return;
    this.dirty[g] = 1;
    this.changed.push(g);
  }

  #grow(): void {
    const capacity = this.dirty.length * 2;
    this.#grown(capacity - this.dirty.length);
    this.state = this.state.map((column, j) => {
      if (!(column instanceof Float64Array)) return column;
      const bigger = stateColumn(this.#slots[j] as StateSlot, capacity) as Float64Array;
      bigger.set(column);
      return bigger;
    });
    this.dirty = bigger(this.dirty, capacity);
    if (this.pending !== null) this.pending = bigger(this.pending, capacity);
    if (this.extra !== null) {
      const extra = new Float64Array(capacity);
      extra.set(this.extra);
      this.extra = extra;
    }
  }
}

function bigger(from: Uint8Array, capacity: number): Uint8Array {
  const to = new Uint8Array(capacity);
  to.set(from);
  return to;
}
