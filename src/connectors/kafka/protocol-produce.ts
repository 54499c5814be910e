import type { Request } from './client.ts';
import { type GroupOffsets, readFirstError } from './protocol-cluster.ts';
import { WireWriter } from './wire.ts';

/* Writing: Produce, and transactions with explicit AddPartitionsToTxn (KIP-98). */

/** Identity of a producer; every InitProducerId gives a higher epoch, which fences the one before. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly epoch: number;
}

export interface ProduceItem {
  readonly topic: string;
  readonly partition: number;
  /** One encoded record batch. */
  readonly batch: Buffer;
}

export interface ProduceAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
}

export type ProduceRequest = (transactionalId: string | null, items: readonly ProduceItem[]) => Request<ProduceAnswer[]>;

export const ACKS_ALL = -1;
export const PRODUCE_MS = 20_000;

export function byTopic<T extends { readonly topic: string }>(items: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const list = topics.get(item.topic);
    if (list === undefined) topics.set(item.topic, [item]);
    else list.push(item);
  }
  return topics;
}

/** Produce v7, acks = all; one batch of a partition at most. */
export const produceRequest: ProduceRequest = (transactionalId, items) => {
  const topics = byTopic(items);
  // batches are large: they are sent from where they lie, between pieces of the request
  const parts: Buffer[] = [];
  let w = new WireWriter().string(transactionalId).int16(ACKS_ALL).int32(PRODUCE_MS).int32(topics.size);
  for (const [topic, list] of topics) {
    w.string(topic).int32(list.length);
    for (const { partition, batch } of list) {
      parts.push(w.int32(partition).int32(batch.length).finish(), batch);
      w = new WireWriter(64);
    }
  }
  return {
    name: 'Produce', key: 0, version: 7, body: parts, read: r => r.array(() => {
      const topic = r.string();
      return r.array(() => {
        const answer = { topic, partition: r.int32(), error: r.int16() };
        r.int64();
        r.int64();
        r.int64();
        return answer;
      });
    }).flat(),
  };
};

/** InitProducerId v1; null: for idempotence alone. */
export function initProducerRequest(transactionalId: string | null, timeoutMs: number): Request<{ readonly error: number; readonly producerId: bigint; readonly epoch: number }> {
  return {
    name: 'InitProducerId', key: 22, version: 1, body: new WireWriter().string(transactionalId).int32(timeoutMs).finish(),
    read: r => { r.int32(); return { error: r.int16(), producerId: r.int64(), epoch: r.int16() }; },
  };
}

const identity = (p: ProducerIdentity): WireWriter => new WireWriter().string(p.transactionalId).int64(p.producerId).int16(p.epoch);

/** AddPartitionsToTxn v1. Gives the first error that is not "another of these failed". */
export function addPartitionsRequest(p: ProducerIdentity, topics: ReadonlyMap<string, readonly number[]>): Request<number> {
  const w = identity(p);
  w.array([...topics], ([topic, partitions]) => w.string(topic).array(partitions, n => w.int32(n)));
  return {
    name: 'AddPartitionsToTxn', key: 24, version: 1, body: w.finish(), read: r => {
      r.int32();
      const found = r.array(() => { r.string(); return r.array(() => { r.int32(); return r.int16(); }); }).flat().filter(e => e !== 0);
      return found.find(e => e !== OPERATION_NOT_ATTEMPTED) ?? found[0] ?? 0;
    },
  };
}
const OPERATION_NOT_ATTEMPTED = 55;

/** AddOffsetsToTxn v1. */
export const addOffsetsRequest = (p: ProducerIdentity, group: string): Request<number> => ({
  name: 'AddOffsetsToTxn', key: 25, version: 1, body: identity(p).string(group).finish(), read: r => { r.int32(); return r.int16(); },
});

/** TxnOffsetCommit v1; the same metadata on every partition. Gives the first error. */
export function txnOffsetCommitRequest(p: ProducerIdentity, group: string, offsets: GroupOffsets, metadata: string): Request<number> {
  const w = new WireWriter().string(p.transactionalId).string(group).int64(p.producerId).int16(p.epoch);
  w.array(offsets, ([topic, partitions]) => w.string(topic).array([...partitions], ([n, offset]) => w.int32(n).int64(offset).string(metadata)));
  return { name: 'TxnOffsetCommit', key: 28, version: 1, body: w.finish(), read: readFirstError };
}

export interface EndAnswer {
  readonly error: number;
  /** Who the producer is from now on; null: the same. */
  readonly next: { readonly producerId: bigint; readonly epoch: number } | null;
}

/** EndTxn v1. */
export const endTxnRequest = (p: ProducerIdentity, commit: boolean): Request<EndAnswer> => ({
  name: 'EndTxn', key: 26, version: 1, body: identity(p).bool(commit).finish(), read: r => { r.int32(); return { error: r.int16(), next: null }; },
});
