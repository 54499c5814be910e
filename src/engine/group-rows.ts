import type { StateSlot } from '../sql/functions/define.ts';
import type { SqlType, Value } from '../sql/types.ts';
import { PARTS, type PackedChunk, type PieceSize, type SpilledPiece, type SpilledRun, type SqlValue } from '../state/store.ts';
import { readKeys } from './group-key.ts';
import { type GroupLayout, keyColumn, type KeyColumn } from './group-table.ts';
import { chunkStart, unpackChunk } from './pane-chunk.ts';
import { Pane } from './pane.ts';
import { PieceMerger } from './spill-piece.ts';
import { stepEnd, sizesByPart } from './spill-steps.ts';

/** Bytes of pieces that are folded together at once. */
const STEP_BYTES = 4 << 20;

/** Windows of one grouping that are on disk only. */
export interface SpilledWindows {
  runs(): readonly SpilledRun[];
  sizes(lead: number): readonly PieceSize[];
  pieces(lead: number, from: number, to: number): Iterable<SpilledPiece>;
}

const same = (v: unknown): unknown => v;

/** Groups of one grouping as rows of its state table (group-table.ts). */
export class GroupRows {
  readonly slots: readonly StateSlot[];
  readonly keyTypes: readonly SqlType[];
  readonly columns: readonly KeyColumn[];
  readonly #windowed: boolean;
  /** Has a column before the keys. */
  readonly #leads: boolean;
  readonly #merger: PieceMerger;
  readonly #savers: readonly ((v: unknown) => SqlValue)[];

  constructor(a: GroupLayout) {
    this.#merger = new PieceMerger(a);
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
      if (next) pane = this.#pane(chunkStart(p.data), p.lead);
      else chunkStart(p.data);
      unpackChunk(pane as Pane, this.slots, p.data);
      ({ lead, lane } = p);
    }
    if (pane !== null) yield* this.#all(pane);
  }

  /** Rows of windows that are on disk only: the runs of a window folded together, a range of its keys after the other. */
  *merge(spilled: SpilledWindows): Iterable<SqlValue[]> {
    const starts = new Map(spilled.runs().map(r => [r.lead, r.start]));
    for (const [lead, start] of starts) {
      const sizes = sizesByPart(spilled.sizes(lead));
      for (let from = 0; from < PARTS; ) {
        const to = stepEnd(sizes, from, STEP_BYTES);
        const pane = this.#pane(start, lead);
        for (const p of spilled.pieces(lead, from, to)) this.#merger.merge(pane, p.data, from, to);
        yield* this.#all(pane);
        from = to;
      }
    }
  }

  #pane(start: number, lead: number): Pane { return new Pane(start, this.#windowed ? lead : Infinity, this.slots, !this.#windowed, false, () => undefined); }

  *#all(pane: Pane): Iterable<SqlValue[]> {
    for (let g = this.#windowed ? pane.emitted : 0; g < pane.groups; g++) {
      const row: SqlValue[] = [];
      this.append(row, pane, g, this.keys(pane, g));
      yield row;
    }
  }
}
