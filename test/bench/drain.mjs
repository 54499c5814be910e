import { Kafka, logLevel } from 'kafkajs';

/** Reads the topic of the environment with a plain kafkajs consumer until BENCH_RECORDS records were seen; returns {records, seconds from the first batch on}. */
export async function drain(onBatch) {
  const { BENCH_BROKERS, BENCH_TOPIC, BENCH_GROUP, BENCH_RECORDS } = process.env;
  const total = Number(BENCH_RECORDS);
  const consumer = new Kafka({ brokers: BENCH_BROKERS.split(','), logLevel: logLevel.NOTHING }).consumer({ groupId: BENCH_GROUP });
  let records = 0;
  let start = 0;
  await consumer.connect();
  await consumer.subscribe({ topics: [BENCH_TOPIC], fromBeginning: true });
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, e => reject(e.payload.error));
    consumer.run({
      eachBatch: async ({ batch }) => {
        if (start === 0) start = performance.now();
        onBatch(batch.messages);
        records += batch.messages.length;
        if (records >= total) resolve();
      },
    }).catch(reject);
  });
  const seconds = (performance.now() - start) / 1000;
  await consumer.disconnect();
  return { records, seconds };
}
