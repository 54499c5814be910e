import type { BlockBuilder } from '../../engine/block-builder.ts';
import { PipeError } from '../../errors.ts';
import type { CreateTopic, Delivery, DeliveryOptions, Log, NewRecord, Notices, Source, SourceOptions, TopicInfo } from '../connector.ts';
import { appendBlock, BlockPacker, turnOf } from './append.ts';
import { LogDb } from './database.ts';
import { EmbeddedDelivery } from './delivery.ts';
import { isBusy } from './file.ts';
import { Retention } from './retention.ts';
import { loadSample } from './sample.ts';
import { EmbeddedSource, offsetAt } from './source.ts';
import { findTopic, insertTopic, topicInfo, type TopicRow } from './topics.ts';
import { ChangeWatch } from './watch.ts';

export interface EmbeddedLogOptions {
  /** topics.db; made with its folder (0700) and mode 0600 by the first write, never by a read. */
  readonly path: string;
  readonly notices: Notices;
}

/** Loads a file of records into a topic that does not exist yet. */
export interface SampleLoader {
  /** One transaction; the number of records, or null when the topic is there. `key` is the JSON field whose text is the key. Throws user.config.path. */
  loadSample(topic: string, file: string, key: string | null, partitions: number): Promise<number | null>;
}

/** Topics in one SQLite file; any number of processes may read and write it at once. */
export const openEmbeddedLog = (o: EmbeddedLogOptions): Log & SampleLoader => new EmbeddedLog(o);

class EmbeddedLog implements Log, SampleLoader {
  readonly kind = 'embedded';
  readonly id = 'embedded';
  readonly label = 'embedded log';
  readonly #o: EmbeddedLogOptions;
  readonly #retention = new Retention();
  readonly #builders: BlockBuilder[] = [];
  #db: LogDb | null = null;
  #watch: ChangeWatch | null = null;

  constructor(o: EmbeddedLogOptions) { this.#o = o; }

  async open(): Promise<void> { this.#find(); }
  away(): boolean { return false; }

  async topics(): Promise<TopicInfo[]> {
    const db = this.#find();
    if (db === null) return [];
    return db.read(() => db.all('SELECT name FROM topics ORDER BY name').map(([name]) => topicInfo(db, findTopic(db, name as string) as TopicRow)));
  }

  async topic(name: string): Promise<TopicInfo | null> {
    const db = this.#find();
    if (db === null) return null;
    return db.read(() => {
      const found = findTopic(db, name);
      return found === null ? null : topicInfo(db, found);
    });
  }

  async createTopic(t: CreateTopic): Promise<'created' | 'exists'> {
    const db = this.#make();
    return db.write(() => insertTopic(db, t, Date.now())) === null ? 'exists' : 'created';
  }

  source(o: SourceOptions): Source {
    return new EmbeddedSource(o, { db: () => this.#find(), watch: () => this.#watch as ChangeWatch, label: this.label, notices: this.#o.notices });
  }

  delivery(o: DeliveryOptions): Delivery {
    return new EmbeddedDelivery(o, { db: () => this.#make(), wrote: bytes => this.#wrote(bytes), notices: this.#o.notices });
  }

  async append(name: string, records: readonly NewRecord[]): Promise<void> {
    const db = this.#make();
    let bytes = 0;
    db.write(() => {
      const topic = findTopic(db, name);
      if (topic === null) throw new PipeError('system.sink.topic_missing', `topic "${name}" does not exist on the ${this.label}`, { hint: `create it: pipe topics create ${name}` });
      const now = Date.now();
      const packer = new BlockPacker(topic, () => turnOf(db, topic), this.#builders);
      for (const r of records) packer.add(r, now);
      for (const b of packer.take()) {
        appendBlock(db, topic, b, now);
        bytes += b.data.length;
      }
    });
    this.#wrote(bytes);
  }

  async offsetsAt(name: string, ms: number): Promise<ReadonlyMap<number, number>> {
    const db = this.#find();
    if (db === null) return new Map();
    return db.read(() => {
      const heads = db.all('SELECT partition, tp, partitions.next FROM partitions JOIN topics USING (topic) WHERE name = ? ORDER BY partition', name) as unknown as [number, number, number][];
      return new Map(heads.map(([partition, tp, end]) => [partition, offsetAt(db, tp, ms, end)]));
    });
  }

  async loadSample(topic: string, file: string, key: string | null, partitions: number): Promise<number | null> {
    const loaded = loadSample(this.#make(), topic, file, key, partitions, Date.now());
    if (loaded !== null) this.#wrote(loaded.bytes);
    return loaded?.records ?? null;
  }

  async close(): Promise<void> {
    this.#watch?.close();
    this.#db?.close();
    this.#watch = this.#db = null;
  }

  /** What follows a write of this process: the records are durable, so housekeeping that fails must not look as if they were not. */
  #wrote(bytes: number): void {
    this.#watch?.notify();
    try {
      this.#db?.wrote(bytes);
      if (this.#db !== null) this.#retention.look(this.#db, Date.now());
    } catch (error) {
      if (!isBusy(error)) this.#o.notices.warn((error as Error).message);
    }
  }

  #find(): LogDb | null { return this.#db ?? this.#keep(LogDb.find(this.#o.path)); }
  #make(): LogDb { return this.#db ?? (this.#keep(LogDb.make(this.#o.path)) as LogDb); }

  #keep(db: LogDb | null): LogDb | null {
    if (db !== null) {
      this.#db = db;
      this.#watch = new ChangeWatch(db);
    }
    return db;
  }
}
