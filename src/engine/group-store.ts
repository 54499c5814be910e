import { PipeError } from '../errors.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import type { SqlType, Value } from '../sql/types.ts';
import { OTHER_SQL, type SqlValue, type StateStore, type StateTable, type StateTx } from '../state/store.ts';
import { KeyWriter } from './group-key.ts';
import { GroupRows } from './group-rows.ts';
import { groupTable, type KeyColumn } from './group-table.ts';
import { chunkStart, packChunk, unpackChunk } from './pane-chunk.ts';
import type { Pane } from './pane.ts';

/** Panes of at least so many groups are packed: below it rows, which any SQLite tool reads, are cheap enough. */
export const PACK_GROUPS = 16_384;
/** Groups of one piece of a pane that is written as a whole. */
const CHUNK_GROUPS = 1 << 20;
/** A pane is written anew when its pieces take so many times what it would. */
const GARBAGE = 2;
const NONE = new Int32Array(0);

const same = (v: unknown): unknown => v;

/**
 * The panes of one grouping in the state file: read once at start, written behind at each epoch, only the groups that changed. Small
 * panes are rows of a table with a column for each key and slot; large ones are packed pieces (pane-chunk.ts).
 */
export class GroupStore {
  readonly #rows: GroupRows;
  readonly #id: string;
  readonly #windowed: boolean;
  readonly #shape: string;
  readonly #state: StateStore;
  readonly #table: StateTable;
  readonly #packFrom: number;
  /** Columns before the keys. */
  readonly #lead: number;
  /** Closed panes that are still in the state file. */
  #erase: Pane[] = [];
  #savedShape: string | null = null;

  /** `shape` is what the state means; state of another shape is not taken over. Throws system.state.incompatible. */
  constructor(a: Aggregate, shape: string, state: StateStore, packFrom: number) {
    this.#id = a.id;
    this.#windowed = a.window !== null;
    this.#shape = shape;
    this.#state = state;
    this.#packFrom = packFrom;
    this.#rows = new GroupRows(a);
    this.#table = state.table(groupTable(a));
    this.#lead = this.#table.spec.key - a.keys.length;
  }

