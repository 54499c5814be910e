import { PipeError } from '../errors.ts';
import { stateColumn, type StateColumn, type StateSlot } from '../sql/functions/define.ts';
import type { RowLog } from './row-log.ts';
import { hashBytes, type TextColumn } from '../sql/values/text-column.ts';

const FIRST_GROUPS = 16;
/** Below so many groups the caches of the processor hold a pane, and looking ahead costs more than it saves. */
const LOOK_AHEAD_GROUPS = 20_000;
/** Largest place that an Int32Array can name. */
const MOST_KEY_BYTES = 0x7fffffff;

/**
 * The groups of one open window: a hash table from key bytes (group-key.ts) to dense group numbers, one column per state slot, and
 * which groups changed since the last epoch. It is the write-back cache of its rows in the state file: a window that opens and
 * closes within one epoch never touches SQLite. Nothing is allocated per group, and the whole is freed when the window closes.
 */
export class Pane {
  readonly start: number;
  readonly end: number;
  /** Number of groups; they are numbered in the order of their making. */
  groups = 0;
  /** Keys of group g: [keyAt[g], keyAt[g + 1]). */
  keyBytes: Buffer = Buffer.allocUnsafeSlow(FIRST_GROUPS * 8);
  keyAt: Int32Array = new Int32Array(FIRST_GROUPS + 1);
  state: StateColumn[];
  /** 1: changed since the last epoch. */
  dirty: Uint8Array = new Uint8Array(FIRST_GROUPS);
  /** Groups that the state file has; those from here on are new, and all of them are to be written. */
  saved = 0;
  /** Changed groups below `saved`, in the order of changing: the first `changes` are in use. */
  changed: Int32Array = new Int32Array(FIRST_GROUPS);
  changes = 0;
  /** Groups that changed since they were last emitted; kept only where one pane is emitted more than once. */
  pending: Uint8Array | null;
  /** Bytes beyond the slots (texts, sets) by group, as of the last epoch; null where no aggregate has any. */
  extra: Float64Array | null;
  extraBytes = 0;
  /** Groups [0, emitted) are out already: the pane is closing. */
  emitted = 0;
  /** How its groups lie in the state file: not at all, as rows, or packed (pane-chunk.ts). */
  stored: 'none' | 'rows' | 'packed' = 'none';
  /** Rows: groups [0, erased) are out of the state file, too. Packed: `emitted` as the state file has it. */
  erased = 0;
  /** Packed: the next piece, and the bytes of all so far. */
  chunks = 0;
  chunkBytes = 0;
  /** Where the pane is only the newest part of its window: the values of aggregates that do not merge. */
  log: RowLog | null = null;
  /** Open addressing with linear probing: hash and group + 1 (0: free) of each place. */
  #table: Int32Array = new Int32Array(4 * FIRST_GROUPS);
  #mask = 2 * FIRST_GROUPS - 1;
  #capacity = FIRST_GROUPS;
  readonly #slots: readonly StateSlot[];
  readonly #grown: (bytes: number) => void;
  /** Nobody wants it, but without it the loads of lookAhead would be left out as useless. */
  seen = 0;

  /** `grown` is told the bytes of memory that are added. */
  constructor(start: number, end: number, slots: readonly StateSlot[], repeats: boolean, extra: boolean, grown: (bytes: number) => void) {
    this.start = start;
    this.end = end;
    this.#slots = slots;
    this.#grown = grown;
    this.state = slots.map(s => stateColumn(s, FIRST_GROUPS));
    this.pending = repeats ? new Uint8Array(FIRST_GROUPS) : null;
    this.extra = extra ? new Float64Array(FIRST_GROUPS) : null;
    grown(this.bytes);
  }

