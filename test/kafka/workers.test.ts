import { expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import { ComeAndGo } from '../cases/come-and-go.ts';
import { fakeIo } from '../cli/fake-io.ts';
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

describeKafka('threads that come and go on Kafka', () => {
  it('leave each record counted once, in transactions that are whole', { timeout: 180_000 }, async () => {
    const [input, output] = [await createTopic('backlog', 3), await createTopic('sums', 2)];
    const sums = new Map<string, { n: number; sum: number }>();
    const producer = kafkajs().producer();
    await producer.connect();
    const pad = 'x'.repeat(200);
    for (let i = 0; i < 60_000; i += 2000) {
      const messages = Array.from({ length: 2000 }, (_, j) => {
        const x = i + j;
        const k = `k${x % 997}`;
        const s = sums.get(k) ?? { n: 0, sum: 0 };
        sums.set(k, { n: s.n + 1, sum: s.sum + x });
        return { key: k, value: `{"k":"${k}","x":${x},"at":${START + x},"pad":"${pad}"}` };
      });
      await producer.send({ topic: input, messages });
    }
    await producer.disconnect();
    const project = new Project();
    const comeAndGo = new ComeAndGo();
    try {
      project.write('p.yaml', `name: ${unique('come')}\nsources:\n  t: {topic: ${input}, schema: "k STRING, x BIGINT, at BIGINT", event_time: {from: at, unit: ms, delay: 60s}}\nsinks:\n  ${output}:\n    sql: SELECT k, COUNT(*) AS n, SUM(x) AS s FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' HOUR)\nsettings: {checkpoint: 20ms}\n`);
      const command = makeRun(() => Promise.resolve({ ...runParts, worker: comeAndGo.worker, scaling: comeAndGo.scaling() }));
      const io = fakeIo({ cwd: project.dir, env: {} });
      await command.run(parseCommandLine(command, ['p.yaml', '--until-end', '--no-print', '--workers', 'auto', '--brokers', brokers as string]), io);
      expect(io.err.text).toMatch(/threads share the backlog\n[^]*one thread again: the backlog is done\n/);
      expect([comeAndGo.came > 0, comeAndGo.went > 0]).toEqual([true, true]);
      const log = await openLog();
      const rows = (await readTopic(log, output)).map(r => JSON.parse(Buffer.from(r.value as string, 'hex').toString()) as unknown);
      await log.close();
      expect(rows.map(r => JSON.stringify(r)).sort()).toEqual([...sums].map(([k, { n, sum }]) => JSON.stringify({ k, n, s: sum })).sort());
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
