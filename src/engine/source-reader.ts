import type { Source } from '../connectors/connector.ts';
import type { Code } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import type { Decoder } from '../formats/format.ts';
import type { PartitionReport } from '../observe/job.ts';
import type { Position } from '../state/store.ts';
import type { Batch } from './batch.ts';
import type { Meter, Meters } from './meters.ts';
import type { Output } from './operator.ts';
import { bytesOf, type RecordBatch } from './records.ts';
import type { TimeUnitCheck } from './time-unit.ts';
import type { EventTime } from './watermark.ts';

/** What becomes of records before they are rows. */
export interface RecordCounts {
  read(source: string, n: number): void;
  undecodable(source: string, records: RecordBatch, i: number, code: Code, message: string): void;
  /** Row `i` is from the future. */
  future(source: string, batch: Batch, i: number): void;
}

export interface ReaderOptions {
  /** Name of the source in the pipeline. */
  readonly name: string;
  readonly source: Source;
  readonly decoder: Decoder;
  /** Where rows and watermarks go. */
  readonly input: Output;
  /** Index of the event time column and the clock of this source; null without event time. */
  readonly time: { readonly column: number; readonly clock: EventTime } | null;
  /** False: stop at the end known at open. */
  readonly following: boolean;
  /** Where the reader before it in this run was to stop, by partition: this one goes on for it, with its clock. null: it is the first. */
  readonly ends: ReadonlyMap<number, number> | null;
  /** Rows decoded at once, at most. */
  readonly batchRows: number;
  /** ms of event time that a partition may be ahead of the slowest one with a backlog. */
  readonly lead: number;
  readonly counts: RecordCounts;
  /** Looks for a wrong unit of event time; null when there is nothing to look at. */
  readonly unitCheck: TimeUnitCheck | null;
  readonly warn: (message: string) => void;
  /** End (ms) of the last open window that this source feeds. */
  readonly lastOpenEnd: () => number | null;
  /** What is taken down of it, among the others; null: nobody looks on. */
  readonly meters: { readonly all: Meters; readonly own: Meter } | null;
}

/** Records that are processed together. */
export interface Slice {
  readonly records: RecordBatch;
  readonly from: number;
  readonly to: number;
  /** Where the partition stands behind it. */
  readonly next: number;
  /** Wall time of its fetch, epoch ms. */
  readonly fetchedAt: number;
}

/** What is packed is cut only where it is more than so many times what is decoded at once. */
const WHOLE = 8;

/** What is taken down of a slice that was passed. */
export interface Taken {
  /** Of keys and values. */
  readonly bytes: number;
  /** Of the first record, epoch ms. */
  readonly timestamp: number;
}

interface PartitionState {
  readonly partition: number;
  /** Next offset to process; Source.position runs ahead of it. */
  next: number;
  /** Until-end: where to stop; Infinity when following. */
  readonly end: number;
  done: boolean;
}

interface Fetched {
  readonly records: RecordBatch;
  /** Records [at, to) are still to be processed. */
  at: number;
  readonly to: number;
  readonly partition: PartitionState;
}

/** One source of a running pipeline: what it fetched is decoded, stamped and pushed in slices, the slowest partition first. */
export class SourceReader {
  readonly name: string;
  readonly source: Source;
  readonly #o: ReaderOptions;
  readonly #partitions = new Map<number, PartitionState>();
  #fetched: Fetched[] = [];
  #fetchedAt = 0;
  #paused: Set<number> = new Set();
  #records: RecordBatch | null = null;
  #emitted = -Infinity;
  #polled = false;

  constructor(o: ReaderOptions) {
    this.#o = o;
    this.name = o.name;
    this.source = o.source;
  }

