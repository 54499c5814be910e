/** What one writes with kafkajs: consume, JSON.parse, filter, JSON.stringify, send and commit offsets in one transaction a batch. */
import { Kafka, logLevel } from 'kafkajs';

const { BENCH_BROKERS, BENCH_TOPIC, BENCH_GROUP, BENCH_RECORDS } = process.env;
const total = Number(BENCH_RECORDS);
const kafka = new Kafka({ brokers: BENCH_BROKERS.split(','), logLevel: logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: BENCH_GROUP });
const producer = kafka.producer({ transactionalId: BENCH_GROUP, idempotent: true, maxInFlightRequests: 1 });
const topic = BENCH_TOPIC.replace(/-in$/, '-out');
let records = 0;
let start = 0;

function projected(message) {
  const { account, amount, type, timestamp } = JSON.parse(message.value.toString());
  return amount >= 0 ? { key: account, value: JSON.stringify({ account, amount, type, at: timestamp }) } : null;
}

await consumer.connect();
await producer.connect();
await consumer.subscribe({ topics: [BENCH_TOPIC], fromBeginning: true });
await new Promise((resolve, reject) => {
  consumer.on(consumer.events.CRASH, e => reject(e.payload.error));
  consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      if (start === 0) start = performance.now();
      const tx = await producer.transaction();
      await tx.send({ topic, messages: batch.messages.map(projected).filter(m => m !== null) });
      await tx.sendOffsets({ consumerGroupId: BENCH_GROUP, topics: [{ topic: BENCH_TOPIC, partitions: [{ partition: batch.partition, offset: String(BigInt(batch.lastOffset()) + 1n) }] }] });
      await tx.commit();
      records += batch.messages.length;
      if (records >= total) resolve();
    },
  }).catch(reject);
});
const seconds = (performance.now() - start) / 1000;
await consumer.disconnect();
await producer.disconnect();
process.stdout.write(JSON.stringify({ records, seconds }));
