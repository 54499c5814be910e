import { randomBytes } from 'node:crypto';
import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log, NewRecord } from '../../src/connectors/connector.ts';
import { createTopic, describeKafka, hasKcat, kafkajs, kcat, openLog, type Plain, readTopic } from './support.ts';

const hex = (b: Buffer | null): string | null => b?.toString('hex') ?? null;
const keys: readonly (Buffer | null)[] = [null, Buffer.alloc(0), Buffer.from('key'), Buffer.from([0, 255, 128])];
const sample: readonly NewRecord[] = Array.from({ length: 500 }, (_, i) => ({
  key: keys[i % 4] as Buffer | null, value: i % 50 === 49 ? null : randomBytes(i * 3), headers: i % 7 === 0 ? [{ key: `h${i}`, value: Buffer.from(`v${i}`) }] : [], partition: 0,
  timestamp: 1_700_000_000_000 + (i * 7919) % 100_000,
}));
const wanted: readonly Plain[] = sample.map(r => ({ key: hex(r.key), value: hex(r.value), headers: Object.fromEntries(r.headers.map(h => [h.key, String(h.value)])), timestamp: r.timestamp as number }));

describeKafka('beside other clients', () => {
  let log: Log;
  beforeAll(async () => { log = await openLog(); });
  afterAll(() => log.close());

  const ours = (topic: string): Promise<Plain[]> => readTopic(log, topic);

  it.each([['plain', CompressionTypes.None], ['gzip', CompressionTypes.GZIP]])('reads what kafkajs writes, %s', async (_, compression) => {
    const topic = await createTopic('js', 1);
    const producer = kafkajs().producer();
    await producer.connect();
    const messages = sample.map(r => ({ key: r.key, value: r.value, timestamp: String(r.timestamp), headers: Object.fromEntries(r.headers.map(h => [h.key, h.value as Buffer])) }));
    for (let i = 0; i < messages.length; i += 100) await producer.send({ topic, compression, messages: messages.slice(i, i + 100) });
    await producer.disconnect();
    expect(await ours(topic)).toEqual(wanted);
  });

  it('writes what kafkajs reads', async () => {
    const topic = await createTopic('ours', 1);
    await log.append(topic, sample);
    const read: Plain[] = [];
    const consumer = kafkajs().consumer({ groupId: `check-${topic}` });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>(resolve => {
      void consumer.run({ eachMessage: async ({ message: m }) => {
        read.push({ key: hex(m.key), value: hex(m.value), headers: Object.fromEntries(Object.entries(m.headers ?? {}).map(([k, v]) => [k, String(v)])), timestamp: Number(m.timestamp) });
        if (read.length === sample.length) resolve();
      } });
    });
    await consumer.disconnect();
    expect(read).toEqual(wanted);
    expect(await ours(topic)).toEqual(wanted);
  });

  describe.skipIf(!hasKcat())('kcat', () => {
    it('writes what we read', async () => {
      const topic = await createTopic('kcat', 1);
      const lines = Array.from({ length: 5000 }, (_, i) => `k${i}\tvalue ${i} ${'ä'.repeat(i % 30)}`);
      kcat(['-P', '-t', topic, '-K', '\t', '-H', 'a=b'], `${lines.join('\n')}\n`);
      const read = await ours(topic);
      expect(read.map(r => `${Buffer.from(r.key ?? '', 'hex')}\t${Buffer.from(r.value ?? '', 'hex')}`)).toEqual(lines);
      expect(read.every(r => r.headers['a'] === 'b')).toBe(true);
    });

    it('reads what we write, its checksums too', async () => {
      const topic = await createTopic('check', 1);
      await log.append(topic, sample);
      const read = kcat(['-C', '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-X', 'check.crcs=true', '-f', '%o %T %K %S %h\n']).split('\n').slice(0, -1);
      expect(read).toEqual(sample.map((r, i) => `${i} ${r.timestamp} ${r.key?.length ?? -1} ${r.value?.length ?? -1} ${r.headers.map(h => `${h.key}=${h.value}`).join(',')}`));
    });
  });
});
