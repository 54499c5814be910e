import { randomInt } from 'node:crypto';
import type { Aggregate } from '../plan/physical.ts';
import type { StateSlot } from '../sql/functions/define.ts';
import { PARTS, type SavedState, type SpilledPiece, type StateTable, type StateTx } from '../state/store.ts';
import { Pane } from './pane.ts';
import { RowLog } from './row-log.ts';
import { packPiece, PieceMerger, sortGroups } from './spill-piece.ts';
import { sizesByPart, stepEnd } from './spill-steps.ts';

/** Pieces that are smaller do not pay. */
const PIECE_BYTES = 2048;
/** A run is cut as if its window would grow so many times larger than it is: later reads of a narrow range read little else. */
const AHEAD = 4;
/** A window has so many runs before the newest are made one. */
const MOST_RUNS = 8;
const LEAST_MERGED = 4;
const LAST_RUN = Number.MAX_SAFE_INTEGER;

interface Run {
  readonly run: number;
  readonly groups: number;
  readonly bytes: number;
}

/** A window that has left memory: its groups are in runs on disk, each of the groups that changed in one epoch. */
export interface SpilledWindow {
  readonly start: number;
  readonly end: number;
  runs: Run[];
  /** Bytes of the pieces by partition, while it closes. */
  sizes: Float64Array | null;
  /** Partitions below are out; those below `cut` are out of the state file, too. */
  next: number;
  cut: number;
  /** Without a window: what was emitted and goes back. */
  kept: Kept | null;
}

interface Kept {
  /** Its first run. */
  readonly from: number;
  /** Of each run the last partition that a piece begins with. */
  readonly last: number[];
  readonly pieces: SpilledPiece[];
  readonly ranges: (readonly [from: number, to: number])[];
  bytes: number;
}

const spilledBytes = (w: SpilledWindow): number => w.runs.reduce((n, r) => n + r.bytes, 0);
/** At most: a group that is in several runs counts in each. */
export const spilledGroups = (w: SpilledWindow): number => w.runs.reduce((n, r) => n + r.groups, 0);

/**
 * The windows of one grouping that do not fit into memory (grace hashing): runs of partial groups are appended to table `spilled` in the
 * epoch's transaction and never looked up; when the window closes, its runs are folded together, a range of hash partitions after the
 * other, each of which fits.
 */
export class SpillStore {
  readonly windows = new Map<number, SpilledWindow>();
  readonly #id: string;
  readonly #windowed: boolean;
  readonly #slots: readonly StateSlot[];
  readonly #extra: boolean;
  /** Some aggregates do not merge. */
  readonly logs: boolean;
  readonly #table: StateTable;
  /** Hash partitions that a window closes by. */
  readonly parts = PARTS;
  /** Bytes written so far. */
  written = 0;
  readonly #merger: PieceMerger;
  readonly #step: number;
  readonly #memory: (bytes: number) => void;
  /** Windows that are out as a whole and still in the state file. */
  #closed: SpilledWindow[] = [];
  #seed: number | null;
  #scratch: Pane | null = null;

  /** `step`: bytes of pieces that are folded together at once; `memory` is told the bytes that this takes. */
  constructor(a: Aggregate, state: SavedState, table: StateTable, step: number, memory: (bytes: number) => void) {
    this.#id = a.id;
    this.#windowed = a.window !== null;
    this.#slots = a.calls.flatMap(c => c.fn.state);
    this.#extra = a.calls.some(c => c.fn.bytes !== undefined);
    this.logs = a.calls.some(c => c.fn.merge === undefined);
    this.#table = table;
    this.#merger = new PieceMerger(a);
    this.#step = step;
    this.#memory = memory;
    this.#seed = (state.get(a.id, 'seed') ?? null) as number | null;
  }

