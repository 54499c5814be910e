import type { RecordBatch } from '../../engine/records.ts';
import { setImmediate } from 'node:timers/promises';
import type { Source, SourceOptions, TopicInfo } from '../connector.ts';
import { loadCodecs } from './codecs/index.ts';
import { Fetcher } from './fetcher.ts';
import { describeTopic } from './listing.ts';
import { packBatches } from './pack.ts';
import { PartitionState } from './partition-state.ts';
import { missing, recreated, startPositions } from './positions.ts';
import type { FetchedPartition } from './protocol-fetch.ts';
import { codecIds, offsetAfter } from './record-batch.ts';
import { explained, Retrier } from './retry.ts';
import type { SourceParts } from './source-parts.ts';

/** The cluster has answered a moment ago. */
const OPEN_MS = 30_000;

interface Taken {
  readonly partition: PartitionState;
  readonly from: number;
  readonly fetched: FetchedPartition;
}

/** Reads all partitions of one topic, committed records only, as a member of no group. */
export class KafkaSource implements Source {
  readonly #o: SourceOptions;
  readonly #parts: SourceParts;
  readonly #retrier: Retrier;
  #topic: TopicInfo | null = null;
  #fetcher: Fetcher | null = null;
  /** What the last poll gave. */
  #given: readonly Taken[] = [];
  #closed = false;

  constructor(o: SourceOptions, parts: SourceParts) {
    this.#o = o;
    this.#parts = parts;
    this.#retrier = new Retrier(parts.cluster, parts.outage);
  }

  /** Throws system.source.topic_missing, topic_recreated, offset_lost, unreachable. */
  async open(): Promise<void> {
    const { cluster, label, notices } = this.#parts;
    const { topic: name, topicId } = this.#o;
    try {
      await this.#retrier.run(async () => {
        const found = await cluster.topic(name, true);
        if (found === null) throw await missing(cluster, name, label);
        if (topicId !== null && topicId !== found.id) throw recreated(name);
        this.#topic = await describeTopic(cluster, found);
        const partitions = (await startPositions(cluster, found, this.#o, notices)).map(s => new PartitionState(name, s.partition, s.position, s.end));
        this.#fetcher = new Fetcher(this.#o, this.#parts, found.id, partitions, this.#retrier);
      }, OPEN_MS);
    } catch (error) {
      throw explained(error, 'source', `read topic "${name}"`);
    }
  }

  get topic(): TopicInfo {
    if (this.#topic === null) throw new Error('the source is not open');
    return this.#topic;
  }

  partitions(): readonly number[] { return this.#all().map(p => p.partition); }
  position(partition: number): number { return this.#of(partition).position; }
  endAtOpen(partition: number): number { return this.#of(partition).endAtOpen; }
  end(partition: number): number { return this.#of(partition).end; }
  idleSince(partition: number): number | null { return this.#of(partition).idleSince(Date.now()); }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    const fetcher = this.#fetcher;
    if (fetcher === null) throw new Error('the source is not open');
    const deadline = performance.now() + maxWaitMs;
    for (const { fetched } of this.#given) fetched.release();
    this.#given = [];
    for (;;) {
      fetcher.check();
      const taken = this.#given = this.#take(paused);
      fetcher.start(paused);
      if (taken.length > 0) {
        // the next fetch is on its way before this one is decoded
        await setImmediate();
        for (const t of taken) await loadCodecs(codecIds(t.fetched.records as Buffer));
        return taken.flatMap(t => this.#open(t));
      }
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted || this.#closed) return [];
      await fetcher.wait(left, signal);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retrier.stop();
    this.#fetcher?.close();
  }

  #open({ partition: { partition, decoder }, from, fetched: { records, aborted } }: Taken): RecordBatch[] {
    const { topic, packed = false } = this.#o;
    return packed ? packBatches(records as Buffer, topic, partition, from, aborted, decoder) : [decoder.decode(records as Buffer, from, aborted)];
  }

  #take(paused: ReadonlySet<number>): Taken[] {
    const taken: Taken[] = [];
    for (const p of this.#all()) {
      const { fetched, position } = p;
      if (paused.has(p.partition)) { p.disturbed(); continue; }
      if (fetched === null) continue;
      p.fetched = null;
      p.position = offsetAfter(fetched.records as Buffer, position);
      taken.push({ partition: p, from: position, fetched });
    }
    return taken;
  }

  #all(): readonly PartitionState[] { return this.#fetcher?.partitions ?? []; }

  #of(partition: number): PartitionState {
    const p = this.#all()[partition];
    if (p === undefined) throw new Error(`no partition ${partition}`);
    return p;
  }
}
