import type { StateTx, Position } from '../../state/store.ts';
import { newBatch } from '../batch.ts';
import type { Clock } from '../clock.ts';
import { EPOCH_BYTES, EPOCH_RECORDS, POLL_MS } from '../loop.ts';
import type { Output } from '../operator.ts';
import type { Accounting } from '../ports.ts';
import type { SourceReader } from '../source-reader.ts';
import { Bell } from './bell.ts';
import type { CollectedOutbox } from './collected.ts';
import type { Crew } from './crew.ts';
import { Flight, type Flying } from './flight.ts';
import { NO_TIME, watermarkAt, type SliceTime } from '../watermark.ts';
import type { Answer, Fold, Status, TappedRows } from './messages.ts';
import { enter, type Due, type ReportPlaces, type Reports } from './reports.ts';
import { applyWrites } from './shadow-state.ts';
import type { ParallelState } from './state.ts';

type Snapshot = Extract<Answer, { readonly k: 'snapshot' }>;
type Done = Extract<Answer, { readonly k: 'done' }>;
type Mapped = Extract<Answer, { readonly k: 'mapped' }>;

/** An epoch between the barrier that all workers pass and its commit. */
interface Barrier {
  readonly positions: readonly Position[];
  readonly watermarks: ReadonlyMap<string, number>;
  readonly snapshots: (Snapshot | null)[];
  waiting: number;
}

export interface ParallelLoopParts {
  readonly reader: SourceReader;
  readonly crew: Crew;
  /** Of the grouping; null for a plan without state. */
  readonly state: ParallelState | null;
  readonly following: boolean;
  readonly clock: Clock;
  /** ms between epochs. */
  readonly checkpoint: number;
  /** Bytes of state that all workers may hold before `outgrown` is called, which ends the run of this loop. */
  readonly memory: number;
  readonly outgrown: () => void;
  readonly accounting: Accounting;
  readonly outbox: CollectedOutbox;
  readonly places: Omit<ReportPlaces, 'records'>;
  readonly taps: ReadonlyMap<string, Output>;
  readonly warn: (message: string) => void;
  readonly epoch: {
    delivering(): boolean;
    failed(): boolean;
    commit(e: { readonly positions: readonly Position[]; readonly watermarks: ReadonlyMap<string, number>; readonly write: (tx: StateTx) => void }): Promise<void>;
  };
}

const NOTHING: Status = { keys: 0, used: 0, output: 0, grown: 0, lastOpenEnd: null, full: false };

/**
 * One pipeline on several threads. The main thread polls the source, commits each epoch in one transaction and delivers it; workers,
 * of which it is one, decode, group and encode. Slices of the source are handed to whoever is free and decoded at once; their rows go to the worker that
 * holds their keys. Then slices are passed in the one order in which they were cut: with the event times that a worker found, the
 * main thread moves positions and watermark on, and says so to all workers, which fold their rows of the slice, close windows and
 * snapshot in that same order. So each sees the stream as one thread would: late verdicts, windows and results are the same, and a
 * snapshot that all take between two slices is the state at that place. What is reported of records behind a barrier is entered after
 * its commit.
 */
export class ParallelLoop {
  readonly #p: ParallelLoopParts;
  readonly #bell = new Bell();
  readonly #flight: Flight;
  readonly #status: Status[];
  /** Commands that are not answered. */
  #open = 0;
  #barrier: Barrier | null = null;
  /** What is to be entered after the commit. */
  #held: (() => void)[] = [];
  #polling = false;
  #failure: { readonly error: unknown } | null = null;
  #committedAt: number;
  #records = 0;
  #moved = false;
  #paused = false;
  #warned = false;
  /** Told by the reader while it passes a slice. */
  #watermark: number | null = null;
  #closed: number;

  constructor(p: ParallelLoopParts) {
    this.#p = p;
    this.#flight = new Flight(p.crew.count);
    this.#status = new Array<Status>(p.crew.count).fill(NOTHING);
    this.#committedAt = p.clock.elapsed();
    this.#closed = p.state?.closed ?? -Infinity;
  }