  get slots(): readonly StateSlot[] { return this.#rows.slots; }

  /** Key values of group g. */
  keys(pane: Pane, g: number): (Value | null)[] { return this.#rows.keys(pane, g); }

  /** Fills the panes that `pane` gives. Throws system.state.incompatible where there are groups of another shape, and system.state.corrupt. */
  load(pane: (start: number, end: number) => Pane): void {
    this.#savedShape = (this.#state.get(this.#id, 'shape') ?? null) as string | null;
    for (const { lead, data } of this.#table.packed()) {
      this.#checkShape();
      const start = chunkStart(data);
      const p = this.#windowed ? pane(start, lead) : pane(0, Infinity);
      unpackChunk(p, this.slots, data);
      p.stored = 'packed';
      p.erased = p.emitted;
      p.chunks++;
      p.chunkBytes += data.length;
      p.saved = p.groups;
    }
    this.#loadRows(pane);
  }

  /** A pane that is out as a whole: what the state file has of it goes with the next epoch. */
  closed(pane: Pane): void {
    if (pane.stored !== 'none') this.#erase.push(pane);
  }

  save(tx: StateTx, panes: Iterable<Pane>): void {
    for (const pane of this.#erase) this.#delete(tx, pane);
    this.#erase = [];
    for (const pane of panes) {
      if (pane.stored === 'packed' || pane.groups >= this.#packFrom) this.#saveChunk(tx, pane);
      else this.#saveRows(tx, pane);
      pane.clean();
    }
    if (this.#savedShape !== this.#shape) tx.put(this.#id, 'shape', this.#shape);
    this.#savedShape = this.#shape;
  }

  #loadRows(pane: (start: number, end: number) => Pane): void {
    const lead = this.#lead;
    const { columns, keyTypes } = this.#rows;
    const rest = lead + columns.length;
    const key = new KeyWriter(columns.length);
    for (const row of this.#table.scan()) {
      this.#checkShape();
      key.begin();
      columns.forEach((c, j) => key.value(keyTypes[j] as SqlType, c.load(row[lead + j] as SqlValue)));
      const p = this.#windowed ? pane(row[rest] as number, row[0] as number) : pane(0, Infinity);
      const g = p.find(key.bytes, 0, key.pos, key.hash());
      if (p.pending !== null) p.pending[g] = row[rest] as number;
      this.slots.forEach((s, j) => { (p.state[j] as unknown[])[g] = (s.load ?? same)(row[rest + 1 + j]); });
      p.stored = 'rows';
      p.saved = p.groups;
    }
  }

  #checkShape(): void {
    if (this.#savedShape === this.#shape) return;
    throw new PipeError('system.state.incompatible', `the saved state of "${this.#id}" was made by other SQL: ${this.#savedShape ?? 'unknown'}; now it is: ${this.#shape}`, { hint: OTHER_SQL });
  }

  #delete(tx: StateTx, pane: Pane): void {
    if (pane.stored === 'packed') tx.deletePacked(this.#table, this.#rows.lead(pane));
    else if (pane.stored === 'rows') tx.deletePrefix(this.#table, this.#windowed ? [pane.end] : []);
  }

  /** Groups that are out stay in their pieces: `emitted` says how many they are. */
  #saveChunk(tx: StateTx, pane: Pane): void {
    const whole = pane.stored !== 'packed' || pane.chunkBytes > GARBAGE * this.#wholeBytes(pane);
    if (!whole && pane.changes === 0 && pane.saved === pane.groups && pane.erased === pane.emitted) return;
    if (whole) {
      this.#delete(tx, pane);
      pane.stored = 'packed';
      pane.chunks = pane.chunkBytes = 0;
    }
    pane.erased = pane.emitted;
    let from = whole ? 0 : pane.saved;
    let changed = whole ? NONE : pane.changed.subarray(0, pane.changes);
    do {
      const to = Math.min(pane.groups, from + CHUNK_GROUPS);
      const data = packChunk(pane, this.slots, from, to, changed);
      tx.appendPacked(this.#table, this.#rows.lead(pane), pane.chunks++, to - from + changed.length, data);
      pane.chunkBytes += data.length;
      changed = NONE;
      from = to;
    } while (from < pane.groups);
  }

  #wholeBytes(pane: Pane): number { return (pane.keyAt[pane.groups] as number) + pane.groups * (4 + 8 * this.slots.length) + pane.extraBytes; }

  #saveRows(tx: StateTx, pane: Pane): void {
    const groups = pane.emitted > 0 && pane.end !== Infinity ? this.#saveCut(tx, pane) : changedGroups(pane, 0);
    if (groups.length === 0) return;
    tx.upsert(this.#table, this.#flat(pane, groups), groups.length);
    pane.stored = 'rows';
  }

  /** Takes what is out of a pane that is half out from the state file, in the cheaper of two ways; returns the groups to be written. */
  #saveCut(tx: StateTx, pane: Pane): number[] {
    const out = pane.emitted - pane.erased;
    const rest = pane.groups - pane.emitted;
    const { erased } = pane;
    pane.erased = pane.emitted;
    if (pane.stored === 'rows' && rest <= 2 * out) {
      tx.deletePrefix(this.#table, [pane.end]);
      return Array.from({ length: rest }, (_, k) => pane.emitted + k);
    }
    if (pane.stored === 'rows') for (let g = erased; g < pane.emitted; g++) tx.deletePrefix(this.#table, [pane.end, ...this.keys(pane, g).map((v, j) => (this.#rows.columns[j] as KeyColumn).save(v))]);
    return changedGroups(pane, pane.emitted);
  }

  /** Rows of the state table, one after the other, in the order of their keys: SQLite appends to its b-tree then. */
  #flat(pane: Pane, groups: readonly number[]): SqlValue[] {
    const flat: SqlValue[] = [];
    for (const { g, values } of sorted(groups.map(g => ({ g, values: this.keys(pane, g) })))) this.#rows.append(flat, pane, g, values);
    return flat;
  }
}

/** Groups from `first` on that changed since the last epoch. */
function changedGroups(pane: Pane, first: number): number[] {
  const groups: number[] = [];
  for (let i = 0; i < pane.changes; i++) if ((pane.changed[i] as number) >= first) groups.push(pane.changed[i] as number);
  for (let g = Math.max(first, pane.saved); g < pane.groups; g++) groups.push(g);
  return groups;
}

interface Keyed {
  readonly g: number;
  readonly values: readonly (Value | null)[];
}

function sorted(groups: Keyed[]): Keyed[] {
  return groups.sort((x, y) => {
    const a = x.values[0] ?? null;
    const b = y.values[0] ?? null;
    return a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1;
  });
}
