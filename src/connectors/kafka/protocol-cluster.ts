import type { Request } from './client.ts';
import { WireReader, WireWriter } from './wire.ts';

/* Requests about the cluster, its topics and groups; versions that all brokers of Kafka 4 speak. */

export interface ClusterMetadata {
  readonly clusterId: string;
  readonly controller: number;
  readonly brokers: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  readonly topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly error: number;
  readonly name: string;
  /** 32 hex digits. */
  readonly id: string;
  readonly internal: boolean;
  /** What we may do with it, a bit for each operation; only where it was asked for. */
  readonly operations: number;
  /** By partition number. */
  readonly partitions: readonly { readonly error: number; readonly partition: number; readonly leader: number }[];
}

const NO_UUID = '0'.repeat(32);

/** Metadata v12; `topics` null: all. Never creates a topic. `operations`: with those that we may do. */
export function metadataRequest(topics: readonly string[] | null, operations = false): Request<ClusterMetadata> {
  const w = new WireWriter();
  w.tags().compactArray(topics, name => w.uuid(NO_UUID).compactString(name).tags())
    .bool(false).bool(operations).tags();
  return { name: 'Metadata', key: 3, version: 12, body: w.finish(), read: readMetadata };
}

function readMetadata(r: WireReader): ClusterMetadata {
  r.tags();
  r.int32();
  const brokers = r.compactArray(() => {
    const broker = { id: r.int32(), host: r.compactString(), port: r.int32() };
    r.nullableCompactString();
    r.tags();
    return broker;
  });
  const clusterId = r.compactString();
  const controller = r.int32();
  const topics = r.compactArray(() => {
    const topic = { error: r.int16(), name: r.compactString(), id: r.uuid(), internal: r.bool(), partitions: r.compactArray(() => readPartition(r)), operations: r.int32() };
    r.tags();
    return { ...topic, partitions: topic.partitions.sort((a, b) => a.partition - b.partition) };
  });
  return { clusterId, controller, brokers, topics };
}

function readPartition(r: WireReader): TopicMetadata['partitions'][number] {
  const partition = { error: r.int16(), partition: r.int32(), leader: r.int32() };
  r.int32();
  for (let i = 0; i < 3; i++) r.compactArray(() => r.int32());
  r.tags();
  return partition;
}

/** FindCoordinator v2. */
export function coordinatorRequest(key: string, kind: 'group' | 'transaction'): Request<{ readonly error: number; readonly node: number }> {
  const body = new WireWriter().string(key).int8(kind === 'group' ? 0 : 1).finish();
  return {
    name: 'FindCoordinator', key: 10, version: 2, body, read: r => {
      r.int32();
      const error = r.int16();
      r.nullableString();
      return { error, node: r.int32() };
    },
  };
}

export const EARLIEST = -2;
/** With read_committed: the last stable offset. */
export const LATEST = -1;

export interface OffsetAnswer {
  readonly partition: number;
  readonly error: number;
  /** -1: no record at or after that time. */
  readonly offset: number;
}

/** ListOffsets v2, of one topic; `at` is epoch ms, EARLIEST or LATEST. */
export function listOffsetsRequest(topic: string, partitions: readonly number[], at: number, committed: boolean): Request<OffsetAnswer[]> {
  const w = new WireWriter();
  w.int32(-1).int8(committed ? 1 : 0).array([topic], name => w.string(name).array(partitions, p => w.int32(p).int64(at)));
  return {
    name: 'ListOffsets', key: 2, version: 2, body: w.finish(), read: r => {
      r.int32();
      return r.array(() => {
        r.string();
        return r.array(() => {
          const partition = r.int32();
          const error = r.int16();
          r.int64();
          return { partition, error, offset: r.long() };
        });
      }).flat();
    },
  };
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** CreateTopics v4, with the cluster's default replication. */
export function createTopicRequest(t: NewTopic, timeoutMs: number): Request<{ readonly error: number; readonly message: string | null }> {
  const w = new WireWriter();
  w.int32(1).string(t.name).int32(t.partitions).int16(-1).int32(0)
    .array(Object.entries(t.config), ([name, value]) => w.string(name).string(value))
    .int32(timeoutMs).bool(false);
  return {
    name: 'CreateTopics', key: 19, version: 4, body: w.finish(), read: r => {
      r.int32();
      const [answer] = r.array(() => { r.string(); return { error: r.int16(), message: r.nullableString() }; });
      return answer ?? { error: -1, message: null };
    },
  };
}

/** DescribeLogDirs v1: bytes of the replicas that one broker holds, of one topic, by partition. */
export function logDirsRequest(topic: string, partitions: readonly number[]): Request<Map<number, number>> {
  const w = new WireWriter();
  w.int32(1).string(topic).array(partitions, p => w.int32(p));
  return {
    name: 'DescribeLogDirs', key: 35, version: 1, body: w.finish(), read: r => {
      r.int32();
      const sizes = new Map<number, number>();
      r.array(() => {
        r.int16();
        r.string();
        r.array(() => {
          r.string();
          r.array(() => {
            const partition = r.int32();
            const size = r.long();
            r.int64();
            if (!r.bool()) sizes.set(partition, size);
          });
        });
      });
      return sizes;
    },
  };
}

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** -1: none. */
  readonly offset: number;
  readonly metadata: string | null;
}

/** OffsetFetch v7: all offsets of a group. `stable`: UNSTABLE_OFFSET_COMMIT where an open transaction has some. */
export function offsetFetchRequest(group: string, stable: boolean): Request<{ readonly error: number; readonly offsets: readonly CommittedOffset[] }> {
  const body = new WireWriter().tags().compactString(group).compactArray(null, () => undefined).bool(stable).tags().finish();
  return {
    name: 'OffsetFetch', key: 9, version: 7, body, read: r => {
      r.tags();
      r.int32();
      let first = 0;
      const offsets = r.compactArray(() => {
        const topic = r.compactString();
        const list = r.compactArray(() => {
          const partition = r.int32();
          const offset = r.long();
          r.int32();
          const metadata = r.nullableCompactString();
          const error = r.int16();
          first ||= error;
          r.tags();
          return { topic, partition, offset, metadata };
        });
        r.tags();
        return list;
      }).flat();
      return { error: r.int16() || first, offsets };
    },
  };
}

export type GroupOffsets = readonly (readonly [topic: string, partitions: ReadonlyMap<number, number>])[];

/** OffsetCommit v5 by no member: for groups that nobody joins. Gives the first error. */
export function offsetCommitRequest(group: string, offsets: GroupOffsets, metadata: string): Request<number> {
  const w = new WireWriter();
  w.string(group).int32(-1).string('').array(offsets, ([topic, partitions]) => w.string(topic).array([...partitions], ([p, offset]) => w.int32(p).int64(offset).string(metadata)));
  return { name: 'OffsetCommit', key: 8, version: 5, body: w.finish(), read: readFirstError };
}

/** [throttle] topics [name, partitions [partition, error]]: the first error, or 0. */
export function readFirstError(r: WireReader): number {
  r.int32();
  let first = 0;
  r.array(() => {
    r.string();
    r.array(() => {
      r.int32();
      const error = r.int16();
      first ||= error;
    });
  });
  return first;
}
