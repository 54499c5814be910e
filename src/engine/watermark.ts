import { newBatch, type Batch } from './batch.ts';
import type { Clock } from './clock.ts';
import { withoutRows } from './pick-rows.ts';

export interface EventTimeOptions {
  /** ms that events may be late. */
  readonly delay: number;
  /** ms of quiet after which a partition stops holding the others; in force when following. */
  readonly idle: number;
  /** ms that an event may be ahead of its record. */
  readonly maxFuture: number;
  /** False: until-end or a replay, where only the records themselves decide. */
  readonly following: boolean;
  /** The watermark goes no further (epoch ms): of a replay, as far as it had come; none when absent. */
  readonly ceiling?: number;
}

interface PartitionTime {
  /** Highest event time, epoch ms; -Infinity before the first row. */
  max: number;
  state: 'live' | 'idle' | 'done';
  /** What Source.idleSince said last; a change restarts the timer. */
  quietSince: number | null;
  /** Clock.elapsed() when this quiet was first seen. */
  quietFrom: number;
  /** The next that Source.idleSince says is the same quiet: another reader of the source sees it. */
  handedOn: boolean;
}

/** The event time of a slice among all partitions, epoch ms: what makes watermarks of its own highest event times. */
export interface SliceTime {
  /** Watermark before the slice. */
  readonly floor: number;
  /** Highest event time of its partition before the slice. */
  readonly max: number;
  /** Highest watermark that the other partitions allow. */
  readonly others: number;
  readonly delay: number;
}

export const NO_TIME: SliceTime = { floor: -Infinity, max: -Infinity, others: Infinity, delay: 0 };

/** The watermark in force behind rows of a slice whose highest event time is `before`, epoch ms. */
export const watermarkAt = ({ floor, max, others, delay }: SliceTime, before: number): number => Math.max(floor, Math.min(Math.max(max, before) - delay, others));

/**
 * Event time of one source. The watermark is the highest event time - delay, minimum over the live partitions, and never
 * goes back. It holds per row, before WHERE: a batch is stamped with the watermark in force before each of its rows, so that
 * results do not depend on batch sizes.
 */
export class EventTime {
  readonly #o: EventTimeOptions;
  readonly #clock: Clock;
  readonly #partitions = new Map<number, PartitionTime>();
  #watermark: number;
  /** Highest event time of all partitions, and Clock.elapsed() at its arrival. */
  #last = -Infinity;
  #lastAt: number;
  #wm = new Float64Array(0);

  /** `watermark` goes on from a saved epoch; -Infinity when fresh. */
  constructor(o: EventTimeOptions, clock: Clock, watermark: number) {
    this.#o = o;
    this.#clock = clock;
    this.#watermark = watermark;
    this.#lastAt = clock.elapsed();
  }

