import type { Request } from './client.ts';
import type { GroupOffsets } from './protocol-cluster.ts';
import { ACKS_ALL, byTopic, type EndAnswer, PRODUCE_MS, type ProducerIdentity, type ProduceRequest } from './protocol-produce.ts';
import { WireWriter } from './wire.ts';

/*
 * Transactions of the second protocol (KIP-890, transaction.version 2): partitions and groups join a transaction with the first that
 * is written to them, and each transaction has a producer epoch of its own, so that a request that comes late cannot end the next one.
 * All in flexible versions: they begin with the tags of their header.
 */

/** Produce v12, acks = all; one batch of a partition at most. */
export const produceRequest2: ProduceRequest = (transactionalId, items) => {
  const parts: Buffer[] = [];
  const topics = byTopic(items);
  let w = new WireWriter().tags().compactString(transactionalId).int16(ACKS_ALL).int32(PRODUCE_MS).uvarint(topics.size + 1);
  for (const [topic, list] of topics) {
    w.compactString(topic).uvarint(list.length + 1);
    for (const { partition, batch } of list) {
      parts.push(w.int32(partition).uvarint(batch.length + 1).finish(), batch);
      w = new WireWriter(64).tags();
    }
    w.tags();
  }
  parts.push(w.tags().finish());
  return {
    name: 'Produce', key: 0, version: 12, body: parts, read: r => {
      r.tags();
      return r.compactArray(() => {
        const topic = r.compactString();
        const answers = r.compactArray(() => {
          const answer = { topic, partition: r.int32(), error: r.int16() };
          r.int64();
          r.int64();
          r.int64();
          r.compactArray(() => { r.int32(); r.nullableCompactString(); r.tags(); });
          r.nullableCompactString();
          r.tags();
          return answer;
        });
        r.tags();
        return answers;
      }).flat();
    },
  };
};

const NO_GENERATION = -1;
const NO_LEADER_EPOCH = -1;

/** TxnOffsetCommit v5 by no member; the same metadata on every partition. Gives the first error. */
export function txnOffsetCommitRequest2(p: ProducerIdentity, group: string, offsets: GroupOffsets, metadata: string): Request<number> {
  const w = new WireWriter().tags().compactString(p.transactionalId).compactString(group).int64(p.producerId).int16(p.epoch).int32(NO_GENERATION).compactString('').compactString(null);
  w.compactArray(offsets, ([topic, partitions]) => w.compactString(topic).compactArray([...partitions], ([n, offset]) => w.int32(n).int64(offset).int32(NO_LEADER_EPOCH).compactString(metadata).tags()).tags()).tags();
  return {
    name: 'TxnOffsetCommit', key: 28, version: 5, body: w.finish(), read: r => {
      r.tags();
      r.int32();
      let first = 0;
      r.compactArray(() => {
        r.compactString();
        r.compactArray(() => {
          r.int32();
          const error = r.int16();
          first ||= error;
          r.tags();
        });
        r.tags();
      });
      return first;
    },
  };
}

/** EndTxn v5; its answer has the producer of the next transaction. */
export const endTxnRequest2 = (p: ProducerIdentity, commit: boolean): Request<EndAnswer> => ({
  name: 'EndTxn', key: 26, version: 5, body: new WireWriter().tags().compactString(p.transactionalId).int64(p.producerId).int16(p.epoch).bool(commit).tags().finish(),
  read: r => {
    r.tags();
    r.int32();
    return { error: r.int16(), next: { producerId: r.int64(), epoch: r.int16() } };
  },
});
