import type { Request } from './client.ts';
import type { Lease } from './response-memory.ts';
import { WireReader, WireWriter } from './wire.ts';

export interface FetchPartition {
  readonly partition: number;
  readonly offset: number;
}

export interface FetchOptions {
  /** 32 hex digits: a topic that was deleted and made again is another one, and is not read by mistake. */
  readonly topicId: string;
  readonly partitions: readonly FetchPartition[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxBytesPerPartition: number;
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

export interface FetchedPartition {
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  readonly lastStable: number;
  readonly begin: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last one possibly cut short; null for none. */
  readonly records: Buffer | null;
  /** `records` are not needed any more: their memory may be used again. */
  readonly release: () => void;
}

/** Fetch v13, read_committed, without a fetch session: the whole assignment is in each request. */
export function fetchRequest(o: FetchOptions): Request<{ readonly error: number; readonly partitions: FetchedPartition[] }> {
  const w = new WireWriter(64 + 48 * o.partitions.length);
  w.tags().int32(-1).int32(o.maxWaitMs).int32(1).int32(o.maxBytes).int8(1).int32(0).int32(-1);
  w.compactArray([o.topicId], id => w.uuid(id).compactArray(o.partitions, p =>
    w.int32(p.partition).int32(-1).int64(p.offset).int32(-1).int64(-1).int32(o.maxBytesPerPartition).tags()).tags());
  w.compactArray([], () => undefined).compactString('').tags();
  return { name: 'Fetch', key: 1, version: 13, body: w.finish(), read: readFetch };
}

function readFetch(r: WireReader, lease: Lease): { error: number; partitions: FetchedPartition[] } {
  r.tags();
  r.int32();
  const error = r.int16();
  r.int32();
  const partitions = r.compactArray(() => {
    r.uuid();
    const list = r.compactArray(() => readPartition(r, lease));
    r.tags();
    return list;
  }).flat();
  return { error, partitions };
}

function readPartition(r: WireReader, lease: Lease): FetchedPartition {
  const head = { partition: r.int32(), error: r.int16(), highWatermark: r.long(), lastStable: r.long(), begin: r.long() };
  const aborted = r.compactArray(() => {
    const a = { producerId: r.int64(), firstOffset: r.long() };
    r.tags();
    return a;
  });
  r.int32();
  const records = r.compactBytes();
  r.tags();
  return records === null || records.length === 0 ? { ...head, aborted, records: null, release: nothing } : { ...head, aborted, records, release: lease.keep() };
}

const nothing = (): void => undefined;
