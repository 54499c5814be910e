import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Transaction } from 'kafkajs';
import { Cluster } from '../../src/connectors/kafka/cluster.ts';
import { offsetsOf } from '../../src/connectors/kafka/listing.ts';
import { LATEST } from '../../src/connectors/kafka/protocol-cluster.ts';
import { fetchRequest } from '../../src/connectors/kafka/protocol-fetch.ts';
import { offsetAfter } from '../../src/connectors/kafka/record-batch.ts';
import { PartitionDecoder } from '../../src/connectors/kafka/record-batch-decode.ts';
import { clientSettings } from '../../src/connectors/kafka/settings.ts';
import { brokers, createTopic, describeKafka, hasKcat, kafkajs, kcatRead, unique, until } from './support.ts';

/*
 * Steps of four writers on one partition. a-c are transactional, p is not. `a1` writes record a1 in a's transaction, which begins
 * by itself; `a+` commits it, `a-` aborts it. Each step is one offset: a record, or the marker of the end.
 */
const steps = ('p1 a1 b1 a2 c1 a- a3 b2 p2 a- b+ c2 a4 b3 c- a5 p3 b4 c3 b- a+ c+ a6 a- a7 a- p4 b5 c4 a8 c- b- p5 a+ '
  + 'c5 c- c6 c- c7 b6 a9 c- a- b+ p6 p7').split(' ');

/** What a reader of committed records sees: [offset, value]. */
function expected(): [number, string][] {
  const seen: [number, string][] = [];
  const open = new Map<string, [number, string][]>();
  steps.forEach((step, offset) => {
    const [writer, what] = [step[0] as string, step.slice(1)];
    if (what === '+') seen.push(...open.get(writer) ?? []);
    if (what === '+' || what === '-') open.delete(writer);
    else if (writer === 'p') seen.push([offset, step]);
    else open.set(writer, [...open.get(writer) ?? [], [offset, step]]);
  });
  return seen.sort(([a], [b]) => a - b);
}

describeKafka('records of aborted transactions', () => {
  let topic: string;
  let cluster: Cluster;

  beforeAll(async () => {
    topic = await createTopic('aborted', 1);
    cluster = new Cluster([brokers as string], clientSettings(null));
    await cluster.bootstrap();
    const writers = new Map(['a', 'b', 'c', 'p'].map(name => [name, kafkajs().producer(name === 'p' ? {} : { transactionalId: unique(name), maxInFlightRequests: 1, idempotent: true })]));
    const open = new Map<string, Transaction>();
    for (const w of writers.values()) await w.connect();
    for (const [i, step] of steps.entries()) {
      const [name, what] = [step[0] as string, step.slice(1)];
      const writer = writers.get(name);
      if (writer === undefined) throw new Error(step);
      if (what === '+' || what === '-') {
        const tx = open.get(name);
        open.delete(name);
        await (what === '+' ? tx?.commit() : tx?.abort());
        // markers are written a moment later
        await until(async () => (await offsetsOf(cluster, topic, [0], LATEST, false)).get(0) === i + 1);
      } else {
        let target: Pick<Transaction, 'send'> = writer;
        if (name !== 'p') {
          if (!open.has(name)) open.set(name, await writer.transaction());
          target = open.get(name) as Transaction;
        }
        // the bytes of the key are those of an abort marker: only control batches have markers
        await target.send({ topic, messages: [{ key: i % 3 === 0 ? null : Buffer.from([0, 0, 0, 0]), value: step }] });
      }
    }
    for (const w of writers.values()) await w.disconnect();
  }, 120_000);
  afterAll(() => cluster.close());

  async function read(from: number, bytes: number): Promise<[number, string][]> {
    const meta = await cluster.topic(topic);
    const node = await cluster.leader(topic, 0);
    const lane = cluster.lane();
    const decoder = new PartitionDecoder(topic, 0);
    const seen: [number, string][] = [];
    for (let at = from; at < steps.length;) {
      const { partitions: [found] } = await lane.send(node, fetchRequest({ topicId: meta?.id as string, partitions: [{ partition: 0, offset: at }], maxWaitMs: 100, maxBytes: bytes, maxBytesPerPartition: bytes }));
      if (found === undefined || found.error !== 0 || found.records === null) throw new Error(`nothing at ${at}: ${found?.error}`);
      const b = decoder.decode(found.records, at, found.aborted);
      for (let i = 0; i < b.length; i++) seen.push([b.offsets[i] as number, b.data.toString('utf8', b.valueStart[i], b.valueEnd[i])]);
      expect(b.next).toBeGreaterThan(at);
      expect(offsetAfter(found.records, at)).toBe(b.next);
      at = b.next;
    }
    cluster.endLane(lane);
    return seen;
  }

  // one batch an answer, a few, and all
  it.each([1, 250, 700, 1 << 20])('are left out from every start, %i bytes an answer', async bytes => {
    for (let from = 0; from < steps.length; from++) expect(await read(from, bytes), `from ${from}`).toEqual(expected().filter(([offset]) => offset >= from));
  });

  it.skipIf(!hasKcat())('are those that librdkafka leaves out', async () => {
    for (let from = 0; from < steps.length; from += 4) {
      const lines = kcatRead(topic, 0, from, '%o %s\n');
      expect(lines, `from ${from}`).toEqual((await read(from, 1 << 20)).map(([offset, value]) => `${offset} ${value}`));
    }
  });
});
