import type { StateStore, StateTable, StateTx } from '../../state/store.ts';
import { groupTable } from '../group-table.ts';
import { readGroups, type SavedGroups } from './shadow-state.ts';
import type { Keyed } from './split.ts';

/** The one grouping of a pipeline in the state file, on the main thread: read for all workers, written in their name. */
export class ParallelState {
  readonly operator: string;
  readonly table: StateTable;
  /** Watermark (epoch ms) up to which windows are closed for good. */
  readonly closed: number;
  /** What the state file holds; null once it is with the workers. */
  saved: SavedGroups | null;
  #wipe: readonly number[];
  #wiped = false;

  constructor(store: StateStore, { aggregate }: Keyed) {
    this.operator = aggregate.id;
    this.table = store.table(groupTable(aggregate));
    const closed = store.get(this.operator, 'closed');
    this.closed = typeof closed === 'number' ? closed : -Infinity;
    this.saved = readGroups(store, this.operator, this.table);
    this.#wipe = [...new Set(this.saved.pieces.map(p => p.lead))];
    this.#wiped = this.saved.rows.length === 0 && this.#wipe.length === 0;
  }

  /** Workers split the keys anew, and their first snapshots hold all of them. */
  wipe(tx: StateTx): void {
    if (this.#wiped) return;
    tx.deletePrefix(this.table, []);
    for (const lead of this.#wipe) tx.deletePacked(this.table, lead, null);
  }

  /** The first epoch is written. */
  written(): void { this.#wiped = true; }
}
