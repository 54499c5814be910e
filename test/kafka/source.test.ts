import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Log, Source, SourceOptions } from '../../src/connectors/connector.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { createTopic, describeKafka, kafkajs, listen, openLog, unique, until, withAdmin, type Heard } from './support.ts';

const signal = new AbortController().signal;
const NOBODY: ReadonlySet<number> = new Set();
const from = (topic: string, more: Partial<SourceOptions> = {}): SourceOptions => ({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop', ...more });
const values = (b: RecordBatch): string[] => Array.from({ length: b.length }, (_, i) => b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]));

async function readTo(source: Source, done: (read: readonly string[]) => boolean, paused = NOBODY): Promise<string[]> {
  const read: string[] = [];
  while (!done(read)) for (const b of await source.poll(paused, 100, signal)) read.push(...values(b));
  return read;
}

describeKafka('the source', () => {
  let log: Log;
  let heard: Heard;
  beforeAll(async () => {
    heard = listen();
    log = await openLog(heard);
  });
  afterAll(() => log.close());

  const send = (topic: string, partition: number, list: readonly string[], timestamp: number | null = null): Promise<void> =>
    log.append(topic, list.map(v => ({ key: null, value: Buffer.from(v), headers: [], partition, timestamp })));

  async function opened(o: SourceOptions): Promise<Source> {
    const source = log.source(o);
    await source.open();
    return source;
  }

  it('begins at the first record, at the end, at a time, or where it stopped', async () => {
    const topic = await createTopic('starts', 2);
    for (const [i, v] of ['a', 'b', 'c'].entries()) await send(topic, 0, [v], 1_700_000_000_000 + i * 1000);
    const positions = async (o: Partial<SourceOptions>): Promise<number[]> => {
      const s = await opened(from(topic, o));
      const found = s.partitions().map(p => s.position(p));
      expect(s.partitions().map(p => s.endAtOpen(p))).toEqual([3, 0]);
      await s.close();
      return found;
    };
    expect(await positions({})).toEqual([0, 0]);
    expect(await positions({ from: 'latest' })).toEqual([3, 0]);
    expect(await positions({ from: 1_700_000_000_500 })).toEqual([1, 0]);
    expect(await positions({ from: 1_800_000_000_000 })).toEqual([3, 0]);
    // a partition without a saved position is newer than the state: from its beginning, whatever `from` says
    expect(await positions({ from: 'latest', positions: new Map([[1, 0]]) })).toEqual([0, 0]);
    expect(await positions({ positions: new Map([[0, 2], [1, 0]]) })).toEqual([2, 0]);
  });

  it('gives each record once, in order, while others write', async () => {
    const topic = await createTopic('tail', 3);
    const source = await opened(from(topic));
    const wanted: string[][] = [[], [], []];
    const got: string[][] = [[], [], []];
    let n = 0;
    const writing = (async () => {
      for (let round = 0; round < 30; round++) for (let p = 0; p < 3; p++) {
        const list = Array.from({ length: 1 + (round * 7 + p) % 40 }, () => `${n++}`);
        wanted[p]?.push(...list);
        await send(topic, p, list);
      }
    })();
    let open = true;
    void writing.then(() => { open = false; });
    while (open || got.flat().length < wanted.flat().length) for (const b of await source.poll(NOBODY, 20, signal)) {
      expect(b.offsets[0]).toBe(got[b.partition]?.length);
      got[b.partition]?.push(...values(b));
      expect(source.position(b.partition)).toBe(b.next);
    }
    await writing;
    expect(got).toEqual(wanted);
    await source.close();
  });

  it('leaves paused partitions alone, and gives their records later', async () => {
    const topic = await createTopic('paused', 2);
    await send(topic, 0, ['a0']);
    await send(topic, 1, ['b0']);
    const source = await opened(from(topic));
    expect(await readTo(source, r => r.length === 1, new Set([1]))).toEqual(['a0']);
    for (let i = 0; i < 5; i++) expect(await source.poll(new Set([1]), 30, signal)).toEqual([]);
    expect(source.position(1)).toBe(0);
    expect(source.idleSince(1)).toBeNull();
    expect(await readTo(source, r => r.length === 1)).toEqual(['b0']);
    await source.close();
  });

  it('holds an answer back that came after its partition was paused', async () => {
    const topic = await createTopic('held', 1);
    const source = await opened(from(topic));
    // then a fetch is on its way
    await until(async () => { await source.poll(NOBODY, 50, signal); return source.idleSince(0) !== null; });
    await send(topic, 0, ['x']);
    for (let i = 0; i < 10; i++) expect(await source.poll(new Set([0]), 30, signal)).toEqual([]);
    expect(source.position(0)).toBe(0);
    expect(await readTo(source, r => r.length === 1)).toEqual(['x']);
    await source.close();
  });

  it('ends a wait at a signal', async () => {
    const source = await opened(from(await createTopic('quiet', 1)));
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect(await source.poll(NOBODY, 600_000, stop.signal)).toEqual([]);
    await source.close();
  });

  it('is idle at the end, and not with a backlog, an open transaction or unread answers', async () => {
    const topic = await createTopic('idle', 1);
    await send(topic, 0, ['a']);
    const source = await opened(from(topic));
    expect(source.idleSince(0)).toBeNull();
    await readTo(source, r => r.length === 1);
    expect(source.idleSince(0)).toBeNull();
    const poll = async (): Promise<boolean> => { await source.poll(NOBODY, 50, signal); return source.idleSince(0) !== null; };
    await until(poll);
    const since = source.idleSince(0) as number;
    expect(since).toBeLessThanOrEqual(Date.now());
    for (let i = 0; i < 30; i++) await poll();
    expect(source.idleSince(0)).toBe(since);

    const producer = kafkajs().producer({ transactionalId: unique('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    const tx = await producer.transaction();
    await tx.send({ topic, messages: [{ value: 'b' }] });
    await until(async () => !(await poll()));
    for (let i = 0; i < 20; i++) expect(await poll()).toBe(false);
    expect([source.position(0), source.end(0)]).toEqual([1, 1]);
    await tx.abort();
    await producer.disconnect();
    await until(poll);
    // beyond the aborted record and its marker
    expect([source.position(0), source.end(0)]).toEqual([3, 3]);
    await source.close();
  });

  it('reads an end that is all aborted records and markers', async () => {
    const topic = await createTopic('aborted-end', 1);
    const producer = kafkajs().producer({ transactionalId: unique('tx'), maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    for (let i = 0; i < 3; i++) {
      const tx = await producer.transaction();
      await tx.send({ topic, messages: [{ value: `gone ${i}` }] });
      await tx.abort();
    }
    await producer.disconnect();
    const source = await opened(from(topic));
    expect(source.endAtOpen(0)).toBe(6);
    expect(await readTo(source, () => source.position(0) >= 6)).toEqual([]);
    await source.close();
  });

  it('counts what retention took, or goes on at the beginning', async () => {
    const topic = await createTopic('lost', 1);
    await send(topic, 0, ['0', '1', '2', '3', '4']);
    const running = await opened(from(topic, { positions: new Map([[0, 1]]) }));
    await withAdmin(async admin => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
    });
    const stopped = opened(from(topic, { positions: new Map([[0, 1]]) }));
    await expect(stopped).rejects.toMatchObject({ code: 'system.source.offset_lost', message: `3 records of ${topic}/0 were deleted by retention before they were read (offsets 1 to 3)` });
    await expect(readTo(running, () => false)).rejects.toMatchObject({ code: 'system.source.offset_lost' });
    await running.close();
    const before = heard.lines.length;
    const going = await opened(from(topic, { positions: new Map([[0, 3]]), onDataLoss: 'earliest' }));
    expect(going.position(0)).toBe(4);
    expect(heard.lines.slice(before)).toEqual([`1 record of ${topic}/0 was deleted by retention before it was read (offset 3); going on at offset 4 (on_data_loss: earliest)`]);
    expect(await readTo(going, r => r.length === 1)).toEqual(['4']);
    await going.close();
    // nothing is saved yet: what is there is all there is
    const fresh = await opened(from(topic));
    expect(fresh.position(0)).toBe(4);
    await fresh.close();
  });

  it('goes on while running when records are lost and the source says so', async () => {
    const topic = await createTopic('lost-running', 1);
    await send(topic, 0, ['0', '1', '2']);
    const source = await opened(from(topic, { positions: new Map([[0, 0]]), onDataLoss: 'earliest' }));
    await withAdmin(async admin => {
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    });
    expect(await readTo(source, r => r.length === 1)).toEqual(['2']);
    await source.close();
  });

  it('notices a topic that was made again, at start and while it runs', async () => {
    const topic = await createTopic('again', 1);
    await send(topic, 0, ['old', 'old', 'old']);
    const running = await opened(from(topic));
    const { id } = running.topic;
    await readTo(running, r => r.length === 3);
    await withAdmin(admin => admin.deleteTopics({ topics: [topic] }));
    await withAdmin(async admin => {
      await until(() => admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true }));
    });
    await expect(readTo(running, () => false)).rejects.toMatchObject({ code: 'system.source.topic_recreated' });
    await running.close();
    await expect(opened(from(topic, { topicId: id }))).rejects.toMatchObject({ code: 'system.source.topic_recreated', message: `topic "${topic}" was deleted and made again since it was last read: the saved positions are of the old one` });
    // the same topic, shorter than it was
    await expect(opened(from(topic, { positions: new Map([[0, 3]]) }))).rejects.toMatchObject({ code: 'system.source.offset_lost', message: `the saved offset 3 of ${topic}/0 is beyond its end 0: records that were read once are gone` });
  });

  it('names a topic that is missing, and one that is near', async () => {
    const topic = await createTopic('transactions', 1);
    await expect(opened(from(topic.slice(0, -1)))).rejects.toMatchObject({
      code: 'system.source.topic_missing', exit: 11, label: `did you mean "${topic}"?`, hint: `create it: pipe topics create ${topic.slice(0, -1)} --partitions 3`,
    });
  });

  it('finds partitions that are added while it reads', async () => {
    const topic = await createTopic('grows', 1);
    const source = await opened(from(topic, { from: 'latest' }));
    await source.poll(NOBODY, 50, signal);
    await withAdmin(admin => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await until(async () => (await log.topic(topic))?.partitions.length === 3);
    await send(topic, 2, ['new']);
    expect(await readTo(source, r => r.length === 1)).toEqual(['new']);
    expect(source.partitions()).toEqual([0, 1, 2]);
    expect(source.position(2)).toBe(1);
    expect(heard.lines).toContain(`topic "${topic}" has 2 more partitions, read from the beginning; new records of a key may go to another partition than before`);
    await source.close();
  }, 90_000);

  it('reads records that are larger than a fetch', async () => {
    const topic = await createTopic('big', 1, { 'max.message.bytes': '20000000' });
    const big = 'z'.repeat(9_500_000);
    await send(topic, 0, ['a', big, 'b']);
    const source = await opened(from(topic));
    const read = await readTo(source, r => r.length === 3);
    expect(read.map(v => v.length)).toEqual([1, big.length, 1]);
    await source.close();
  });
});
