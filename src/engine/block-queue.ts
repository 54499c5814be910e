import { partitionOf } from './murmur2.ts';
import type { OutBlock } from '../state/store.ts';
import type { Header } from './records.ts';
import { BlockBuilder } from './block-builder.ts';

/** A block ends at this size: readers get it in pieces that they can hold, and with one more record of usual size it is still a batch for Kafka. */
const BLOCK_BYTES = 800_000;

/** Records for one topic on their way out, in blocks by partition. The partition of a record is decided when it enters, once. */
export class BlockQueue {
  readonly topic: string;
  readonly #builders: readonly BlockBuilder[];
  #full: OutBlock[] = [];
  #fullBytes = 0;
  #turn: number;

  /** `partitions` is the number of partitions of the topic; records without key begin with partition `turn`. */
  constructor(topic: string, partitions: number, turn = 0) {
    this.topic = topic;
    this.#turn = turn % partitions;
    this.#builders = Array.from({ length: partitions }, () => new BlockBuilder());
  }

  /** Payload bytes that wait. */
  get bytes(): number {
    let n = this.#fullBytes;
    for (const b of this.#builders) n += b.bytes;
    return n;
  }

  /** The partition of the next record without key. */
  get turn(): number { return this.#turn; }

  /** A record to `partition`, or, where that is null, to the one that its key or the turn says. */
  add(partition: number | null, key: Uint8Array | null, value: Uint8Array | null, headers: readonly Header[], timestamp: number): void {
    const p = partition ?? (key === null ? this.next() : this.ofKey(key, 0, key.length));
    this.builder(p).add(key, value, headers, timestamp);
    this.added(p);
  }

  /** Partition for key bytes [start, end), as Kafka's Java client places them. */
  ofKey(data: Uint8Array, start: number, end: number): number { return partitionOf(data, start, end, this.#builders.length); }

  /** Partition for a record without a key: the next in turn. */
  next(): number {
    const p = this.#turn;
    this.#turn = p + 1 === this.#builders.length ? 0 : p + 1;
    return p;
  }

  builder(partition: number): BlockBuilder { return this.#builders[partition] as BlockBuilder; }

  /** After a record was added to a partition. */
  added(partition: number): void {
    if (this.builder(partition).bytes >= BLOCK_BYTES) this.#cut(partition);
  }

  /** All blocks since the last call. */
  take(): readonly OutBlock[] {
    for (let p = 0; p < this.#builders.length; p++) if (this.builder(p).rows > 0) this.#cut(p);
    const blocks = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    return blocks;
  }

  #cut(partition: number): void {
    const b = this.builder(partition);
    const { rows } = b;
    const data = b.finish();
    this.#fullBytes += data.length;
    this.#full.push({ topic: this.topic, partition, rows, data });
  }
}