  /** Bytes of memory without `extraBytes`. */
  get bytes(): number {
    return 4 * (this.#table.length + this.keyAt.length + this.changed.length) + this.keyBytes.length + this.#capacity * (1 + 8 * this.#slots.length + (this.pending === null ? 0 : 1) + (this.extra === null ? 0 : 8)) + (this.log?.bytes ?? 0);
  }

  /** Bytes that it will grow by to take `n` more groups. */
  growth(n: number): number {
    const keys = this.keyAt[this.groups] as number;
    const columns = this.groups + n > this.#capacity ? this.bytes - this.keyBytes.length : 0;
    return columns + (keys + (n * keys) / Math.max(1, this.groups) > this.keyBytes.length ? this.keyBytes.length : 0);
  }

  /** The group of key bytes [from, to), made in its initial state if there is none. `hash` is their hashBytes. */
  find(bytes: Uint8Array, from: number, to: number, hash: number): number {
    const table = this.#table;
    const mask = this.#mask;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const g = (table[2 * place + 1] as number) - 1;
      if (g < 0) return this.#add(bytes, from, to, hash, place);
      if (table[2 * place] === hash && this.#has(g, bytes, from, to)) return g;
    }
  }

  /** Groups that come from the state file: their keys one after the other, and where each ends. All of them are new. */
  adopt(keys: Buffer, ends: Int32Array): void {
    let from = 0;
    for (const end of ends) {
      this.find(keys, from, end, hashBytes(keys, from, end));
      from = end;
    }
  }

  /** Marks a group as changed in this epoch. */
  touch(g: number): void {
    this.dirty[g] = 1;
    if (g < this.saved) {
      if (this.changes === this.changed.length) this.#growChanged();
      this.changed[this.changes++] = g;
    }
    if (this.pending !== null) this.pending[g] = 1;
  }

  /** Forgets which groups changed: they are in the transaction. */
  clean(): void {
    for (let i = 0; i < this.changes; i++) this.dirty[this.changed[i] as number] = 0;
    this.dirty.fill(0, this.saved, this.groups);
    this.changes = 0;
    this.saved = this.groups;
  }

  /** Empties it; its memory is used again. */
  reset(): void {
    for (let j = 0; j < this.#slots.length; j++) {
      const [slot, column] = [this.#slots[j] as StateSlot, this.state[j] as StateColumn];
      if (column instanceof Float64Array) column.fill(slot.init() as number, 0, this.groups);
      else column.fill(null, 0, this.groups);
    }
    this.#table.fill(0);
    this.dirty.fill(0, 0, this.groups);
    this.pending?.fill(0, 0, this.groups);
    this.extra?.fill(0, 0, this.groups);
    this.log?.clear();
    this.stored = 'none';
    this.groups = this.saved = this.changes = this.emitted = this.erased = this.extraBytes = 0;
  }

  /** Group g was emitted and is not pending any more, which the state file must learn. */
  settle(g: number): void {
    if (this.dirty[g] === 0) this.touch(g);
    (this.pending as Uint8Array)[g] = 0;
  }

  /**
   * Reads what `find` will want for the first `n` keys. The loads of a pass do not wait for one another, so the processor has many
   * on their way at once; in the loop that follows each row would wait for its own.
   */
  lookAhead(keys: TextColumn, n: number): void {
    if (this.groups < LOOK_AHEAD_GROUPS || keys.hash === null) return;
    const { hash } = keys;
    const { keyAt, keyBytes, dirty } = this;
    const table = this.#table;
    const mask = this.#mask;
    const first = this.state[0] instanceof Float64Array ? this.state[0] : dirty;
    let seen = 0;
    for (let i = 0; i < n; i++) seen += table[2 * ((hash[i] as number) & mask) + 1] as number;
    for (let i = 0; i < n; i++) {
      const g = (table[2 * ((hash[i] as number) & mask) + 1] as number) - 1;
      if (g >= 0) seen += (keyAt[g] as number) + (dirty[g] as number) + ((first[g] as number) > 0 ? 1 : 0);
    }
    for (let i = 0; i < n; i++) {
      const g = (table[2 * ((hash[i] as number) & mask) + 1] as number) - 1;
      if (g >= 0) seen += keyBytes[keyAt[g] as number] as number;
    }
    this.seen = seen | 0;
  }

  #has(g: number, bytes: Uint8Array, from: number, to: number): boolean {
    let p = this.keyAt[g] as number;
    if ((this.keyAt[g + 1] as number) - p !== to - from) return false;
    const own = this.keyBytes;
    for (let q = from; q < to; q++, p++) if (own[p] !== bytes[q]) return false;
    return true;
  }

  #add(bytes: Uint8Array, from: number, to: number, hash: number, free: number): number {
    const g = this.groups;
    let place = free;
    if (g === this.#capacity) {
      this.#grow();
      const mask = this.#mask;
      for (place = hash & mask; this.#table[2 * place + 1] !== 0; ) place = (place + 1) & mask;
    }
    const at = this.keyAt[g] as number;
    const end = at + to - from;
    if (end > this.keyBytes.length) this.#growKeys(end);
    const own = this.keyBytes;
    for (let p = at, q = from; q < to; p++, q++) own[p] = bytes[q] as number;
    this.keyAt[g + 1] = end;
    this.#table[2 * place] = hash;
    this.#table[2 * place + 1] = g + 1;
    this.groups = g + 1;
    for (let j = 0; j < this.#slots.length; j++) {
      const slot = this.#slots[j] as StateSlot;
      if (slot.repr === 'any') (this.state[j] as unknown[])[g] = slot.init();
    }
    return g;
  }

  #grow(): void {
    const before = this.bytes;
    const capacity = 2 * this.#capacity;
    this.state = this.state.map((column, j) => {
      if (!(column instanceof Float64Array)) return column;
      const bigger = stateColumn(this.#slots[j] as StateSlot, capacity) as Float64Array;
      bigger.set(column);
      return bigger;
    });
    this.keyAt = larger(this.keyAt, capacity + 1);
    this.dirty = larger(this.dirty, capacity);
    if (this.pending !== null) this.pending = larger(this.pending, capacity);
    if (this.extra !== null) this.extra = larger(this.extra, capacity);
    this.#capacity = capacity;
    this.#rehash(2 * capacity);
    this.#grown(this.bytes - before);
  }

  #growChanged(): void {
    this.#grown(4 * this.changes);
    this.changed = larger(this.changed, 2 * this.changes);
  }

  #rehash(places: number): void {
    const old = this.#table;
    const table = new Int32Array(2 * places);
    const mask = places - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let place = (old[i] as number) & mask;
      while (table[2 * place + 1] !== 0) place = (place + 1) & mask;
      table[2 * place] = old[i] as number;
      table[2 * place + 1] = old[i + 1] as number;
    }
    this.#table = table;
    this.#mask = mask;
  }

  #growKeys(needed: number): void {
    if (needed > MOST_KEY_BYTES) throw new PipeError('system.resource.memory', 'the keys of one window take more than 2 GB', { hint: 'group by shorter keys or use shorter windows; nothing that was committed is lost' });
    const bigger = Buffer.allocUnsafeSlow(Math.min(MOST_KEY_BYTES, Math.max(2 * this.keyBytes.length, needed)));
    this.keyBytes.copy(bigger);
    this.#grown(bigger.length - this.keyBytes.length);
    this.keyBytes = bigger;
  }
}

function larger<T extends Int32Array | Uint8Array | Float64Array>(from: T, length: number): T {
  const to = new (from.constructor as new (n: number) => T)(length);
  to.set(from);
  return to;
}
