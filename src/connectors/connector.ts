import type { OutBlock } from '../state/store.ts';
import type { Header, RecordBatch } from '../engine/records.ts';

export interface TopicInfo {
  readonly name: string;
  /** Changes when a topic is deleted and made again. */
  readonly id: string;
  readonly partitions: readonly PartitionInfo[];
}

export interface PartitionInfo {
  readonly partition: number;
  readonly begin: number;
  /** Next offset to be written; on Kafka the last stable offset. */
  readonly end: number;
  /** Stored bytes where the log knows them, else null. */
  readonly bytes: number | null;
}

export interface CreateTopic {
  readonly name: string;
  readonly partitions: number;
  /** ms, or null for the log's default (embedded: 7 days as Kafka's; null config = keep the default). */
  readonly retention: number | null;
  readonly config: Readonly<Record<string, string>>;
}

/** One record to append from a command (`topics send`, `generate`). */
export interface NewRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  /** null: the log decides (murmur2 of the key, or the next in turn). */
  readonly partition: number | null;
  /** Epoch ms; null: now. The embedded log stamps its own time whatever this says. */
  readonly timestamp: number | null;
}

export interface SourceOptions {
  readonly topic: string;
  /** Topic id of the saved positions, or null when fresh; another id now is system.source.topic_recreated. */
  readonly topicId: string | null;
  /** Saved positions by partition. */
  readonly positions: ReadonlyMap<number, number>;
  /** Where partitions without a saved position begin; a number is epoch ms. Partitions that appear later begin at their first offset. */
  readonly from: 'earliest' | 'latest' | number;
  /** Stored offset gone by retention. */
  readonly onDataLoss: 'stop' | 'earliest';
  /** How many times the usual records one poll may give: for who has several threads for them; 1 when absent. */
  readonly appetite?: number;
  /** Records as the log keeps them (RecordBatch.packed), where it can give them so; for the same. */
  readonly packed?: boolean;
}

/** Reads one topic by manual assignment of all its partitions; positions belong to the caller's state. */
export interface Source {
  open(): Promise<void>;
  readonly topic: TopicInfo;
  /** All partitions, in order; may grow while running. */
  partitions(): readonly number[];
  /** Next offset that poll will give for this partition. */
  position(partition: number): number;
  /** End (last stable offset) as of open: where --until-end stops. */
  endAtOpen(partition: number): number;
  /** End (last stable offset) by the newest answer: lag = end - position. */
  end(partition: number): number;
  /**
   * Records of any partitions that are not paused; [] after `maxWaitMs` without any. One fetch is kept in flight ahead, not more.
   * Never rejects for an outage that a retry can cure (it waits and reports through `notify`); rejects with PipeError otherwise.
   */
  poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]>;
  /**
   * Wall time (ms) since which fetches were answered and position = end = high watermark, without a break; null when not so:
   * backlog, outage, a paused partition and an open transaction are not idle.
   */
  idleSince(partition: number): number | null;
  close(): Promise<void>;
}

export interface DeliveryOptions {
  readonly pipeline: string;
  /** settings.kafka.id_prefix, '' by default. */
  readonly idPrefix: string;
  readonly stateId: string;
  /** New in every process. */
  readonly ownerId: string;
  /** false: at-least-once; commit sends without a transaction. */
  readonly exactlyOnce: boolean;
  /** --reset-state: take the pipeline over from a foreign state id. */
  readonly takeOver: boolean;
}

/** Blocks of one epoch and the input positions that go with them; without blocks: positions alone. */
export interface OutEpoch {
  readonly number: number;
  readonly blocks: readonly OutBlock[];
  /** Next offset by topic and partition. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** One per pipeline and log: all sinks, dead-letter topics and input offsets of an epoch become visible together. */
export interface Delivery {
  /** Set where nobody orders commits (at least once on Kafka): one that was given up may arrive late, and put the marker back. */
  readonly markerMayLag?: true;
  /**
   * kafka.md 5 "recover" 1-3: reads the marker, checks its state id before anybody is fenced, fences, reads again.
   * Returns the last delivered epoch, or null when nothing was ever delivered (or the marker expired).
   * `owed`: what was to go with `lastDelivery`, where nobody has noted its arrival. Throws system.state.foreign, system.sink.fenced, and
   * system.state.rolled_back: the marker is ahead of `lastDelivery`, or there is a delivery of that number by another copy of the state.
   */
  recover(lastDelivery: number, owed?: OutEpoch['offsets'] | null): Promise<number | null>;
  /** Makes an epoch visible; idempotent for the same number. Retries and recovers in place without limit; throws only what no retry can cure. */
  commit(epoch: OutEpoch): Promise<void>;
  /** On return readers find what was committed; a log that is slow to show it is waited for, some seconds at most. */
  close(): Promise<void>;
}

export interface Notices {
  /** A line for the user; connectors repeat themselves at most once a minute. */
  warn(message: string): void;
  info(message: string): void;
}

/** A place where topics live. */
export interface Log {
  readonly kind: 'embedded' | 'kafka';
  /** 'embedded', or the Kafka cluster id: part of the state file's name. Known after open. */
  readonly id: string;
  /** For people: 'embedded log', 'Kafka at localhost:9092'. */
  readonly label: string;
  /** Retries until `timeoutMs`; then system.source.unreachable with what was tried. */
  open(timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Brokers do not answer, and the user has been told so. */
  away(): boolean;
  topics(): Promise<TopicInfo[]>;
  topic(name: string): Promise<TopicInfo | null>;
  /** 'exists' says nothing about whether it is alike: compare `topic()`. */
  createTopic(t: CreateTopic): Promise<'created' | 'exists'>;
  source(o: SourceOptions): Source;
  delivery(o: DeliveryOptions): Delivery;
  /** Durable on return, in order. */
  append(topic: string, records: readonly NewRecord[]): Promise<void>;
  /** Offset of the first record at or after a time (epoch ms), by partition; the end where there is none. */
  offsetsAt(topic: string, ms: number): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}
