import { PipeError } from '../../errors.ts';
import type { SourceOptions } from '../connector.ts';
import type { Cluster, Lane } from './cluster.ts';
import { check, errors, isPassing, KafkaError } from './kafka-error.ts';
import { offsetsOf } from './listing.ts';
import { PartitionState } from './partition-state.ts';
import { lost, missing, recreated, rewound } from './positions.ts';
import { EARLIEST, LATEST } from './protocol-cluster.ts';
import { type FetchedPartition, fetchRequest } from './protocol-fetch.ts';
import { explained, type Retrier } from './retry.ts';
import type { SourceParts } from './source-parts.ts';

const MAX_WAIT_MS = 500;
/** While partitions are left out, which may be wanted any moment. */
const SHORT_WAIT_MS = 20;
const MAX_BYTES = 8 << 20;
const MAX_BYTES_PER_PARTITION = 1 << 20;
const METADATA_MS = 30_000;
/** A topic that is away for so long was deleted; brokers that start do not know all of theirs at once. */
const GONE_MS = 60_000;
/** A new leader may lag behind for a moment. */
const BEYOND_MS = 10_000;

/** Keeps one fetch at each leader on its way, for partitions whose last answer was taken. */
export class Fetcher {
  readonly partitions: PartitionState[];
  readonly #o: SourceOptions;
  readonly #parts: SourceParts;
  readonly #cluster: Cluster;
  readonly #lane: Lane;
  readonly #topicId: string;
  readonly #retrier: Retrier;
  /** Brokers that have not answered yet, or are given time after a failure. */
  readonly #flying = new Set<number>();
  /** Brokers that did not answer last time. */
  readonly #failing = new Set<number>();
  #refreshing = false;
  #refreshedAt = -Infinity;
  #goneSince: number | null = null;
  #paused: ReadonlySet<number> = new Set();
  /** The first partition of a request is served first: each in turn. */
  #turn = 0;
  #failure: unknown = null;
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(o: SourceOptions, parts: SourceParts, topicId: string, partitions: PartitionState[], retrier: Retrier) {
    this.#o = o;
    this.#parts = parts;
    this.#cluster = parts.cluster;
    this.#lane = parts.cluster.lane();
    this.#topicId = topicId;
    this.#retrier = retrier;
    this.partitions = partitions;
  }

