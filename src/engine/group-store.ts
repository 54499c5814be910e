import { PipeError } from '../errors.ts';
import type { Aggregate } from '../plan/physical.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import type { SqlType, Value } from '../sql/types.ts';
import { hashBytes } from '../sql/values/text-column.ts';
import { OTHER_SQL, type PackedChunk, type SavedState, type SqlValue, type StateTable, type StateTx } from '../state/store.ts';
import { KeyWriter, ownerOf } from './group-key.ts';
import { GroupRows } from './group-rows.ts';
import { groupTable, type KeyColumn } from './group-table.ts';
import type { OperatorContext, Share } from './operator.ts';
import { chunkStart, packChunk, unpackChunk } from './pane-chunk.ts';
import { Pane } from './pane.ts';
import { SpillStore } from './spill-store.ts';

/** Panes of at least so many groups are packed: below it rows, which any SQLite tool reads, are cheap enough. */
export const PACK_GROUPS = 16_384;
/** Groups of one piece of a pane that is written as a whole. */
const CHUNK_GROUPS = 1 << 20;
/** A pane is written anew when its pieces take so many times what it would. */
const GARBAGE = 2;
const NONE = new Int32Array(0);

type MakePane = (start: number, end: number) => Pane;

const same = (v: unknown): unknown => v;

/**
 * The panes of one grouping in the state file: read once at start, written behind at each epoch, only the groups that changed. Small
 * panes are rows of a table with a column for each key and slot; large ones are packed pieces (pane-chunk.ts).
 *
 * Where several workers share the keys, each writes pieces in a lane of its own. State that was written by another number of workers is
 * split anew: it is loaded as if it had never been saved, and the first epoch writes it as a whole, after what is old was wiped.
 */
export class GroupStore {
  readonly #rows: GroupRows;
  readonly #id: string;
  readonly #windowed: boolean;
  readonly #shape: string;
  readonly #state: SavedState;
  readonly #table: StateTable;
  readonly #packFrom: number;
  readonly #share: Share | null;
  readonly #lane: number;
  /** Windows that have left memory; null where they cannot. */
  readonly spill: SpillStore | null;
  readonly #extra: boolean;
  /** Columns before the keys. */
  readonly #lead: number;
  /** Closed panes that are still in the state file. */
  #erase: Pane[] = [];
  /** Leads of pieces that the first epoch wipes: their panes are written anew. */
  #wipe: readonly number[] = [];
  #savedShape: string | null = null;

