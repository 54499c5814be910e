import { expect, it } from 'vitest';
import { Project } from '../e2e/project.ts';
import { brokers, consoleProducer, createTopic, describeKafka, hasTools, kafkajs, openLog, readTopic, unique } from './support.ts';

const START = Date.UTC(2024, 0, 1);
const KEYS = 40;
const PER_CODEC = 600;
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

describeKafka('worker threads on Kafka', () => {
  it.skipIf(!hasTools())('open what they are given as it was written: every codec, and without what was aborted', { timeout: 180_000 }, async () => {
    const [input, output] = [await createTopic('packed', 3), await createTopic('sums', 1)];
    const sums = new Map<string, { n: number; sum: number }>();
    const record = (i: number, count: boolean): { key: string; value: string } => {
      const key = `k${i % KEYS}`;
      if (count) { const s = sums.get(key) ?? { n: 0, sum: 0 }; sums.set(key, { n: s.n + 1, sum: s.sum + i }); }
      return { key, value: `{"k":"${key}","x":${i},"at":${START + i}}` };
    };
    let next = 0;
    for (const codec of codecs) {
      const tx = await aborted();
      await tx.send({ topic: input, messages: Array.from({ length: 50 }, (_, i) => record(i, false)) });
      await tx.abort();
      const lines = Array.from({ length: PER_CODEC }, () => { const { key, value } = record(next++, true); return `h:1\t${key}\t${value}`; });
      // one that is no JSON, in a batch of each codec: its dead letter shows its own bytes
      consoleProducer(input, codec, [...lines, `h:1\tbad\t{${codec}`], { 'batch.size': 4000 });
    }
    const project = new Project();
    try {
      const name = unique('workers');
      project.write('p.yaml', `name: ${name}\nsources:\n  t: {topic: ${input}, schema: "k STRING, x BIGINT, at BIGINT", event_time: {from: at, unit: ms, delay: 60s}}\nsinks:\n  ${output}:\n    sql: SELECT k, COUNT(*) AS n, SUM(x) AS s FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' HOUR)\n`);
      const run = await project.run(['run', 'p.yaml', '--until-end', '--no-print', '--workers', '2', '--brokers', brokers as string]);
      expect(run.code, run.err).toBe(0);
      const log = await openLog();
      const rows = (await readTopic(log, output)).map(r => JSON.parse(Buffer.from(r.value as string, 'hex').toString()) as unknown);
      await log.close();
      expect(rows.map(r => JSON.stringify(r)).sort()).toEqual([...sums].map(([k, { n, sum }]) => JSON.stringify({ k, n, s: sum })).sort());
      const letters = await project.run(['dlq', 'ls', 'p.yaml', '--json', '--brokers', brokers as string]);
      expect(letters.lines.map(l => (JSON.parse(l) as { value: string }).value).sort()).toEqual(codecs.map(c => `{${c}`).sort());
    } finally {
      project.remove();
    }
  });
});

async function aborted(): Promise<{ send: Send; abort(): Promise<void> }> {
  const producer = kafkajs().producer({ transactionalId: unique('aborted'), maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const tx = await producer.transaction();
  return { send: x => tx.send(x), abort: async () => { await tx.abort(); await producer.disconnect(); } };
}
type Send = (x: { topic: string; messages: { key: string; value: string }[] }) => Promise<unknown>;