  /** Until the source is at its end (until-end), or the signal: then what is on its way is finished and committed. Whether it came to the end. */
  async run(signal: AbortSignal): Promise<boolean> {
    const ring = (): void => this.#bell.ring();
    signal.addEventListener('abort', ring);
    try {
      while (!this.#ended(signal)) {
        this.#check();
        this.#pass();
        if (!signal.aborted && !this.#paused) this.#feed(signal);
        if (!this.#flight.queued && !this.#paused) this.#tick();
        if (this.#due()) this.#begin();
        await this.#bell.wait(this.#wait());
      }
      const ended = !signal.aborted;
      if (ended) await this.#finish();
      await this.#until(() => this.#open === 0 && this.#barrier === null);
      while (this.#changed()) {
        this.#begin();
        await this.#until(() => this.#barrier === null);
      }
      return ended;
    } catch (error) {
      this.fail(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', ring);
      this.#bell.stop();
    }
  }

  pause(): void { this.#paused = true; }

  resume(): void {
    this.#paused = false;
    this.#p.reader.rested();
    this.#bell.ring();
  }

  /** Notes that positions are to be saved though no record was read. */
  touch(): void { this.#moved = true; }

  get keys(): number { return this.#status.reduce((n, s) => n + s.keys, 0); }
  get memory(): number { return this.#status.reduce((n, s) => n + s.used, 0); }
  lastOpenEnd(): number | null { return this.#status.reduce<number | null>((last, s) => (s.lastOpenEnd !== null && (last === null || s.lastOpenEnd > last) ? s.lastOpenEnd : last), null); }

  /** Where the reader says that the watermark moved. */
  readonly input: Output = { push: () => undefined, watermark: ms => { this.#watermark = ms; }, finish: () => undefined };

  /** Behind a failure nothing is: what is on its way holds rows that failed as if they had not been there. */
  answered(worker: number, a: Answer): void {
    if (this.#failure !== null) return;
    try {
      if (a.k === 'mapped') this.#flight.mapped(a);
      else if (a.k === 'done') this.#done(worker, a);
      else if (a.k === 'snapshot') this.#snapshot(worker, a);
    } catch (error) {
      this.fail(error);
    }
    this.#bell.ring();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#bell.ring();
  }

  #check(): void { if (this.#failure !== null) throw this.#failure.error; }

  #ended(signal: AbortSignal): boolean {
    if (this.#flight.queued) return false;
    return signal.aborted || (!this.#p.following && this.#p.reader.finished);
  }

  async #until(met: () => boolean): Promise<void> {
    for (;;) {
      this.#check();
      if (met()) return;
      await this.#bell.wait(POLL_MS);
    }
  }

  /** Hands out slices, and fetches when there are none. */
  #feed(signal: AbortSignal): void {
    const { reader, crew } = this.#p;
    while (reader.fetched) {
      const worker = this.#flight.idlest();
      if (worker === null) return;
      const slice = reader.cut();
      if (slice === null) return;
      const f = this.#flight.start(slice, worker);
      if (f.raw.length > 0) crew.tell(worker, { k: 'map', slice: f.raw, slot: f.slot, apart: false });
    }
    // what is passed meanwhile needs another look
    if (this.#flight.head() !== null) this.#bell.ring();
    if (!this.#polling && !reader.finished) this.#poll(signal);
  }

  #poll(signal: AbortSignal): void {
    const { reader, clock } = this.#p;
    this.#polling = true;
    reader.source.poll(reader.paused(), POLL_MS, signal).then(batches => {
      this.#polling = false;
      if (!signal.aborted) reader.take(batches, clock.now());
      this.#bell.ring();
    }).catch(error => {
      if (!signal.aborted) this.fail(error);
    });
  }

  /** Mapped slices, in their order, as long as the epoch that they belong to has room. */
  #pass(): void {
    const folds: Fold[][] = Array.from({ length: this.#p.crew.count }, () => []);
    for (let f = this.#flight.head(); f !== null && !this.#crowded(); f = this.#flight.head()) {
      if (f.mapped !== null && this.#someLate(f.raw.partition, f.mapped)) {
        this.#again(f, f.mapped);
        break;
      }
      this.#flight.shift();
      this.#passOne(f, f.mapped, folds);
    }
    folds.forEach((list, w) => { if (list.length > 0) this.#p.crew.tell(w, { k: 'fold', folds: list }); });
  }

  /** Whether a window that rows of a slice were folded for was closed before, or closes within it: then each row has to be looked at. */
  #someLate(partition: number, { ends, max }: Mapped): boolean {
    const { clock } = this.#p.reader;
    if (ends.length === 0 || clock === null) return false;
    const watermark = Math.max(this.#closed, watermarkAt(clock.before(partition), max));
    return ends.some(end => end - 1 <= watermark);
  }

  /** Nothing of the slice has been entered or passed: its rows come once more, one by one. */
  #again(f: Flying, { warning }: Mapped): void {
    this.#warn(warning);
    this.#flight.again(f);
    this.#p.crew.tell(f.worker, { k: 'map', slice: f.raw, slot: f.slot, apart: true });
  }

  #passOne(f: Flying, mapped: Mapped | null, folds: readonly Fold[][]): void {
    const { reader, accounting, places, outbox } = this.#p;
    const { length, partition } = f.raw;
    const closed = this.#closed;
    const time = mapped === null || mapped.max === -Infinity ? null : reader.clock?.pass(partition, mapped.max) ?? null;
    const isLate = (due: Due): boolean => due.end - 1 <= Math.max(closed, time === null ? -Infinity : watermarkAt(time, due.before));
    // the books and this pass
    f.waiting = 2;
    this.#enter(this.#barrier !== null, () => {
      accounting.read(places.source, length);
      if (mapped !== null) {
        this.#report(mapped.reports, f.id, isLate);
        outbox.add(mapped.blocks);
        this.#tap(mapped.taps);
      }
      this.#flight.done(f);
    });
    this.#warn(mapped?.warning ?? null);
    this.#watermark = null;
    reader.passed(f.slice, mapped?.taken ?? null);
    if (this.#p.state !== null) this.#fold(f, mapped?.rows ?? null, time ?? NO_TIME, folds);
    this.#flight.done(f);
    this.#moved = true;
    this.#records += length;
  }

  /** What each worker finds for itself is said once. */
  #warn(warning: string | null): void {
    if (warning === null || this.#warned) return;
    this.#warned = true;
    this.#p.warn(warning);
  }

  #fold(f: Flying, rows: readonly number[] | null, time: SliceTime, folds: readonly Fold[][]): void {
    const watermark = this.#watermark;
    if (watermark !== null) this.#closed = watermark;
    folds.forEach((list, w) => {
      const n = rows?.[w] ?? 0;
      if (n === 0 && watermark === null) return;
      f.waiting++;
      this.#open++;
      list.push({ slice: f.id, rows: n, apart: f.apart, time, watermark });
    });
  }

  /** Event time that goes on without records. */
  #tick(): void {
    const { reader, crew, state } = this.#p;
    this.#watermark = null;
    reader.tick();
    if (this.#watermark === null || state === null) return;
    this.#closed = this.#watermark;
    this.#open += crew.count;
    crew.tellAll({ k: 'watermark', ms: this.#watermark });
  }

  #done(worker: number, a: Done): void {
    this.#open -= a.commands;
    this.#setStatus(worker, a.status);
    const after = this.#barrier !== null && this.#barrier.snapshots[worker] !== null;
    this.#enter(after, () => {
      this.#report(a.reports, -1, () => false);
      for (const id of a.slices) this.#flight.done(this.#flight.of(id));
    }, a.reports.list.length === 0 && a.reports.filtered.length === 0 && a.reports.rowsOut.length === 0);
  }

  /** At once, or after the commit; what enters nothing in the books (`idle`) need not wait. */
  #enter(after: boolean, work: () => void, idle = false): void {
    if (after && !idle) this.#held.push(work);
    else work();
  }

  #report(r: Reports, slice: number, isLate: (due: Due) => boolean): void {
    enter(r, this.#p.accounting, { ...this.#p.places, records: id => this.#flight.records(id) }, slice, isLate);
  }

  #tap(taps: readonly TappedRows[]): void {
    for (const { sink, length, cols, nulls } of taps) {
      const schema = this.#p.places.plan.sinks.find(w => w.sink === sink)?.schema ?? [];
      this.#p.taps.get(sink)?.push(newBatch(schema, length, cols as unknown[][], nulls, null, null));
    }
  }

  #setStatus(worker: number, s: Status): void {
    this.#status[worker] = s;
    if (this.memory > this.#p.memory) this.#p.outgrown();
  }

  /** Bytes that wait in workers that have passed the barrier, if there is one. */
  #bytes(of: (s: Status) => number): number {
    const { snapshots } = this.#barrier ?? { snapshots: null };
    return this.#status.reduce((n, s, w) => n + (snapshots !== null && snapshots[w] === null ? 0 : of(s)), 0);
  }

  #waitingBytes(): number { return this.#p.outbox.bytes() + this.#p.accounting.bytes() + this.#bytes(s => s.output + s.grown); }
  #full(): boolean { return this.#status.some(s => s.full); }
  #changed(): boolean { return this.#moved || this.#full() || this.#p.outbox.bytes() + this.#p.accounting.bytes() + this.#bytes(s => s.output) > 0 || this.#p.epoch.failed(); }

  /** The epoch behind the one that is being committed has all that it may. */
  #crowded(): boolean { return this.#barrier !== null && (this.#records >= EPOCH_RECORDS || this.#bytes(s => s.output + s.grown) >= EPOCH_BYTES); }

  #due(): boolean {
    if (this.#barrier !== null || !this.#changed()) return false;
    const { epoch, clock, checkpoint } = this.#p;
    if (this.#records >= EPOCH_RECORDS || this.#full() || this.#waitingBytes() >= EPOCH_BYTES) return true;
    return !epoch.delivering() && clock.elapsed() - this.#committedAt >= checkpoint;
  }

  #wait(): number {
    if (this.#barrier !== null || !this.#changed()) return POLL_MS;
    return Math.max(1, Math.min(POLL_MS, this.#committedAt + this.#p.checkpoint - this.#p.clock.elapsed()));
  }

  /** The place of the next commit: behind all that was passed. */
  #begin(): void {
    const { reader, crew, state } = this.#p;
    this.#barrier = {
      positions: reader.positions(), watermarks: new Map(reader.watermark === null ? [] : [[reader.name, reader.watermark]]),
      snapshots: new Array<Snapshot | null>(crew.count).fill(null), waiting: state === null ? 0 : crew.count,
    };
    this.#records = 0;
    this.#moved = false;
    if (state === null) void this.#commit(this.#barrier);
    else crew.tellAll({ k: 'snapshot' });
  }

  #snapshot(worker: number, a: Snapshot): void {
    const barrier = this.#barrier as Barrier;
    barrier.snapshots[worker] = a;
    this.#setStatus(worker, a.status);
    if (--barrier.waiting === 0) void this.#commit(barrier);
  }

  async #commit({ positions, watermarks, snapshots }: Barrier): Promise<void> {
    try {
      const all = snapshots.filter(s => s !== null);
      for (const s of all) {
        this.#report(s.reports, -1, () => false);
        this.#p.outbox.add(s.blocks);
        this.#tap(s.taps);
      }
      const { state } = this.#p;
      await this.#p.epoch.commit({ positions, watermarks, write: tx => { if (state !== null) { state.wipe(tx); applyWrites(tx, state.operator, state.table, all.map(s => s.writes)); } } });
      state?.written();
      this.#barrier = null;
      this.#committedAt = this.#p.clock.elapsed();
      const held = this.#held;
      this.#held = [];
      for (const work of held) work();
    } catch (error) {
      this.fail(error);
    }
    this.#bell.ring();
  }

  async #finish(): Promise<void> {
    await this.#until(() => this.#open === 0);
    if (this.lastOpenEnd() !== null) this.#moved = true;
    const { crew, state } = this.#p;
    if (state === null) return;
    this.#open += crew.count;
    crew.tellAll({ k: 'finish' });
  }
}