  /** The watermark in force, epoch ms; -Infinity before there is one. */
  get watermark(): number { return this.#watermark; }

  /** A partition to wait for; `max` is its saved event time or -Infinity. */
  add(partition: number, max: number): void {
    this.#partitions.set(partition, { max, state: 'live', quietSince: null, quietFrom: 0, handedOn: false });
    if (max > this.#last) this.#last = max;
  }

  /** The source goes on with another reader, at the same place: what is quiet has been so since it was seen. */
  handOn(): void { for (const p of this.#partitions.values()) p.handedOn = p.quietSince !== null; }

  has(partition: number): boolean { return this.#partitions.has(partition); }
  maxEventTime(partition: number): number { return this.#of(partition).max; }
  isLive(partition: number): boolean { return this.#of(partition).state === 'live'; }

  /** The partition whose event time holds the watermark back, or null when none does. */
  holder(): number | null {
    let holder: number | null = null;
    let least = Infinity;
    for (const [id, p] of this.#partitions) if (p.state === 'live' && (holder === null || p.max < least)) { holder = id; least = p.max; }
    return holder;
  }

  /** A partition that was read to its end in until-end: it no longer holds the others. */
  done(partition: number): void { this.#of(partition).state = 'done'; }

  /**
   * Takes note of Source.idleSince, at least once a poll. The quiet is timed here, from when it was first seen, so that
   * neither a jump of the wall clock nor a restart makes a partition idle.
   */
  observe(partition: number, idleSince: number | null): void {
    const p = this.#of(partition);
    if (!this.#o.following || p.state === 'done') return;
    const { handedOn } = p;
    p.handedOn = false;
    if (idleSince === null) {
      p.quietSince = null;
      p.state = 'live';
      return;
    }
    const now = this.#clock.elapsed();
    if (p.quietSince !== idleSince) {
      p.quietSince = idleSince;
      if (!handedOn) p.quietFrom = now;
    }
    p.state = now - p.quietFrom >= this.#o.idle ? 'idle' : 'live';
  }

  /**
   * Fills `wm` with the watermark in force just before each row and moves the partition's event time on. Rows from the
   * future move no clock: they are reported and left out of the batch that is returned. `time` is the index of the event
   * time column, `fetchedAt` the wall time of the fetch. The returned batch is valid until the next call.
   */
  stamp(b: Batch, time: number, partition: number, fetchedAt: number, future: (b: Batch, i: number) => void): Batch {
    const n = b.length;
    const p = this.#of(partition);
    const { delay, maxFuture, following } = this.#o;
    const events = b.cols[time] as Float64Array;
    const origin = b.origin as NonNullable<Batch['origin']>;
    const { rows } = origin;
    const { timestamps } = origin.records;
    const fetched = following ? fetchedAt : Infinity;
    const floor = this.#watermark;
    const others = this.#others(partition);
    if (this.#wm.length < n) this.#wm = new Float64Array(n);
    const wm = this.#wm;
    let removed: number[] | null = null;
    let max = p.max;
    let w = Math.max(floor, Math.min(max - delay, others));
    for (let i = 0; i < n; i++) {
      wm[i] = w;
      const t = events[i] as number;
      const recorded = timestamps[rows[i] as number] as number;
      // -1: the record has no timestamp
      const stamped = recorded < 0 ? fetched : recorded;
      if (t > (stamped < fetched ? stamped : fetched) + maxFuture) {
        (removed ??= []).push(i);
      } else if (t > max) {
        max = t;
        const own = t - delay;
        const next = own < others ? own : others;
        if (next > w) w = next;
      }
    }
    p.max = max;
    this.#watermark = w;
    if (max > this.#last) {
      this.#last = max;
      this.#lastAt = this.#clock.elapsed();
    }
    const stamped = newBatch(b.schema, n, b.cols, b.nulls, wm, origin);
    if (removed === null) return stamped;
    for (const i of removed) future(b, i);
    return withoutRows(stamped, removed);
  }

  /** What is in force before the next slice of a partition. */
  before(partition: number): SliceTime { return { floor: this.#watermark, max: this.#of(partition).max, others: this.#others(partition), delay: this.#o.delay }; }

  /**
   * Moves the event time of a partition on by the rows of a slice that a worker has stamped; `max` is the highest of them, or -Infinity.
   * Returns what was in force before: of it the worker makes the watermarks that `stamp` would have given.
   */
  pass(partition: number, max: number): SliceTime {
    const p = this.#of(partition);
    const before = this.before(partition);
    if (max > p.max) p.max = max;
    this.#watermark = Math.max(this.#watermark, Math.min(p.max - before.delay, before.others));
    if (p.max > this.#last) {
      this.#last = p.max;
      this.#lastAt = this.#clock.elapsed();
    }
    return before;
  }

  /**
   * The watermark after idleness and the clock are taken into account. When all partitions are idle, event time goes on with
   * the clock from the last event, no further than `lastOpenEnd` - 1 (ms), and stands still when no window is open (null).
   */
  advance(lastOpenEnd: number | null): number {
    let least = Infinity;
    let idle = 0;
    for (const p of this.#partitions.values()) {
      if (p.state === 'live' && p.max < least) least = p.max;
      else if (p.state === 'idle') idle++;
    }
    let w = Math.min(least - this.#o.delay, this.#o.ceiling ?? Infinity);
    if (least === Infinity) {
      const ticking = idle > 0 && lastOpenEnd !== null;
      w = ticking ? Math.min(this.#last + (this.#clock.elapsed() - this.#lastAt) - this.#o.delay, lastOpenEnd - 1) : -Infinity;
    }
    if (w > this.#watermark) this.#watermark = Math.floor(w);
    return this.#watermark;
  }

  #of(partition: number): PartitionTime { return this.#partitions.get(partition) as PartitionTime; }

  /** Watermark of the live partitions but one, or the ceiling; Infinity when there is none of them. */
  #others(partition: number): number {
    let least = Infinity;
    for (const [id, p] of this.#partitions) if (id !== partition && p.state === 'live' && p.max < least) least = p.max;
    return Math.min(least - this.#o.delay, this.#o.ceiling ?? Infinity);
  }
}