  /** After the source is open; `saved` are the positions of this source. */
  begin(saved: readonly Position[]): void {
    const times = new Map(saved.map(p => [p.partition, p.maxEventTime]));
    for (const p of this.source.partitions()) if (this.#o.following || this.#o.ends === null || this.#o.ends.has(p)) this.#add(p, times.get(p) ?? -Infinity);
    if (this.#o.ends !== null) this.#o.time?.clock.handOn();
    if (this.#o.time !== null) this.#emitted = this.#o.time.clock.watermark;
  }

  /** Where each partition stops; Infinity when following. */
  ends(): Map<number, number> { return new Map([...this.#partitions.values()].map(p => [p.partition, p.end])); }

  /** True when until-end has nothing left to read. */
  get finished(): boolean {
    for (const p of this.#partitions.values()) if (!p.done) return false;
    return true;
  }

  /** Watermark, epoch ms; null without event time. */
  get watermark(): number | null { return this.#o.time?.clock.watermark ?? null; }

  /** Partitions to leave out of the next fetch: those at their end, and those that are too far ahead. */
  paused(): ReadonlySet<number> {
    this.#grow();
    this.#paused = new Set();
    const clock = this.#o.time?.clock;
    let slowest = Infinity;
    for (const p of this.#partitions.values()) {
      if (p.done) this.#paused.add(p.partition);
      else if (clock !== undefined && this.#backlog(p) > 0) slowest = Math.min(slowest, clock.maxEventTime(p.partition));
    }
    for (const p of this.source.partitions()) if (!this.#partitions.has(p)) this.#paused.add(p);
    if (clock === undefined) return this.#paused;
    for (const p of this.#partitions.values()) if (clock.maxEventTime(p.partition) - slowest > this.#o.lead) this.#paused.add(p.partition);
    return this.#paused;
  }

  /** Records of one poll; all of them are to be stepped through before the next poll. */
  take(batches: readonly RecordBatch[], fetchedAt: number): void {
    this.#grow();
    this.#fetchedAt = fetchedAt;
    this.#polled = true;
    for (const records of batches) {
      const partition = this.#partitions.get(records.partition);
      if (partition === undefined || partition.done) continue;
      if (records.length > 0) this.#o.time?.clock.observe(partition.partition, null);
      let to = records.length;
      if (records.next > partition.end) while (to > 0 && (records.offsets[to - 1] as number) >= partition.end) to--;
      this.#fetched.push({ records, at: 0, to, partition });
    }
    if (this.fetched) failpoint('poll.received');
  }

  /** Processes one slice of what was taken; the number of records in it, or null when nothing is left. */
  step(): number | null {
    const slice = this.cut();
    if (slice === null) return null;
    const { records, from, to } = slice;
    if (to > from) this.#process(records, from, to);
    this.passed(slice);
    return to - from;
  }

  /** The next slice of what was taken, of the partition whose event time is lowest; null when nothing is left. */
  cut(): Slice | null {
    const f = this.#slowest();
    if (f === null) return null;
    const { records, at: from } = f;
    const whole = records.packed !== undefined && f.to === records.length && f.to <= WHOLE * this.#o.batchRows;
    const to = whole ? f.to : Math.min(f.to, from + this.#o.batchRows);
    f.at = to;
    if (to === f.to) this.#fetched.splice(this.#fetched.indexOf(f), 1);
    return { records, from, to, next: to < records.length ? (records.offsets[to] as number) : records.next, fetchedAt: this.#fetchedAt };
  }

  /** Slices are passed in the order in which they were cut: positions and the watermark move on. `taken`: by who has looked at its records already. */
  passed({ records, from, to, next }: Slice, taken: Taken | null = null): void {
    const partition = this.#partitions.get(records.partition) as PartitionState;
    if (to > from) this.#taken(records, from, to, taken);
    partition.next = next;
    if (next >= partition.end) this.#finish(partition);
    this.#forward();
    failpoint('slice.passed');
  }

  #taken(records: RecordBatch, from: number, to: number, taken: Taken | null): void {
    const { meters } = this.#o;
    if (meters === null) return;
    meters.all.passed(taken?.timestamp ?? (records.timestamps[from] as number));
    meters.own.bytes += taken?.bytes ?? bytesOf(records, from, to);
    meters.own.rows += to - from;
  }

  /** True while there is something to cut. */
  get fetched(): boolean { return this.#fetched.length > 0; }

  /** The clock of its event time, or null. */
  get clock(): EventTime | null { return this.#o.time?.clock ?? null; }

  /** Takes idleness into account; true when the watermark moved. */
  tick(): boolean {
    const time = this.#o.time;
    if (time === null) return false;
    // what another reader has seen stands until this one has looked
    if (this.#polled || this.#o.ends === null) for (const { partition } of this.#partitions.values()) {
      time.clock.observe(partition, this.#paused.has(partition) ? null : this.source.idleSince(partition));
    }
    return this.#forward();
  }

  /** What an epoch saves. */
  positions(): Position[] {
    const { name, id } = this.source.topic;
    return [...this.#partitions.values()].map(p => ({
      source: this.name, topic: name, topicId: id, partition: p.partition, next: p.next,
      maxEventTime: this.#o.time?.clock.maxEventTime(p.partition) ?? -Infinity,
    }));
  }

  /** Where each partition stands. */
  places(): PartitionReport[] {
    const clock = this.#o.time?.clock;
    return [...this.#partitions.values()].map(p => {
      const max = clock?.maxEventTime(p.partition) ?? -Infinity;
      return {
        partition: p.partition, position: p.next, end: Math.min(this.source.end(p.partition), p.end), max_event_time: max === -Infinity ? null : max,
        state: p.done ? 'done' : clock === undefined || clock.isLive(p.partition) ? 'live' : 'idle',
      };
    });
  }

  /** After a pause quiet counts from the beginning. */
  rested(): void { for (const p of this.#partitions.keys()) this.#o.time?.clock.observe(p, null); }

  /** Records that are there and not processed yet. */
  lag(): number {
    let lag = 0;
    for (const p of this.#partitions.values()) lag += Math.max(0, Math.min(this.source.end(p.partition), p.end) - p.next);
    return lag;
  }

  /** The partition that holds the watermark back, or null. */
  holder(): number | null { return this.#o.time?.clock.holder() ?? null; }

  #add(partition: number, max: number): void {
    const next = this.source.position(partition);
    const end = this.#o.following ? Infinity : this.#o.ends?.get(partition) ?? this.source.endAtOpen(partition);
    const state: PartitionState = { partition, next, end, done: false };
    this.#partitions.set(partition, state);
    const clock = this.#o.time?.clock;
    if (this.#o.ends === null || clock?.has(partition) === false) clock?.add(partition, max);
    if (next >= end) this.#finish(state);
  }

  /** Partitions may be added to a topic while it is read; until-end knows only those that were there at its start. */
  #grow(): void {
    if (!this.#o.following) return;
    const now = this.source.partitions();
    if (now.length === this.#partitions.size) return;
    for (const p of now) if (!this.#partitions.has(p)) this.#add(p, -Infinity);
  }

  #finish(p: PartitionState): void {
    p.done = true;
    this.#o.time?.clock.done(p.partition);
  }

  #backlog(p: PartitionState): number { return Math.min(this.source.end(p.partition), p.end) - this.source.position(p.partition); }

  /** The oldest fetch of the partition whose event time is lowest. */
  #slowest(): Fetched | null {
    const [first] = this.#fetched;
    const clock = this.#o.time?.clock;
    if (first === undefined || clock === undefined || this.#fetched.length === 1) return first ?? null;
    let slowest = first;
    for (const f of this.#fetched) {
      if (clock.maxEventTime(f.partition.partition) < clock.maxEventTime(slowest.partition.partition)) slowest = f;
    }
    return slowest;
  }

  #process(records: RecordBatch, from: number, to: number): void {
    const { decoder, time, input, counts, name, meters } = this.#o;
    const before = meters?.all.turn(meters.own);
    this.#records = records;
    counts.read(name, to - from);
    let batch = decoder.decode(records, from, to, this.#bad);
    failpoint('decode.after');
    if (batch.length > 0 && time !== null) {
      this.#checkUnit(batch, time.column);
      batch = time.clock.stamp(batch, time.column, records.partition, this.#fetchedAt, this.#future);
    }
    if (before !== undefined) meters?.all.turn(before);
    if (batch.length > 0) input.push(batch);
  }

  #checkUnit(batch: Batch, column: number): void {
    const { unitCheck, warn } = this.#o;
    if (unitCheck === null || unitCheck.done) return;
    const found = unitCheck.look(batch, column);
    if (found !== null) warn(`${found.message}; write ${found.hint}`);
  }

  readonly #bad = (i: number, code: Code, message: string): void => this.#o.counts.undecodable(this.name, this.#records as RecordBatch, i, code, message);
  readonly #future = (b: Batch, i: number): void => this.#o.counts.future(this.name, b, i);

  #forward(): boolean {
    const { time, input, lastOpenEnd } = this.#o;
    if (time === null) return false;
    const w = time.clock.advance(lastOpenEnd());
    if (w === this.#emitted) return false;
    this.#emitted = w;
    input.watermark(w);
    return true;
  }
}
