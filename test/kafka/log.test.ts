import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Log, NewRecord, Source } from '../../src/connectors/connector.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { PipeError } from '../../src/errors.ts';
import { createTopic, describeKafka, hasKcat, kcat, kcatRead, openLog, unique } from './support.ts';

const record = (key: string | null, value: string | null, more: Partial<NewRecord> = {}): NewRecord => ({
  key: key === null ? null : Buffer.from(key), value: value === null ? null : Buffer.from(value), headers: [], partition: null, timestamp: null, ...more,
});
const text = (b: RecordBatch, i: number): string | null => ((b.valueStart[i] as number) < 0 ? null : b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]));
const signal = new AbortController().signal;

/** Reads to the end known at open: "offset value" by partition. */
async function readAll(source: Source): Promise<string[][]> {
  const read: string[][] = source.partitions().map(() => []);
  while (source.partitions().some(p => source.position(p) < source.endAtOpen(p))) {
    for (const b of await source.poll(new Set(), 500, signal)) for (let i = 0; i < b.length; i++) read[b.partition]?.push(`${b.offsets[i]} ${text(b, i)}`);
  }
  return read;
}

describeKafka('the log', () => {
  let log: Log;
  beforeAll(async () => { log = await openLog(); });
  afterAll(() => log.close());

  it('has the id of the cluster and a label for people', () => {
    expect(log.kind).toBe('kafka');
    expect(log.id).toMatch(/^[\w-]{22}$/);
    expect(log.label).toMatch(/^Kafka at 127\.0\.0\.1:\d+$/);
  });

  it('creates a topic once, with retention and settings', async () => {
    const name = unique('made');
    const wanted = { name, partitions: 4, retention: 3_600_000, config: { 'cleanup.policy': 'compact' } };
    expect(await log.topic(name)).toBeNull();
    expect(await log.createTopic(wanted)).toBe('created');
    expect(await log.createTopic(wanted)).toBe('exists');
    const found = await log.topic(name);
    expect(found?.id).toMatch(/^[0-9a-f]{32}$/);
    expect(found?.partitions).toEqual([0, 1, 2, 3].map(partition => ({ partition, begin: 0, end: 0, bytes: 0 })));
    expect((await log.topics()).filter(t => t.name === name)).toEqual([found]);
  });

  it('says what the broker has against a topic', async () => {
    const bad = log.createTopic({ name: unique('bad'), partitions: 1, retention: null, config: { 'no.such.setting': '1' } });
    await expect(bad).rejects.toMatchObject({ code: 'user.config.bad_value' });
    await expect(log.createTopic({ name: 'a b', partitions: 1, retention: null, config: {} })).rejects.toBeInstanceOf(PipeError);
  });

  it('lists no internal topics', async () => {
    expect((await log.topics()).filter(t => t.name.startsWith('__'))).toEqual([]);
  });

  it('appends in order, where it was told to, and reads it back', async () => {
    const topic = await createTopic('append', 3);
    const header = { key: 'h', value: Buffer.from('ä') };
    await log.append(topic, [record('a', '1', { partition: 2, headers: [header, { key: 'none', value: null }], timestamp: 1_700_000_000_000 }), record(null, null, { partition: 2 }), record('', '', { partition: 2 })]);
    await log.append(topic, [record('b', '2', { partition: 0 })]);
    const info = await log.topic(topic);
    expect(info?.partitions.map(p => p.end)).toEqual([1, 0, 3]);
    expect(info?.partitions[1]?.bytes).toBe(0);
    expect(info?.partitions[2]?.bytes).toBeGreaterThan(60);

    const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await source.open();
    const batches: RecordBatch[] = [];
    while (source.position(2) < 3) {
      for (const b of await source.poll(new Set([0, 1]), 500, signal)) {
        batches.push(b);
        expect(b.partition).toBe(2);
        expect(b.headers(0)).toEqual([header, { key: 'none', value: null }]);
        expect(b.headers(1)).toEqual([]);
        expect(b.timestamps[0]).toBe(1_700_000_000_000);
        expect([...b.keyStart].map((s, i) => (s < 0 ? null : b.data.toString('utf8', s, b.keyEnd[i])))).toEqual(['a', null, '']);
        expect([0, 1, 2].map(i => text(b, i))).toEqual(['1', null, '']);
      }
    }
    expect(batches.length).toBe(1);
    await source.close();
  });

  it.skipIf(!hasKcat())('places keys as the Java client and librdkafka do', async () => {
    const ours = await createTopic('murmur-ours', 5);
    const theirs = await createTopic('murmur-theirs', 5);
    const keys = Array.from({ length: 200 }, (_, i) => `key-${i}-${'ü€'.repeat(i % 4)}`);
    await log.append(ours, keys.map(k => record(k, k)));
    kcat(['-P', '-t', theirs, '-K', '\t', '-X', 'topic.partitioner=murmur2'], keys.map(k => `${k}\t${k}\n`).join(''));
    for (let p = 0; p < 5; p++) expect(kcatRead(ours, p, 'beginning', '%k\n').sort()).toEqual(kcatRead(theirs, p, 'beginning', '%k\n').sort());
  });

  it('deals records without a key out in turn', async () => {
    const topic = await createTopic('turn', 3);
    await log.append(topic, Array.from({ length: 9 }, (_, i) => record(null, String(i))));
    expect((await log.topic(topic))?.partitions.map(p => p.end)).toEqual([3, 3, 3]);
  });

  it('refuses a partition and a topic that are not there', async () => {
    const topic = await createTopic('few', 1);
    await expect(log.append(topic, [record(null, 'x', { partition: 1 })])).rejects.toMatchObject({ code: 'user.usage.bad_value' });
    await expect(log.append(unique('absent'), [record(null, 'x')])).rejects.toMatchObject({ code: 'system.sink.topic_missing' });
  });

  it('cuts what is too much for one batch, and one batch that is too much for its topic', async () => {
    const topic = await createTopic('cut', 1, { 'max.message.bytes': '20000' });
    const values = Array.from({ length: 300 }, (_, i) => `${i}-${'x'.repeat(7000)}`);
    await log.append(topic, values.map(v => record(null, v)));
    const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await source.open();
    expect(await readAll(source)).toEqual([values.map((v, i) => `${i} ${v}`)]);
    await source.close();
  });

  it('names the record that no batch can hold', async () => {
    const topic = await createTopic('huge', 1, { 'max.message.bytes': '20000' });
    const error: unknown = await log.append(topic, [record('a', 'small'), record('the-key', 'y'.repeat(30_000))]).catch(e => e);
    expect(error).toMatchObject({ code: 'system.sink.too_large' });
    expect((error as Error).message).toMatch(new RegExp(`a record of 30\\d\\d\\d bytes for ${topic}/0 \\(key "the-key"\\)`));
  });

  it('finds offsets by time', async () => {
    const topic = await createTopic('times', 2);
    await log.append(topic, [1000, 2000, 3000].map(t => record(null, String(t), { partition: 0, timestamp: 1_700_000_000_000 + t })));
    expect(await log.offsetsAt(topic, 1_700_000_001_500)).toEqual(new Map([[0, 1], [1, 0]]));
    expect(await log.offsetsAt(topic, 1_700_000_004_000)).toEqual(new Map([[0, 3], [1, 0]]));
  });
});
