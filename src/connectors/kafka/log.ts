import type { KafkaSettings } from '../../config/spec.ts';
import { BlockQueue } from '../../engine/block-queue.ts';
import { PipeError } from '../../errors.ts';
import type { OutBlock } from '../../state/store.ts';
import type { CreateTopic, Delivery, DeliveryOptions, Log, NewRecord, Notices, Source, SourceOptions, TopicInfo } from '../connector.ts';
import type { Dial } from './client.ts';
import { Cluster } from './cluster.ts';
import { openDelivery } from './delivery.ts';
import { IdempotentWriter } from './idempotent.ts';
import { errors, KafkaError } from './kafka-error.ts';
import { describeTopic, offsetsOf } from './listing.ts';
import { reach } from './open.ts';
import { Outage } from './outage.ts';
import { createTopicRequest, LATEST } from './protocol-cluster.ts';
import { explained, Retrier } from './retry.ts';
import { clientSettings } from './settings.ts';
import { KafkaSource } from './source.ts';

/** Requests of commands are given up after this many ms. */
const PATIENCE_MS = 30_000;
const CREATE_MS = 15_000;
/** Topics that are looked at together. */
const AT_ONCE = 16;

export interface KafkaLogOptions {
  /** host:port each. */
  readonly brokers: readonly string[];
  /** ssl, sasl and client_id; null for none. */
  readonly settings: KafkaSettings | null;
  readonly notices: Notices;
  /** How connections are made; TCP or TLS when absent. */
  readonly dial?: Dial;
}

/** Topics of a Kafka cluster, 3.1 or newer. Throws user.config.bad_value where an address or a setting is none. */
export const openKafkaLog = (o: KafkaLogOptions): Log => new KafkaLog(o);

class KafkaLog implements Log {
  readonly kind = 'kafka';
  readonly label: string;
  readonly #brokers: string;
  readonly #notices: Notices;
  readonly #cluster: Cluster;
  readonly #outage: Outage;
  readonly #retrier: Retrier;
  #writer: IdempotentWriter | null = null;
  /** The next append waits for the one before: records stay in order. */
  #appending: Promise<unknown> = Promise.resolve();
  #turn: number | null = null;

  constructor({ brokers, settings, notices, dial }: KafkaLogOptions) {
    this.#brokers = brokers.join(',');
    this.label = `Kafka at ${this.#brokers}`;
    this.#notices = notices;
    this.#cluster = new Cluster(brokers, clientSettings(settings), dial);
    this.#outage = new Outage(this.label, notices);
    this.#retrier = new Retrier(this.#cluster, this.#outage);
  }

