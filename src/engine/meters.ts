import type { OutBlock, StateTx } from '../state/store.ts';
import type { Batch } from './batch.ts';
import type { Clock } from './clock.ts';
import { Histogram, LONG, SHORT } from './histogram.ts';
import type { Operator, Output } from './operator.ts';

/** What went through one source, operator or sink. */
export class Meter {
  /** Rows that came in; of a source, records. */
  rows = 0;
  /** Bytes of keys and values, of a source. */
  bytes = 0;
  /** ms spent in it, without those behind it. */
  ms = 0;
  /** Epoch ms. */
  watermark = -Infinity;
  // no whole numbers from the beginning: the shape of the object would change with the first look at it, and hot code be thrown away
  #seenMs = NaN;
  #seenAt = NaN;

  /** Share of the time since the last call that was spent in it, 0 to 1; `now` is performance.now(). */
  busy(now: number): number {
    const share = Number.isNaN(this.#seenAt) ? 0 : (this.ms - this.#seenMs) / Math.max(1, now - this.#seenAt);
    this.#seenMs = this.ms;
    this.#seenAt = now;
    return Math.min(1, Math.max(0, share));
  }
}

/** The meters of one running pipeline. One clock runs at a time: whose turn it is, that is charged; a call costs two readings of the time a batch. */
export class Meters {
  /** From the timestamp of a record until its epoch is delivered. */
  readonly latency = new Histogram(LONG);
  /** From the end of a window until its rows went out. */
  readonly windowClose = new Histogram(LONG);
  readonly commit = new Histogram(SHORT);
  readonly delivery = new Histogram(SHORT);
  /** The last one of this run and its time, epoch ms. */
  epoch: number | null = null;
  committedAt: number | null = null;
  readonly #byId = new Map<string, Meter>();
  readonly #clock: Clock;
  /** Timestamps of records that the next epoch has, and of those that are on their way. */
  #read: number[] = [];
  #sent: number[] = [];
  #turn = new Meter();
  #since = performance.now();

  constructor(clock: Clock) { this.#clock = clock; }

  /** By the id of a scan or operator of the plan, or by `sinkId`. */
  of(id: string): Meter {
    let m = this.#byId.get(id);
    if (m === undefined) this.#byId.set(id, (m = new Meter()));
    return m;
  }

  /** From now on time is charged to `m`; returns whose turn it was. */
  turn(m: Meter): Meter {
    const now = performance.now();
    const before = this.#turn;
    before.ms += now - this.#since;
    this.#since = now;
    this.#turn = m;
    return before;
  }

  /** A slice was passed; `first` is the timestamp of its first record, epoch ms. */
  passed(first: number): void { this.#read.push(first); }

  /** What was passed so far is in the state file. */
  committed(epoch: number, ms: number, out: readonly OutBlock[]): void {
    this.commit.add(ms);
    this.epoch = epoch;
    this.committedAt = this.#clock.now();
    for (const b of out) this.of(topicId(b.topic)).bytes += b.data.length;
    this.#sent = this.#read;
    this.#read = [];
  }

  /** And its output is where it belongs; `ms` null where there was none. */
  delivered(ms: number | null): void {
    if (ms !== null) this.delivery.add(ms);
    const now = this.#clock.now();
    for (const t of this.#sent) this.latency.add(now - t);
    this.#sent = [];
  }

  windowClosed(end: number): void { this.windowClose.add(this.#clock.now() - end); }

  operator(o: Operator): Operator { return new MeteredOperator(o, this.of(o.id), this); }
  sinks(outputs: ReadonlyMap<string, Output>): ReadonlyMap<string, Output> { return new Map([...outputs].map(([sink, o]) => [sink, new MeteredOutput(o, this.of(sinkId(sink)), this)])); }
}

/** No id of a plan begins so. Of a topic, the bytes that were written to it. */
export const sinkId = (sink: string): string => `> ${sink}`;
export const topicId = (topic: string): string => `>> ${topic}`;

class MeteredOutput<T extends Output> implements Output {
  protected readonly inner: T;
  protected readonly meter: Meter;
  protected readonly meters: Meters;

  constructor(inner: T, meter: Meter, meters: Meters) {
    this.inner = inner;
    this.meter = meter;
    this.meters = meters;
  }

  push(b: Batch): void {
    this.meter.rows += b.length;
    const before = this.meters.turn(this.meter);
    this.inner.push(b);
    this.meters.turn(before);
  }

  watermark(ms: number): void {
    this.meter.watermark = ms;
    const before = this.meters.turn(this.meter);
    this.inner.watermark(ms);
    this.meters.turn(before);
  }

  finish(): void {
    const before = this.meters.turn(this.meter);
    this.inner.finish();
    this.meters.turn(before);
  }
}

class MeteredOperator extends MeteredOutput<Operator> implements Operator {
  get id(): string { return this.inner.id; }

  resume(): boolean {
    const before = this.meters.turn(this.meter);
    const nothingLeft = this.inner.resume();
    this.meters.turn(before);
    return nothingLeft;
  }

  snapshot(tx: StateTx): void {
    const before = this.meters.turn(this.meter);
    this.inner.snapshot(tx);
    this.meters.turn(before);
  }

  open(): void { this.inner.open(); }
  keys(): number { return this.inner.keys(); }
  lastOpenEnd(): number | null { return this.inner.lastOpenEnd(); }
  windows(most: number): ReturnType<Operator['windows']> { return this.inner.windows(most); }
}
