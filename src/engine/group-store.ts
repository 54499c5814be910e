import { groupKey } from '../codegen/aggregate.ts';
import { PipeError } from '../errors.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import type { SqlType, Value } from '../sql/types.ts';
import { OTHER_SQL, type SqlValue, type StateStore, type StateTable, type StateTx } from '../state/store.ts';
import { groupTable, keyColumn, type KeyColumn } from './group-table.ts';
import type { Pane } from './pane.ts';

const same = (v: unknown): unknown => v;

/** The panes of one grouping in the state file: read once at start, written behind at each epoch, only the groups that changed. */
export class GroupStore {
  readonly slots: readonly StateSlot[];
  readonly #id: string;
  readonly #windowed: boolean;
  readonly #shape: string;
  readonly #state: StateStore;
  readonly #keyTypes: readonly SqlType[];
  readonly #keys: readonly KeyColumn[];
  readonly #savers: readonly ((v: unknown) => SqlValue)[];
  readonly #table: StateTable;
  /** Columns before the keys. */
  readonly #lead: number;
  /** Ends of closed panes whose rows are still in the state file. */
  #erase: number[] = [];
  #savedShape: string | null = null;

  /** `shape` is what the state means; state of another shape is not taken over. Throws system.state.incompatible. */
  constructor(a: Aggregate, shape: string, state: StateStore) {
    this.#id = a.id;
    this.#windowed = a.window !== null;
    this.#shape = shape;
    this.#state = state;
    this.slots = a.calls.flatMap(c => c.fn.state);
    this.#savers = this.slots.map(s => (s.save ?? same) as (v: unknown) => SqlValue);
    this.#keyTypes = a.keys.map(k => k.type);
    this.#keys = this.#keyTypes.map(keyColumn);
    this.#table = state.table(groupTable(a));
    this.#lead = this.#table.spec.key - this.#keys.length;
  }

  /** Fills the panes that `pane` gives. Throws system.state.incompatible where there are groups of another shape. */
  load(pane: (start: number, end: number) => Pane): void {
    this.#savedShape = (this.#state.get(this.#id, 'shape') ?? null) as string | null;
    const lead = this.#lead;
    const rest = lead + this.#keys.length;
    for (const row of this.#table.scan()) {
      if (this.#savedShape !== this.#shape) {
        throw new PipeError('system.state.incompatible', `the saved state of "${this.#id}" was made by other SQL: ${this.#savedShape ?? 'unknown'}; now it is: ${this.#shape}`, { hint: OTHER_SQL });
      }
      const values = this.#keys.map((c, j) => c.load(row[lead + j] as SqlValue));
      const p = this.#windowed ? pane(row[rest] as number, row[0] as number) : pane(0, Infinity);
      const g = p.add(groupKey(this.#keyTypes, values), values);
      if (p.pending !== null) p.pending[g] = row[rest] as number;
      this.slots.forEach((s, j) => { (p.state[j] as unknown[])[g] = (s.load ?? same)(row[rest + 1 + j]); });
      p.persisted = true;
    }
  }

  /** A pane that is out as a whole: its rows go with the next epoch. */
  closed(pane: Pane): void {
    if (pane.persisted) this.#erase.push(pane.end);
  }

  save(tx: StateTx, panes: Iterable<Pane>): void {
    for (const end of this.#erase) tx.deletePrefix(this.#table, [end]);
    this.#erase = [];
    for (const pane of panes) this.#save(tx, pane);
    if (this.#savedShape !== this.#shape) tx.put(this.#id, 'shape', this.#shape);
    this.#savedShape = this.#shape;
  }

  #save(tx: StateTx, pane: Pane): void {
    const groups = pane.emitted > 0 && pane.end !== Infinity ? this.#saveCut(tx, pane) : pane.changed;
    if (groups.length > 0) {
      this.#sort(pane, groups);
      tx.upsert(this.#table, this.#rows(pane, groups), groups.length);
      pane.persisted = true;
    }
    pane.clean();
  }

  /** Takes what is out of a pane that is half out from the state file, in the cheaper of two ways; returns the groups to be written. */
  #saveCut(tx: StateTx, pane: Pane): number[] {
    const out = pane.emitted - pane.erased;
    const rest = pane.groups - pane.emitted;
    const { persisted, erased } = pane;
    pane.erased = pane.emitted;
    if (persisted && rest <= 2 * out) {
      tx.deletePrefix(this.#table, [pane.end]);
      return Array.from({ length: rest }, (_, k) => pane.emitted + k);
    }
    if (persisted) for (let g = erased; g < pane.emitted; g++) tx.deletePrefix(this.#table, this.#key(pane, g));
    return pane.changed.filter(g => g >= pane.emitted);
  }

  #key(pane: Pane, g: number): SqlValue[] { return [pane.end, ...this.#keys.map((c, j) => c.save((pane.keys[j] as (Value | null)[])[g] as Value | null))]; }

  /** Rows of the state table, one after the other. */
  #rows(pane: Pane, groups: readonly number[]): SqlValue[] {
    const { pending } = pane;
    const lead = this.#lead === 0 ? null : this.#windowed ? pane.end : 0;
    const keys = this.#keys;
    const savers = this.#savers;
    const flat: SqlValue[] = [];
    for (const g of groups) {
      if (lead !== null) flat.push(lead);
      for (let j = 0; j < keys.length; j++) flat.push((keys[j] as KeyColumn).save((pane.keys[j] as (Value | null)[])[g] as Value | null));
      flat.push(pending === null ? pane.start : (pending[g] as number));
      for (let j = 0; j < savers.length; j++) flat.push((savers[j] as (v: unknown) => SqlValue)((pane.state[j] as unknown[])[g]));
    }
    return flat;
  }

  /** SQLite appends to its b-tree when keys come in order. */
  #sort(pane: Pane, groups: number[]): void {
    const [first] = pane.keys;
    if (first === undefined) return;
    groups.sort((x, y) => {
      const a = first[x] as Value | null;
      const b = first[y] as Value | null;
      return a === b ? 0 : a === null ? -1 : b === null ? 1 : a < b ? -1 : 1;
    });
  }
}
