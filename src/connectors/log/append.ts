import { BlockBuilder } from '../../engine/block-builder.ts';
import { partitionOf } from '../../engine/murmur2.ts';
import { PipeError } from '../../errors.ts';
import type { OutBlock } from '../../state/store.ts';
import type { NewRecord } from '../connector.ts';
import type { LogDb } from './database.ts';
import type { TopicRow } from './topics.ts';

/** A block ends at this many bytes or records, so that a reader need not take more than it wants. */
const BLOCK_BYTES = 1 << 20;
const BLOCK_RECORDS = 10_000;

/** Inside a write transaction: `rows` records behind the last one. Throws system.sink.topic_missing without such a partition. */
export function appendBlock(db: LogDb, topic: TopicRow, b: Omit<OutBlock, 'topic'>, now: number): void {
  const row = db.get('UPDATE partitions SET next = next + ?, bytes = bytes + ? WHERE topic = ? AND partition = ? RETURNING tp, next', b.rows, b.data.length, topic.topic, b.partition);
  if (row === undefined) throw noPartition(topic, b.partition);
  db.run('INSERT INTO batches VALUES (?, ?, ?, ?, ?)', row[0] as number, (row[1] as number) - b.rows, b.rows, now, b.data);
}

const noPartition = (topic: TopicRow, partition: number): PipeError =>
  new PipeError('system.sink.topic_missing', `topic "${topic.name}" has ${topic.partitions === 1 ? 'partition 0 only' : `partitions 0 to ${topic.partitions - 1}`}, not ${partition}`);

/** Records by partition, as blocks. */
export class BlockPacker {
  readonly #topic: TopicRow;
  readonly #builders: BlockBuilder[];
  readonly #done: Omit<OutBlock, 'topic'>[] = [];
  readonly #first: () => number;
  #turn: number | null = null;

  /** Records without key and partition begin with partition `first()`, which is asked when there is one. `builders` are those of packers before, whose buffers are used again. */
  constructor(topic: TopicRow, first: () => number, builders: BlockBuilder[] = []) {
    this.#topic = topic;
    this.#builders = builders;
    this.#first = first;
    for (const b of builders) b?.reset();
  }

  /** Throws system.sink.topic_missing for a partition that the topic does not have. */
  add(r: NewRecord, now: number): void {
    const partition = this.#partition(r);
    const b = (this.#builders[partition] ??= new BlockBuilder());
    b.add(r.key, r.value, r.headers, now);
    if (b.rows >= BLOCK_RECORDS || b.bytes >= BLOCK_BYTES) this.#finish(partition, b);
  }

  take(): readonly Omit<OutBlock, 'topic'>[] {
    for (const [partition, b] of this.#builders.entries()) if (b !== undefined && b.rows > 0) this.#finish(partition, b);
    return this.#done;
  }

  #finish(partition: number, b: BlockBuilder): void {
    const { rows } = b;
    this.#done.push({ partition, rows, data: b.finish() });
  }

  #partition(r: NewRecord): number {
    const { partitions } = this.#topic;
    if (r.partition !== null) {
      if (!Number.isInteger(r.partition) || r.partition < 0 || r.partition >= partitions) throw noPartition(this.#topic, r.partition);
      return r.partition;
    }
    if (r.key !== null) return partitionOf(r.key, 0, r.key.length, partitions);
    const turn = this.#turn ?? this.#first();
    this.#turn = turn + 1;
    return turn % partitions;
  }
}

/** Where a topic's records without key go on: the next partition in turn, also from one process to the next. */
export const turnOf = (db: LogDb, topic: TopicRow): number => (db.get('SELECT sum(next) FROM partitions WHERE topic = ?', topic.topic)?.[0] as number) % topic.partitions;