  get id(): string { return this.#cluster.id; }

  /** Also throws system.source.auth and system.source.client_version, at once. */
  open(timeoutMs: number, signal: AbortSignal): Promise<void> { return reach(this.#cluster, this.#brokers, timeoutMs, this.#notices, signal); }

  away(): boolean { return this.#outage.known; }

  topics(): Promise<TopicInfo[]> {
    return this.#ask('list topics', async () => {
      const { topics } = await this.#cluster.metadata(null);
      const wanted = topics.filter(t => t.error === 0 && !t.internal).sort((a, b) => (a.name < b.name ? -1 : 1));
      const found: TopicInfo[] = [];
      for (let i = 0; i < wanted.length; i += AT_ONCE) found.push(...await Promise.all(wanted.slice(i, i + AT_ONCE).map(t => describeTopic(this.#cluster, t))));
      return found;
    });
  }

  topic(name: string): Promise<TopicInfo | null> {
    return this.#ask(`look at topic "${name}"`, async () => {
      const found = await this.#cluster.topic(name, true);
      return found === null ? null : describeTopic(this.#cluster, found);
    });
  }

  /** Returns when it can be used. Throws user.config.bad_value with what the broker says against it. */
  createTopic({ name, partitions, retention, config }: CreateTopic): Promise<'created' | 'exists'> {
    const all = retention === null ? config : { ...config, 'retention.ms': String(retention) };
    return this.#ask(`create topic "${name}"`, async () => {
      const { error, message } = await this.#cluster.controller(createTopicRequest({ name, partitions, config: all }, CREATE_MS));
      if (error === errors.TOPIC_ALREADY_EXISTS) return 'exists';
      const failure = new KafkaError(error, message ?? 'refused');
      if (failure.is('INVALID_TOPIC', 'INVALID_PARTITIONS', 'INVALID_REPLICATION_FACTOR', 'INVALID_CONFIG', 'POLICY_VIOLATION')) {
        throw new PipeError('user.config.bad_value', `the broker refused to create topic "${name}": ${failure.message}`);
      }
      if (error !== 0) throw failure;
      await this.#retrier.run(() => this.#ready(name), CREATE_MS);
      return 'created';
    });
  }

  source(o: SourceOptions): Source { return new KafkaSource(o, { cluster: this.#cluster, outage: this.#outage, notices: this.#notices, label: this.label }); }
  delivery(o: DeliveryOptions): Delivery { return openDelivery(o, { cluster: this.#cluster, outage: this.#outage, label: this.label }); }

  append(topic: string, records: readonly NewRecord[]): Promise<void> {
    const work = this.#appending.then(() => this.#append(topic, records));
    this.#appending = work.catch(() => undefined);
    return work;
  }

  offsetsAt(topic: string, ms: number): Promise<ReadonlyMap<number, number>> {
    return this.#ask(`look at topic "${topic}"`, async () => {
      const found = await this.#cluster.topic(topic);
      const partitions = (found?.partitions ?? []).map(p => p.partition);
      const [at, end] = await Promise.all([offsetsOf(this.#cluster, topic, partitions, ms, true), offsetsOf(this.#cluster, topic, partitions, LATEST, true)]);
      return new Map([...at].map(([p, offset]) => [p, offset < 0 ? end.get(p) ?? 0 : offset]));
    });
  }

  async close(): Promise<void> {
    this.#retrier.stop();
    this.#cluster.close();
  }

  async #append(topic: string, records: readonly NewRecord[]): Promise<void> {
    const info = await this.#ask(`look at topic "${topic}"`, () => this.#cluster.topic(topic));
    if (info === null) throw new PipeError('system.sink.topic_missing', `topic "${topic}" does not exist on ${this.label}`, { hint: `create it: pipe topics create ${topic} --partitions 3` });
    this.#writer ??= new IdempotentWriter(this.#cluster, this.#cluster.lane(), this.#retrier);
    const items = this.#place(topic, info.partitions.length, records);
    try {
      await this.#writer.write(items, PATIENCE_MS);
    } catch (error) {
      throw explained(error, 'sink', `write to topic "${topic}"`);
    }
  }

  #place(topic: string, partitions: number, records: readonly NewRecord[]): readonly OutBlock[] {
    // processes that send one record each would otherwise all choose the first partition
    const queue = new BlockQueue(topic, partitions, this.#turn ?? Math.floor(Math.random() * partitions));
    for (const r of records) {
      if (r.partition !== null && r.partition >= partitions) throw new PipeError('user.usage.bad_value', `topic "${topic}" has ${partitions} partitions; there is no partition ${r.partition}`);
      queue.add(r.partition, r.key, r.value, r.headers, r.timestamp ?? Date.now());
    }
    this.#turn = queue.turn;
    return queue.take();
  }

  async #ready(name: string): Promise<void> {
    const found = await this.#cluster.topic(name, true);
    if (found === null || found.partitions.length === 0 || found.partitions.some(p => p.leader < 0)) throw new KafkaError(errors.LEADER_NOT_AVAILABLE, `topic "${name}"`);
  }

  async #ask<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#retrier.run(work, PATIENCE_MS);
    } catch (error) {
      throw explained(error, 'source', doing);
    }
  }
}
