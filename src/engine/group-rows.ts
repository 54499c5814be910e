import type { StateSlot } from '../sql/functions/define.ts';
import type { SqlType, Value } from '../sql/types.ts';
import type { PackedChunk, SqlValue } from '../state/store.ts';
import { readKeys } from './group-key.ts';
import { keyColumn, type KeyColumn } from './group-table.ts';
import { chunkStart, unpackChunk } from './pane-chunk.ts';
import { Pane } from './pane.ts';

const same = (v: unknown): unknown => v;

/** What of a grouping says how its groups lie in the state file. */
export interface GroupLayout {
  readonly window: unknown;
  readonly keys: readonly { readonly type: SqlType }[];
  readonly calls: readonly { readonly fn: { readonly state: readonly StateSlot[] } }[];
}

/** Groups of one grouping as rows of its state table (group-table.ts). */
export class GroupRows {
  readonly slots: readonly StateSlot[];
  readonly keyTypes: readonly SqlType[];
  readonly columns: readonly KeyColumn[];
  readonly #windowed: boolean;
  /** Has a column before the keys. */
  readonly #leads: boolean;
  readonly #savers: readonly ((v: unknown) => SqlValue)[];

  constructor(a: GroupLayout) {
    this.#windowed = a.window !== null;
    this.#leads = a.window !== null || a.keys.length === 0;
    this.slots = a.calls.flatMap(c => c.fn.state);
    this.keyTypes = a.keys.map(k => k.type);
    this.columns = this.keyTypes.map(keyColumn);
    this.#savers = this.slots.map(s => (s.save ?? same) as (v: unknown) => SqlValue);
  }

  /** The value of the column before the keys: the window's end, or 0. */
  lead(pane: Pane): number { return this.#windowed ? pane.end : 0; }

  /** Key values of group g. */
  keys(pane: Pane, g: number): (Value | null)[] { return readKeys(this.keyTypes, pane.keyBytes, pane.keyAt[g] as number, pane.keyAt[g + 1] as number); }

  /** Appends the row of group g, whose keys are `keys`. */
  append(flat: SqlValue[], pane: Pane, g: number, keys: readonly (Value | null)[]): void {
    if (this.#leads) flat.push(this.lead(pane));
    for (let j = 0; j < keys.length; j++) flat.push((this.columns[j] as KeyColumn).save(keys[j] as Value | null));
    flat.push(pane.pending === null ? pane.start : (pane.pending[g] as number));
    for (let j = 0; j < this.#savers.length; j++) flat.push((this.#savers[j] as (v: unknown) => SqlValue)((pane.state[j] as unknown[])[g]));
  }

  /** Rows of packed panes, which the table itself does not hold. Pieces come by window and lane, in order. */
  *unpack(pieces: Iterable<PackedChunk>): Iterable<SqlValue[]> {
    let pane: Pane | null = null;
    let lead = NaN;
    let lane = NaN;
    for (const p of pieces) {
      const next = p.lead !== lead || p.lane !== lane;
      if (next && pane !== null) yield* this.#all(pane);
      if (next) pane = new Pane(chunkStart(p.data), this.#windowed ? p.lead : Infinity, this.slots, !this.#windowed, false, () => undefined);
      else chunkStart(p.data);
      unpackChunk(pane as Pane, this.slots, p.data);
      ({ lead, lane } = p);
    }
    if (pane !== null) yield* this.#all(pane);
  }

  *#all(pane: Pane): Iterable<SqlValue[]> {
    for (let g = this.#windowed ? pane.emitted : 0; g < pane.groups; g++) {
      const row: SqlValue[] = [];
      this.append(row, pane, g, this.keys(pane, g));
      yield row;
    }
  }
}
