import { openBlock } from '../../engine/block.ts';
import { PipeError } from '../../errors.ts';
import type { CreateTopic, Delivery, DeliveryOptions, Log, NewRecord, OutEpoch, Source, SourceOptions, TopicInfo } from '../connector.ts';
import { MemorySource } from './source.ts';
import { MemoryTopic } from './topic.ts';
import { Waiting } from './waiting.ts';

/** Topics without any I/O, for one process. Its time is the caller's. */
export class MemoryLog implements Log {
  readonly kind = 'embedded';
  readonly id = 'memory';
  readonly label = 'log in memory';
  readonly waiting = new Waiting();
  /** Partitions that count as busy though nothing comes. */
  busy: (topic: string, partition: number) => boolean = () => false;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #sources = new Set<MemorySource>();
  /** The last epoch that was delivered, by state. */
  readonly #delivered = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) { this.#now = now; }

  /** True when all that reads waits for time to pass. */
  get quiet(): boolean { return this.waiting.count === this.#sources.size; }

  open(): Promise<void> { return Promise.resolve(); }
  close(): Promise<void> { return Promise.resolve(); }
  away(): boolean { return false; }
  topics(): Promise<TopicInfo[]> { return Promise.resolve([...this.#topics.values()].map(t => t.info)); }
  topic(name: string): Promise<TopicInfo | null> { return Promise.resolve(this.#topics.get(name)?.info ?? null); }

  createTopic({ name, partitions }: Pick<CreateTopic, 'name' | 'partitions'>): Promise<'created' | 'exists'> {
    if (this.#topics.has(name)) return Promise.resolve('exists');
    this.#topics.set(name, new MemoryTopic(name, partitions));
    return Promise.resolve('created');
  }

  source(o: SourceOptions): Source {
    const source = new MemorySource(this.topicOf(o.topic), o, { waiting: this.waiting, now: this.#now, busy: (t, p) => this.busy(t, p), closed: s => { this.#sources.delete(s); } });
    this.#sources.add(source);
    return source;
  }

  delivery({ stateId }: Pick<DeliveryOptions, 'stateId'>): Delivery {
    return {
      recover: () => Promise.resolve(this.#delivered.get(stateId) ?? null),
      commit: (e: OutEpoch) => {
        if (e.number > (this.#delivered.get(stateId) ?? 0)) this.#deliver(e);
        this.#delivered.set(stateId, e.number);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  }

  append(topic: string, records: readonly NewRecord[]): Promise<void> {
    const to = this.topicOf(topic);
    for (const r of records) to.append(r, this.#now());
    this.waiting.release();
    return Promise.resolve();
  }

  offsetsAt(topic: string, ms: number): Promise<ReadonlyMap<number, number>> {
    const first = (log: readonly { readonly timestamp: number }[]): number => { const at = log.findIndex(r => r.timestamp >= ms); return at < 0 ? log.length : at; };
    return Promise.resolve(new Map(this.topicOf(topic).partitions.map((log, p) => [p, first(log)])));
  }

  /** Throws system.source.topic_missing. */
  topicOf(name: string): MemoryTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new PipeError('system.source.topic_missing', `topic "${name}" does not exist on the ${this.label}`);
    return topic;
  }

  /** The buffers of blocks are used again. */
  #deliver({ blocks }: OutEpoch): void {
    for (const { topic, partition, data } of blocks) {
      const r = openBlock(data, topic, partition, 0, null);
      const bytes = (from: number, to: number): Buffer | null => (from < 0 ? null : Buffer.from(r.data.subarray(from, to)));
      for (let i = 0; i < r.length; i++) {
        const headers = r.headers(i).map(h => ({ key: h.key, value: h.value === null ? null : Buffer.from(h.value) }));
        this.topicOf(topic).append({ partition, headers, key: bytes(r.keyStart[i] as number, r.keyEnd[i] as number), value: bytes(r.valueStart[i] as number, r.valueEnd[i] as number), timestamp: r.timestamps[i] as number }, this.#now());
      }
    }
    // a topic that is written may be one that is read
    this.waiting.release();
  }
}
