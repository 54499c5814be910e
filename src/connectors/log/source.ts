import { ArrayStock } from '../../engine/record-arrays.ts';
import type { RecordBatch } from '../../engine/records.ts';
import { PipeError } from '../../errors.ts';
import { closest } from '../../suggest.ts';
import type { Notices, Source, SourceOptions, TopicInfo } from '../connector.ts';
import { Blocks } from './blocks.ts';
import { readBlock } from './block-reader.ts';
import type { LogDb } from './database.ts';
import { deletedText, offsetLost } from './lost.ts';
import { findTopic, topicInfo, type TopicRow } from './topics.ts';
import type { ChangeWatch } from './watch.ts';

/** What a poll gives, more or less: blocks are given as a whole. */
const POLL_BYTES = 1 << 20;
const POLL_RECORDS = 10_000;
/** What a partition gives at least, if it has so much: of many partitions some are read at a time, so that their batches do not become tiny. */
const SHARE_BYTES = 64 << 10;
const SHARE_RECORDS = 1000;
/** A break of this many ms between two polls begins idleness anew: nobody has looked in between. */
const BREAK_MS = 2000;

interface PartitionState {
  readonly tp: number;
  readonly partition: number;
  next: number;
  readonly endAtOpen: number;
  end: number;
  idleSince: number | null;
}

/** Offsets of a partition: of its oldest record, and behind its newest. */
interface Ends {
  readonly first: number;
  readonly end: number;
}

/** What a poll may take of a partition, at about. */
interface Most {
  readonly bytes: number;
  readonly records: number;
}

export interface SourceParts {
  /** Null as long as there is no topics.db. */
  db(): LogDb | null;
  watch(): ChangeWatch;
  readonly label: string;
  readonly notices: Notices;
}

/** Reads one topic of the embedded log. */
export class EmbeddedSource implements Source {
  readonly #o: SourceOptions;
  readonly #parts: SourceParts;
  #db: LogDb | null = null;
  #topic: TopicInfo | null = null;
  /** Key of the topic in the log. */
  #row = 0;
  readonly #partitions: PartitionState[] = [];
  /** Partition that the next poll begins with. */
  #turn = 0;
  /** For the records of a poll. */
  readonly #stock = new ArrayStock();
  #polling = false;
  #polledAt = -Infinity;
  #closed = false;

  constructor(o: SourceOptions, parts: SourceParts) {
    this.#o = o;
    this.#parts = parts;
  }