  /** Throws what ended the reading for good. */
  check(): void { if (this.#failure !== null) throw this.#failure; }

  /** Asks for all that is wanted and not on its way. */
  start(paused: ReadonlySet<number>): void {
    if (this.#closed || this.#failure !== null) return;
    this.#paused = paused;
    const wanted = this.partitions.filter(p => !p.flying && p.fetched === null && !paused.has(p.partition));
    if (wanted.some(p => p.leader < 0) || performance.now() - this.#refreshedAt > METADATA_MS) void this.#refresh();
    const leaders = new Map<number, PartitionState[]>();
    this.#turn++;
    for (let i = 0; i < wanted.length; i++) {
      const p = wanted[(i + this.#turn) % wanted.length] as PartitionState;
      if (p.leader < 0 || this.#flying.has(p.leader)) continue;
      const list = leaders.get(p.leader);
      if (list === undefined) leaders.set(p.leader, [p]);
      else list.push(p);
    }
    for (const [node, list] of leaders) void this.#fetch(node, list);
  }

  /** Until something has changed, `ms` are over, or the signal. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  close(): void {
    this.#closed = true;
    this.#cluster.endLane(this.#lane);
    this.#wake?.();
  }

  async #fetch(node: number, list: readonly PartitionState[]): Promise<void> {
    this.#flying.add(node);
    for (const p of list) p.flying = true;
    try {
      const maxWaitMs = list.length === this.partitions.length - this.#elsewhere(node) ? MAX_WAIT_MS : SHORT_WAIT_MS;
      const answer = await this.#lane.send(node, fetchRequest({
        topicId: this.#topicId, partitions: list.map(p => ({ partition: p.partition, offset: p.position })), maxWaitMs, maxBytes: MAX_BYTES, maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      }));
      check(answer.error, `read topic "${this.#o.topic}"`);
      const failed = answer.partitions.filter(f => !this.#answered(f));
      for (const f of failed) await this.#refused(f);
      this.#failing.delete(node);
      if (this.#failing.size === 0) this.#retrier.ok();
    } catch (error) {
      this.#failing.add(node);
      for (const p of list) { p.disturbed(); p.leader = -1; }
      await this.#failed(error);
    } finally {
      this.#flying.delete(node);
      for (const p of list) p.flying = false;
      this.#wake?.();
    }
  }

  #elsewhere(node: number): number { return this.partitions.reduce((n, p) => n + (p.leader !== node ? 1 : 0), 0); }

  /** False when the broker refused this partition. */
  #answered(f: FetchedPartition): boolean {
    if (f.error !== 0) return false;
    const p = this.partitions[f.partition];
    if (p === undefined) return true;
    const now = Date.now();
    p.answered(f, now);
    if (this.#paused.has(f.partition)) p.disturbed();
    const stuck = p.takeStuck(now);
    if (stuck !== null) this.#parts.notices.warn(`${this.#o.topic}/${f.partition} has been waiting for an open transaction at offset ${f.lastStable} for ${stuck} s: ${f.highWatermark - f.lastStable} records are held back by its producer`);
    return true;
  }

  async #refused(f: FetchedPartition): Promise<void> {
    const p = this.partitions[f.partition] as PartitionState;
    p.disturbed();
    if (f.error !== errors.OFFSET_OUT_OF_RANGE) throw new KafkaError(f.error, `read ${this.#o.topic}/${f.partition}`);
    const { topic } = this.#o;
    const only = [f.partition];
    const [begin, end] = (await Promise.all([offsetsOf(this.#cluster, topic, only, EARLIEST, false), offsetsOf(this.#cluster, topic, only, LATEST, false)])).map(m => m.get(f.partition) ?? 0) as [number, number];
    if (p.position < begin) p.position = lost(this.#o, f.partition, p.position, begin, this.#parts.notices);
    else if (p.position > end) {
      p.beyondSince ??= performance.now();
      if (performance.now() - p.beyondSince <= BEYOND_MS) throw new KafkaError(errors.NOT_LEADER_OR_FOLLOWER, `read ${topic}/${f.partition}`);
      p.position = rewound(this.#o, f.partition, p.position, end, begin, this.#parts.notices);
    }
  }

  /** Leaders, and partitions that were added; notices when the topic is another one or away. */
  async #refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    const { topic } = this.#o;
    try {
      const found = await this.#cluster.topic(topic, true);
      if (found === null) {
        this.#goneSince ??= performance.now();
        if (performance.now() - this.#goneSince > GONE_MS) throw await missing(this.#cluster, topic, this.#parts.label);
        throw new KafkaError(errors.UNKNOWN_TOPIC_OR_PARTITION, `read topic "${topic}"`);
      }
      this.#goneSince = null;
      if (found.id !== this.#topicId) throw recreated(topic);
      const before = this.partitions.length;
      for (const { partition, leader } of found.partitions) {
        const known = this.partitions[partition];
        if (known !== undefined) known.leader = leader;
        else if (partition === this.partitions.length) {
          const added = new PartitionState(topic, partition, 0, 0);
          added.leader = leader;
          this.partitions.push(added);
        }
      }
      const added = this.partitions.length - before;
      if (added > 0) this.#parts.notices.info(`topic "${topic}" has ${added} more ${added === 1 ? 'partition' : 'partitions'}, read from the beginning; new records of a key may go to another partition than before`);
      this.#refreshedAt = performance.now();
      for (const node of this.#failing) if (!this.partitions.some(p => p.leader === node)) this.#failing.delete(node);
      if (this.partitions.some(p => p.leader < 0)) throw new KafkaError(errors.LEADER_NOT_AVAILABLE, `read topic "${topic}"`);
    } catch (error) {
      await this.#failed(error);
    } finally {
      this.#refreshing = false;
      this.#wake?.();
    }
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#closed) return;
    if (isPassing(error) || (error instanceof KafkaError && error.is('INCONSISTENT_TOPIC_ID'))) await this.#retrier.failed(error);
    else this.#failure = error instanceof PipeError ? error : explained(error, 'source', `read topic "${this.#o.topic}"`);
  }
}
