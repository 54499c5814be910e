import { partitionOf } from '../../engine/murmur2.ts';
import type { NewRecord, TopicInfo } from '../connector.ts';
import type { Header } from '../../engine/records.ts';

export interface MemoryRecord {
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  /** Epoch ms. */
  readonly timestamp: number;
}

/** Records of one topic, by partition and in the order in which they came. */
export class MemoryTopic {
  readonly name: string;
  readonly partitions: readonly MemoryRecord[][];
  readonly arrived: MemoryRecord[] = [];
  #turn = 0;

  constructor(name: string, partitions: number) {
    this.name = name;
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  get info(): TopicInfo {
    return { name: this.name, id: `memory-${this.name}`, partitions: this.partitions.map((log, partition) => ({ partition, begin: 0, end: log.length, bytes: null })) };
  }

  /** Takes the record's buffers as they are. */
  append(r: NewRecord, now: number): void {
    const { key, value, headers } = r;
    const partition = r.partition ?? (key === null ? this.#turn++ % this.partitions.length : partitionOf(key, 0, key.length, this.partitions.length));
    const log = this.partitions[partition] as MemoryRecord[];
    const record = { partition, offset: log.length, key, value, headers, timestamp: r.timestamp ?? now };
    log.push(record);
    this.arrived.push(record);
  }
}