  /** `shape` is what the state means; state of another shape is not taken over. `memory` is told what windows on disk take while they close. Throws system.state.incompatible. */
  constructor(a: Aggregate, shape: string, { state, packFrom, share, disk }: Pick<OperatorContext, 'state' | 'packFrom' | 'share' | 'disk'>, memory: (bytes: number) => void) {
    this.#id = a.id;
    this.#windowed = a.window !== null;
    this.#shape = shape;
    this.#state = state;
    this.#rows = new GroupRows(a);
    // rows of a window could not be deleted worker by worker
    this.#packFrom = share === null ? packFrom : 1;
    this.#share = share;
    this.#lane = share?.index ?? 0;
    this.#table = state.table(groupTable(a));
    this.#lead = this.#table.spec.key - a.keys.length;
    this.spill = disk === null ? null : new SpillStore(a, state, this.#table, disk.step, memory);
    this.#extra = a.calls.some(c => c.fn.bytes !== undefined);
  }

  get slots(): readonly StateSlot[] { return this.#rows.slots; }

  /** Key values of group g. */
  keys(pane: Pane, g: number): (Value | null)[] { return this.#rows.keys(pane, g); }

  /** A pane for a window that is open; of one on disk only the newest groups. `grown` is told its memory. */
  pane(start: number, end: number, grown: (bytes: number) => void): Pane {
    if (this.spill?.windows.has(end) === true) return this.spill.pane(start, end, grown, true);
    return new Pane(start, end, this.slots, !this.#windowed, this.#extra, grown);
  }

  /** Fills the panes that `pane` gives. Throws system.state.incompatible where there are groups of another shape, and system.state.corrupt. */
  load(pane: MakePane): void {
    this.#savedShape = (this.#state.get(this.#id, 'shape') ?? null) as string | null;
    let lane: LoadedLane | null = null;
    const foreign = new Set<number>();
    for (const piece of this.#table.packed()) {
      this.#checkShape();
      if (lane !== null && (lane.lead !== piece.lead || lane.lane !== piece.lane)) this.#join(lane, pane);
      if (lane === null || lane.lead !== piece.lead || lane.lane !== piece.lane) lane = this.#beginLane(piece, pane);
      if (lane.foreign) foreign.add(piece.lead);
      unpackChunk(lane.pane, this.slots, piece.data);
      lane.pane.chunks++;
      lane.pane.chunkBytes += piece.data.length;
    }
    if (lane !== null) this.#join(lane, pane);
    this.#wipe = this.#share === null ? [...foreign] : [];
    this.#loadRows(pane);
    this.spill?.load();
    if (this.spill !== null && this.spill.windows.size > 0) this.#checkShape();
  }

  /** A pane that is out as a whole: what the state file has of it goes with the next epoch. */
  closed(pane: Pane): void {
    if (pane.stored !== 'none') this.#erase.push(pane);
  }

  /** A pane leaves memory with the epoch. */
  spillPane(tx: StateTx, pane: Pane): void {
    this.#delete(tx, pane);
    pane.stored = 'none';
    this.spill?.append(tx, pane);
  }

  save(tx: StateTx, panes: Iterable<Pane>): void {
    this.spill?.save(tx);
    for (const lead of this.#wipe) tx.deletePacked(this.#table, lead, null);
    this.#wipe = [];
    for (const pane of this.#erase) this.#delete(tx, pane);
    this.#erase = [];
    for (const pane of panes) {
      // its groups are with the others of its window
      if (this.spill?.windows.has(pane.end) === true) continue;
      if (pane.stored === 'packed' || pane.groups >= this.#packFrom) this.#saveChunk(tx, pane);
      else this.#saveRows(tx, pane);
      pane.clean();
    }
    if (this.#savedShape !== this.#shape) tx.put(this.#id, 'shape', this.#shape);
    this.#savedShape = this.#shape;
  }

  /** Pieces of our own lane go into the pane itself; those of others into one that is thrown away, because they number their groups anew. */
  #beginLane({ lead, lane, data }: PackedChunk, pane: MakePane): LoadedLane {
    const start = chunkStart(data);
    const foreign = this.#share !== null || lane !== 0;
    const [from, to] = this.#windowed ? [start, lead] : [0, Infinity];
    return { lead, lane, foreign, pane: foreign ? new Pane(from, to, this.slots, !this.#windowed, false, () => undefined) : pane(from, to) };
  }

  #join({ pane: from, foreign }: LoadedLane, pane: MakePane): void {
    if (!foreign) {
      from.stored = 'packed';
      from.erased = from.emitted;
      from.saved = from.groups;
      return;
    }
    let to: Pane | null = null;
    for (let g = from.emitted; g < from.groups; g++) {
      const [start, end] = [from.keyAt[g] as number, from.keyAt[g + 1] as number];
      const hash = hashBytes(from.keyBytes, start, end);
      if (this.#share !== null && ownerOf(hash, this.#share.count) !== this.#share.index) continue;
      to ??= pane(from.start, from.end);
      const own = to.find(from.keyBytes, start, end, hash);
      for (let j = 0; j < this.slots.length; j++) (to.state[j] as unknown[])[own] = (from.state[j] as unknown[])[g];
      if (to.pending !== null) to.pending[own] = (from.pending as Uint8Array)[g] as number;
    }
    if (to === null && this.#share === null) to = pane(from.start, from.end);
    if (to === null) return;
    to.stored = 'none';
    to.saved = to.erased = to.chunks = to.chunkBytes = 0;
  }

  #loadRows(pane: MakePane): void {
    const lead = this.#lead;
    const { columns, keyTypes } = this.#rows;
    const rest = lead + columns.length;
    const key = new KeyWriter(columns.length);
    for (const row of this.#table.scan()) {
      this.#checkShape();
      key.begin();
      columns.forEach((c, j) => key.value(keyTypes[j] as SqlType, c.load(row[lead + j] as SqlValue)));
      const hash = key.hash();
      if (this.#share !== null && ownerOf(hash, this.#share.count) !== this.#share.index) continue;
      const p = this.#windowed ? pane(row[rest] as number, row[0] as number) : pane(0, Infinity);
      const g = p.find(key.bytes, 0, key.pos, hash);
      if (p.pending !== null) p.pending[g] = row[rest] as number;
      this.slots.forEach((s, j) => { (p.state[j] as unknown[])[g] = (s.load ?? same)(row[rest + 1 + j]); });
      if (this.#share !== null) continue;
      p.stored = 'rows';
      p.saved = p.groups;
    }
  }

  #checkShape(): void {
    if (this.#savedShape === this.#shape) return;
    throw new PipeError('system.state.incompatible', `the saved state of "${this.#id}" was made by other SQL: ${this.#savedShape ?? 'unknown'}; now it is: ${this.#shape}`, { hint: OTHER_SQL });
  }

  #delete(tx: StateTx, pane: Pane): void {
    if (pane.stored === 'packed') tx.deletePacked(this.#table, this.#rows.lead(pane), this.#lane);
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
      tx.appendPacked(this.#table, this.#rows.lead(pane), this.#lane, pane.chunks++, to - from + changed.length, data);
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
    const keyed: Keyed[] = [];
    for (const g of groups) keyed.push({ g, values: this.keys(pane, g) });
    for (const { g, values } of sorted(keyed)) this.#rows.append(flat, pane, g, values);
    return flat;
  }
}

/** The pieces of one lane of one window, while they are loaded. */
interface LoadedLane {
  readonly lead: number;
  readonly lane: number;
  readonly foreign: boolean;
  readonly pane: Pane;
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