  /** Reads which windows have left memory, and none of their groups. */
  load(): void {
    for (const { lead, start, run, groups, bytes } of this.#table.runs()) this.#window(start, this.#windowed ? lead : Infinity).runs.push({ run, groups, bytes });
  }

  get bytes(): number { return [...this.windows.values()].reduce((n, w) => n + spilledBytes(w), 0); }
  get groups(): number { return [...this.windows.values()].reduce((n, w) => n + spilledGroups(w), 0); }

  /** An empty pane for the newest groups of a window; `grown` is told its memory. */
  pane(start: number, end: number, grown: (bytes: number) => void, log: boolean): Pane {
    const pane = new Pane(start, end, this.#slots, !this.#windowed, this.#extra, grown);
    if (log && this.logs) pane.log = new RowLog(grown);
    return pane;
  }

  /** Appends the groups of a pane as one more run of its window. */
  append(tx: StateTx, pane: Pane): void {
    const w = this.#window(pane.start, pane.end);
    this.#write(tx, w, pane);
    if (w.runs.length > MOST_RUNS) this.#compact(tx, w);
  }

  /** Bytes of all that has been folded and waits to be written back. */
  kept(w: SpilledWindow): number { return w.kept?.bytes ?? 0; }

  /**
   * The next groups of a closing window, folded together from all runs: those of the partitions from `next` on, some `step` bytes of
   * pieces, `bytes` in fact. They are valid until the next call. `check` sees the pane when it takes more than it was meant to.
   */
  nextGroups(w: SpilledWindow, check: (pane: Pane) => void): { readonly pane: Pane; readonly to: number; readonly bytes: number } {
    w.sizes ??= sizesByPart(this.#table.spilledSizes(this.#lead(w)));
    const to = stepEnd(w.sizes, w.next, this.#step);
    this.#scratch ??= this.pane(w.start, w.end, this.#memory, false);
    const pane = this.#scratch;
    if (pane.start !== w.start || pane.end !== w.end) {
      this.release();
      return this.nextGroups(w, check);
    }
    pane.reset();
    const bytes = this.#fold(pane, w, w.next, to, 0, check);
    return { pane, to, bytes };
  }

  /** The memory that closes used goes. */
  release(): void {
    if (this.#scratch !== null) this.#memory(-this.#scratch.bytes);
    this.#scratch = null;
  }

  /** Without a window: partitions [next, to) were emitted and go back as `pane` is now. */
  keep(w: SpilledWindow, pane: Pane, to: number): void {
    const kept: Kept = (w.kept ??= { from: (w.runs.at(-1)?.run ?? -1) + 1, last: [], pieces: [], ranges: [], bytes: 0 });
    kept.ranges.push([w.next, to]);
    for (const p of this.#pieces(w, pane, 0)) {
      // a range may begin in the middle of a piece, which the range before it has, too
      const free = kept.last.findIndex(part => part < p.part);
      const run = free < 0 ? kept.last.length : free;
      kept.last[run] = p.part;
      kept.pieces.push({ ...p, run: kept.from + run });
      kept.bytes += p.data.length;
    }
  }

  /** A window that is out as a whole. */
  closed(w: SpilledWindow): void {
    if (this.#windowed) {
      this.#closed.push(w);
      this.windows.delete(w.end);
    } else {
      w.next = w.cut = 0;
      w.sizes = null;
    }
  }

  /** What has been emitted goes with the epoch. */
  save(tx: StateTx): void {
    for (const w of this.#closed) tx.deleteSpilled(this.#table, this.#lead(w), 0, PARTS, 0, LAST_RUN);
    this.#closed = [];
    for (const w of this.windows.values()) {
      if (w.kept !== null) this.#putBack(tx, w, w.kept);
      else if (this.#windowed && w.next > w.cut) this.#cut(tx, w, w.cut, w.next, LAST_RUN);
      w.cut = w.next;
    }
  }

  #putBack(tx: StateTx, w: SpilledWindow, kept: Kept): void {
    for (const [from, to] of kept.ranges) this.#cut(tx, w, from, to, kept.from - 1);
    for (const p of kept.pieces) tx.putSpilled(this.#table, p);
    w.kept = null;
    w.runs = this.#table.runs().filter(r => r.lead === this.#lead(w));
  }

  /** Takes the groups of partitions [from, to) out of the runs up to `last`. */
  #cut(tx: StateTx, w: SpilledWindow, from: number, to: number, last: number): void {
    const lead = this.#lead(w);
    tx.deleteSpilled(this.#table, lead, from, to, 0, last);
    for (const p of this.#table.spilled(lead, from, to, 0)) {
      if (p.run > last) continue;
      const rest = this.pane(w.start, w.end, () => undefined, true);
      this.#merger.merge(rest, p.data, 0, from);
      this.#merger.merge(rest, p.data, to, PARTS);
      if (rest.groups === 0) tx.deleteSpilled(this.#table, lead, p.part, p.part + p.span, p.run, p.run);
      else tx.putSpilled(this.#table, { ...p, groups: rest.groups, data: packPiece(rest, this.#slots, sortGroups(rest, this.#seed as number), 0, rest.groups) });
    }
  }

  #window(start: number, end: number): SpilledWindow {
    let w = this.windows.get(end);
    if (w === undefined) this.windows.set(end, (w = { start, end, runs: [], sizes: null, next: 0, cut: 0, kept: null }));
    return w;
  }

  #lead(w: { readonly end: number }): number { return this.#windowed ? w.end : 0; }

  #write(tx: StateTx, w: SpilledWindow, pane: Pane): void {
    if (this.#seed === null) tx.put(this.#id, 'seed', (this.#seed = randomInt(0x100000000)));
    const run = (w.runs.at(-1)?.run ?? -1) + 1;
    let bytes = 0;
    for (const p of this.#pieces(w, pane, run)) {
      tx.putSpilled(this.#table, p);
      bytes += p.data.length;
    }
    w.runs.push({ run, groups: pane.groups, bytes });
    this.written += bytes;
  }

  /** A pane in pieces of the hash partitions, the finer the larger its window is. */
  *#pieces(w: SpilledWindow, pane: Pane, run: number): Iterable<SpilledPiece> {
    const sorted = sortGroups(pane, this.#seed as number);
    const own = (pane.keyAt[pane.groups] as number) + pane.groups * (6 + 8 * this.#slots.length) + pane.extraBytes + (pane.log?.bytes ?? 0);
    const wanted = Math.min((AHEAD * (spilledBytes(w) + own)) / this.#step, own / PIECE_BYTES);
    let span = PARTS;
    while (span > 1 && PARTS / span < wanted) span /= 2;
    for (let from = 0; from < pane.groups; ) {
      const part = Math.floor((sorted.parts[from] as number) / span) * span;
      let to = from;
      while (to < pane.groups && (sorted.parts[to] as number) < part + span) to++;
      yield { lead: this.#lead(pane), start: this.#windowed ? pane.start : 0, part, span, run, groups: to - from, data: packPiece(pane, this.#slots, sorted, from, to) };
      from = to;
    }
  }

  /** The bytes of pieces that were read. */
  #fold(pane: Pane, w: SpilledWindow, from: number, to: number, first: number, check: (pane: Pane) => void): number {
    let bytes = 0;
    for (const p of this.#table.spilled(this.#lead(w), from, to, first)) {
      this.#merger.merge(pane, p.data, from, to);
      bytes += p.data.length;
      if (bytes > 2 * this.#step) check(pane);
    }
    return bytes;
  }

  /** Makes the newest runs one, as long as none is much larger than those behind it: keys that come in every epoch are stored a few times only. */
  #compact(tx: StateTx, w: SpilledWindow): void {
    let first = w.runs.length - 1;
    let bytes = (w.runs[first] as Run).bytes;
    for (let r = w.runs[first - 1]; r !== undefined && r.bytes <= 2 * bytes && bytes + r.bytes <= AHEAD * this.#step; r = w.runs[first - 1]) {
      bytes += r.bytes;
      first--;
    }
    if (w.runs.length - first < LEAST_MERGED) return;
    const from = (w.runs[first] as Run).run;
    const pane = this.pane(w.start, w.end, () => undefined, first > 0);
    this.#fold(pane, w, 0, PARTS, from, () => undefined);
    tx.deleteSpilled(this.#table, this.#lead(w), 0, PARTS, from, LAST_RUN);
    w.runs.length = first;
    this.#write(tx, w, pane);
  }
}