  /** Throws system.source.topic_missing, topic_recreated or offset_lost. */
  async open(): Promise<void> {
    const db = this.#parts.db();
    if (db === null) throw this.#missing([]);
    db.read(() => {
      const topic = findTopic(db, this.#o.topic);
      if (topic === null) throw this.#missing(db.all('SELECT name FROM topics').map(r => r[0] as string));
      if (this.#o.topicId !== null && this.#o.topicId !== topic.id) {
        throw new PipeError('system.source.topic_recreated', `topic "${topic.name}" was deleted and made again since it was last read: the saved positions are of the old one`, {
          hint: 'start again with --reset-state, or put the old topic back',
        });
      }
      this.#begin(db, topic);
    });
    this.#db = db;
  }

  get topic(): TopicInfo {
    if (this.#topic === null) throw new Error('the source is not open');
    return this.#topic;
  }

  partitions(): readonly number[] { return this.#partitions.map(p => p.partition); }
  position(partition: number): number { return this.#of(partition).next; }
  endAtOpen(partition: number): number { return this.#of(partition).endAtOpen; }
  end(partition: number): number { return this.#of(partition).end; }

  idleSince(partition: number): number | null {
    if (!this.#polling && Date.now() - this.#polledAt > BREAK_MS) return null;
    return this.#of(partition).idleSince;
  }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    const db = this.#db;
    if (db === null || this.#closed) return [];
    const deadline = performance.now() + maxWaitMs;
    if (Date.now() - this.#polledAt > BREAK_MS) for (const p of this.#partitions) p.idleSince = null;
    this.#polling = true;
    try {
      for (;;) {
        const seen = db.dataVersion();
        const batches = db.read(() => this.#read(db, paused));
        const left = deadline - performance.now();
        if (batches.length > 0 || left <= 0 || signal.aborted) return batches;
        await this.#parts.watch().wait(seen, left, signal);
        if (this.#closed) return [];
      }
    } finally {
      this.#polling = false;
      this.#polledAt = Date.now();
    }
  }

  async close(): Promise<void> { this.#closed = true; }

  #begin(db: LogDb, topic: TopicRow): void {
    this.#topic = topicInfo(db, topic);
    this.#row = topic.topic;
    const { from, positions } = this.#o;
    for (const [tp, partition, first, end] of db.all('SELECT tp, partition, first, next FROM partitions WHERE topic = ? ORDER BY partition', topic.topic) as unknown as [number, number, number, number][]) {
      const fresh = from === 'earliest' || positions.size > 0 ? first : from === 'latest' ? end : offsetAt(db, tp, from, end);
      const p: PartitionState = { tp, partition, next: positions.get(partition) ?? fresh, endAtOpen: end, end, idleSince: null };
      this.#checkPosition(p, first, end);
      this.#partitions.push(p);
    }
  }

  #read(db: LogDb, paused: ReadonlySet<number>): RecordBatch[] {
    const now = Date.now();
    this.#stock.again();
    const found: RecordBatch[] = [];
    const { appetite = 1 } = this.#o;
    const mostBytes = appetite * POLL_BYTES;
    const mostRecords = appetite * POLL_RECORDS;
    let bytes = 0;
    let records = 0;
    const n = this.#partitions.length;
    const ends = this.#ends(db);
    let full = n;
    for (let i = 0; i < n; i++) {
      const p = this.#partitions[(this.#turn + i) % n] as PartitionState;
      const { first, end } = ends.get(p.tp) as Ends;
      p.end = end;
      if (paused.has(p.partition)) { p.idleSince = null; continue; }
      this.#checkPosition(p, first, end);
      if (p.next >= end) { p.idleSince ??= now; continue; }
      p.idleSince = null;
      if (bytes >= mostBytes || records >= mostRecords) { full = Math.min(full, i); continue; }
      // and at least one block
      const share = n - i;
      const most = { bytes: Math.max(SHARE_BYTES, (mostBytes - bytes) / share), records: Math.max(SHARE_RECORDS, (mostRecords - records) / share) };
      const blocks = this.#blocks(db, p, most);
      bytes += blocks.bytes;
      records += blocks.records;
      p.next = blocks.next;
      for (const b of blocks.batches()) found.push(b);
    }
    // the next poll begins with the first that got nothing
    this.#turn = (this.#turn + (full < n ? full : 1)) % Math.max(1, n);
    return found;
  }

  #ends(db: LogDb): Map<number, Ends> {
    const rows = db.all('SELECT tp, first, next FROM partitions WHERE topic = ?', this.#row) as unknown as [number, number, number][];
    return new Map(rows.map(([tp, first, end]) => [tp, { first, end }]));
  }

  #blocks(db: LogDb, p: PartitionState, most: Most): Blocks {
    const { topic } = this.#o;
    const { next, tp, partition } = p;
    const blocks = new Blocks(topic, partition, next, this.#stock);
    const place = { path: db.path, tp };
    for (const [base, records, at, found] of blocksFrom(db, p, this.#leaves ? 'length(data)' : 'data')) {
      if (typeof found === 'number' && base >= next) blocks.leave(place, base, records, at, found, () => db.read(() => readBlock(db, tp, base, topic, partition)));
      else {
        const data = typeof found === 'number' ? readBlock(db, tp, base, topic, partition) : found;
        this.#stock.owns(data);
        blocks.add({ data, base, at }, records);
      }
      if (blocks.bytes >= most.bytes || blocks.records >= most.records) break;
    }
    return blocks;
  }

  /**
   * Other threads read blocks where they lie, of which SQLite reads the first page here, for their size. One that retention has deleted
   * before they come to it ends the run, so not where that is allowed.
   */
  get #leaves(): boolean { return this.#o.packed === true && this.#o.onDataLoss === 'stop'; }

  /** A position that retention has overtaken, or that the log has not reached. */
  #checkPosition(p: PartitionState, first: number, end: number): void {
    if (p.next >= first && p.next <= end) return;
    const topic = `${this.#o.topic}/${p.partition}`;
    const ahead = p.next > end;
    const lost = ahead ? `the saved offset ${p.next} of ${topic} is beyond its end ${end}: records that were read once are gone` : deletedText(this.#o.topic, p.partition, p.next, first);
    if (this.#o.onDataLoss === 'stop') throw offsetLost(lost);
    this.#parts.notices.warn(`${lost}; going on at offset ${first} (on_data_loss: earliest)`);
    p.next = first;
  }

  #missing(topics: readonly string[]): PipeError {
    const { topic } = this.#o;
    const near = closest(topic, topics);
    return new PipeError('system.source.topic_missing', `topic "${topic}" does not exist on the ${this.#parts.label}`, {
      hint: `${near === undefined ? '' : `did you mean "${near}"? or `}create it: pipe topics create ${topic} --partitions 3`,
    });
  }

  #of(partition: number): PartitionState {
    const p = this.#partitions[partition];
    if (p === undefined) throw new Error(`no partition ${partition}`);
    return p;
  }
}

/** Blocks of a partition from its position on, each with its bytes or how many these are; the first may begin before it. */
const blocksFrom = (db: LogDb, { tp, next }: PartitionState, what: 'data' | 'length(data)'): Iterable<[base: number, records: number, at: number, found: Buffer | number]> =>
  db.iterate(`SELECT base, records, at_ms, ${what} FROM batches WHERE tp = ? AND base >= coalesce((SELECT max(base) FROM batches WHERE tp = ? AND base <= ?), ?) ORDER BY base`, tp, tp, next, next) as Iterable<unknown> as Iterable<[number, number, number, Buffer | number]>;

/** First offset whose record is not older than `ms`; `end` where there is none. */
export const offsetAt = (db: LogDb, tp: number, ms: number, end: number): number =>
  (db.get('SELECT base FROM batches WHERE tp = ? AND at_ms >= ? ORDER BY base LIMIT 1', tp, ms)?.[0] as number | undefined) ?? end;
