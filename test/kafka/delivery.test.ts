import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log, OutEpoch, Source } from '../../src/connectors/connector.ts';
import { block, TestPipeline } from './epochs.ts';
import { createTopic, describeKafka, hasKcat, kafkajs, kcatRead, openLog, withAdmin } from './support.ts';

const signal = new AbortController().signal;

/** Committed values of a topic, by partition, as our own source reads them. */
async function committed(log: Log, topic: string): Promise<string[][]> {
  const source: Source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const read: string[][] = source.partitions().map(() => []);
  while (source.partitions().some(p => source.position(p) < source.endAtOpen(p))) {
    for (const b of await source.poll(new Set(), 500, signal)) for (let i = 0; i < b.length; i++) read[b.partition]?.push(b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]));
  }
  await source.close();
  return read;
}

/** [offset, metadata] of the group on a partition, as another client sees it. */
const groupOffset = (p: TestPipeline, topic = p.input, partition = 0): Promise<[string, unknown]> => withAdmin(async admin => {
  const [found] = await admin.fetchOffsets({ groupId: p.group, topics: [topic] });
  const at = found?.partitions.find(x => x.partition === partition);
  return [at?.offset ?? '', at?.metadata ? JSON.parse(at.metadata) : null];
});

describeKafka('delivery', () => {
  let log: Log;
  let input: string;
  beforeAll(async () => {
    log = await openLog();
    input = await createTopic('in', 2);
  });
  afterAll(() => log.close());

  describe.each([['exactly once', true], ['at least once', false]] as const)('%s', (_, exactlyOnce) => {
    it('sends an epoch to all topics, with offsets that carry the marker', async () => {
      const [a, b] = [await createTopic('a', 2), await createTopic('b', 1)];
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce, ownerId: 'me' });
      expect(await d.recover(0)).toBeNull();
      await d.commit(p.epoch(3, [block(a, 0, ['1', '2']), block(a, 1, ['3']), block(b, 0, ['4']), block(a, 0, ['5'])], 42));
      // a broker says that a transaction is over before all its partitions show it, above all its first
      await expect.poll(() => committed(log, a), { timeout: 10_000 }).toEqual([['1', '2', '5'], ['3']]);
      expect(await committed(log, b)).toEqual([['4']]);
      expect(await groupOffset(p)).toEqual(['42', { e: 3, s: p.state, r: 'me' }]);
      await d.close();
      expect(await p.delivery(log, { exactlyOnce }).recover(3)).toBe(3);
    });

    it('takes the same epoch once', async () => {
      const out = await createTopic('once', 1);
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce });
      await d.recover(0);
      for (const n of [1, 1, 2, 1, 2]) await d.commit(p.epoch(n, [block(out, 0, [String(n)])]));
      expect(await committed(log, out)).toEqual([['1', '2']]);
      await d.close();
    });

    it('sends positions alone', async () => {
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce });
      await d.recover(7);
      await d.commit(p.epoch(7, [], 100));
      await d.commit(p.epoch(7, [], 101));
      expect(await groupOffset(p)).toMatchObject(['101', { e: 7 }]);
      await d.close();
      expect(await p.delivery(log, { exactlyOnce }).recover(7)).toBe(7);
    });

    it('refuses a state file that is not the last one, and an older copy of it, without fencing anybody', async () => {
      const out = await createTopic('foreign', 1);
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce });
      await d.recover(0);
      await d.commit(p.epoch(5, [block(out, 0, ['5'])]));
      await expect(p.delivery(log, { exactlyOnce, stateId: 'another' }).recover(0)).rejects.toMatchObject({ code: 'system.state.foreign' });
      await expect(p.delivery(log, { exactlyOnce }).recover(4)).rejects.toMatchObject({ code: 'system.state.rolled_back' });
      await d.commit(p.epoch(6, [block(out, 0, ['6'])]));
      expect(await committed(log, out)).toEqual([['5', '6']]);
      await d.close();
    });

    it.skipIf(!exactlyOnce)('refuses a copy of the state whose last epoch another copy has made from other records', async () => {
      const out = await createTopic('copies', 1);
      const p = new TestPipeline(input);
      const b = p.delivery(log);
      await b.recover(0);
      await b.commit(p.epoch(6, [block(out, 0, ['b'])], 40));
      await b.close();
      const owed = (next: number): OutEpoch['offsets'] => p.epoch(6, [], next).offsets;
      await expect(p.delivery(log).recover(6, owed(50))).rejects.toMatchObject({ code: 'system.state.rolled_back', message: expect.stringContaining('another copy') });
      const same = p.delivery(log);
      expect(await same.recover(6, owed(40))).toBe(6);
      await same.close();
      expect(await committed(log, out)).toEqual([['b']]);
    });

    it('is taken over by a reset, which the old owner notices', async () => {
      const out = await createTopic('reset', 1);
      const p = new TestPipeline(input);
      const old = p.delivery(log, { exactlyOnce });
      await old.recover(0);
      await old.commit(p.epoch(5, [block(out, 0, ['old 5'])], 50));
      const fresh = p.delivery(log, { exactlyOnce, stateId: 'fresh', ownerId: 'new', takeOver: true });
      expect(await fresh.recover(0)).toBeNull();
      // at once, and where the old one stopped: the new state has no positions yet
      expect(await groupOffset(p)).toEqual(['50', { e: 0, s: 'fresh', r: 'new' }]);
      await expect(old.commit(p.epoch(6, exactlyOnce ? [block(out, 0, ['old 6'])] : []))).rejects.toMatchObject({ code: 'system.sink.fenced', exit: 20 });
      await fresh.commit(p.epoch(1, [block(out, 0, ['new 1'])]));
      expect(await committed(log, out)).toEqual([['old 5', 'new 1']]);
      await expect(p.delivery(log, { exactlyOnce }).recover(9)).rejects.toMatchObject({ code: 'system.state.foreign' });
      await Promise.all([old.close(), fresh.close()]);
    });

    it('marks partitions of sources that were taken out, too', async () => {
      const p = new TestPipeline(input);
      const other = new TestPipeline(await createTopic('other', 1));
      const first = p.delivery(log, { exactlyOnce });
      await first.recover(0);
      await first.commit({ number: 1, blocks: [], offsets: new Map([[input, new Map([[0, 1], [1, 2]])], [other.input, new Map([[0, 3]])]]) });
      await first.close();
      const second = p.delivery(log, { exactlyOnce, ownerId: 'second' });
      await second.recover(1);
      await second.commit(p.epoch(1, [], 9));
      const mark = { e: 1, s: p.state, r: 'second' };
      expect(await groupOffset(p)).toEqual(['9', mark]);
      expect(await groupOffset(p, input, 1)).toEqual(['2', mark]);
      expect(await groupOffset(p, other.input)).toEqual(['3', mark]);
      await second.close();
    });

    it('names a record that the broker does not take, and leaves no transaction open', async () => {
      const [out, small] = [await createTopic('out', 1), await createTopic('small', 1, { 'max.message.bytes': '5000' })];
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce });
      await d.recover(0);
      const error: unknown = await d.commit(p.epoch(1, [block(out, 0, ['x']), block(small, 0, ['y', 'z'.repeat(6000)])])).catch(e => e);
      expect(error).toMatchObject({ code: 'system.sink.too_large' });
      expect((error as Error).message).toMatch(`for ${small}/0 (key "k0")`);
      const open = await log.topic(out);
      if (exactlyOnce) {
        await log.append(out, [{ key: null, value: Buffer.from('later'), headers: [], partition: 0, timestamp: null }]);
        expect(await committed(log, out)).toEqual([['later']]);
      } else expect(open?.partitions[0]?.end).toBe(1);
      await d.close();
    });

    it('puts a word in front of its names', async () => {
      const p = new TestPipeline(input);
      const d = p.delivery(log, { exactlyOnce, idPrefix: 'team-' });
      await d.recover(0);
      await d.commit(p.epoch(0, [], 5));
      await withAdmin(async admin => expect((await admin.fetchOffsets({ groupId: `team-pipe-${p.name}`, topics: [input] }))[0]?.partitions.map(x => x.offset)).toContain('5'));
      await d.close();
    });
  });

  it('ends with its log', async () => {
    const own = await openLog();
    const p = new TestPipeline(input);
    const [d, plain] = [p.delivery(own), p.delivery(own, { exactlyOnce: false })];
    await d.recover(0);
    await own.close();
    await expect(d.commit(p.epoch(1, [block(input, 1, ['x'])]))).rejects.toMatchObject({ code: 'system.sink.unreachable' });
    await expect(plain.commit(p.epoch(1, [block(input, 1, ['x'])]))).rejects.toMatchObject({ code: 'system.sink.unreachable' });
  });

  it('shows nothing of an epoch before all of it', async () => {
    const out = await createTopic('atomic', 1);
    const p = new TestPipeline(input);
    const d = p.delivery(log);
    await d.recover(0);
    const producer = kafkajs().producer({ transactionalId: `x-${p.name}`, maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    // an open transaction of somebody else holds everything back that was written later
    const tx = await producer.transaction();
    await tx.send({ topic: out, messages: [{ value: 'theirs' }] });
    await d.commit(p.epoch(1, [block(out, 0, ['ours'])]));
    expect((await log.topic(out))?.partitions[0]?.end).toBe(0);
    await tx.abort();
    await producer.disconnect();
    // an abort is decided first, and its marker written after that
    while ((await log.topic(out))?.partitions[0]?.end === 0) await new Promise(r => setTimeout(r, 10));
    expect(await committed(log, out)).toEqual([['ours']]);
    await d.close();
  });

  it('is fenced by a second process of the same pipeline', async () => {
    const out = await createTopic('second', 1);
    const p = new TestPipeline(input);
    const first = p.delivery(log);
    await first.recover(0);
    await first.commit(p.epoch(1, [block(out, 0, ['1'])]));
    const second = p.delivery(log);
    expect(await second.recover(1)).toBe(1);
    await second.commit(p.epoch(1, []));
    await expect(first.commit(p.epoch(2, [block(out, 0, ['first 2'])]))).rejects.toMatchObject({ code: 'system.sink.fenced', exit: 20 });
    await second.commit(p.epoch(2, [block(out, 0, ['second 2'])]));
    expect(await committed(log, out)).toEqual([['1', 'second 2']]);
    await Promise.all([first.close(), second.close()]);
  });

  it('goes on when it was fenced without a new owner, as after a stall', async () => {
    const out = await createTopic('stall', 1);
    const p = new TestPipeline(input);
    const d = p.delivery(log);
    await d.recover(0);
    await d.commit(p.epoch(1, [block(out, 0, ['1'])]));
    // whoever inits the id raises its epoch: what the coordinator does after a time-out
    const zombie = kafkajs().producer({ transactionalId: p.group, maxInFlightRequests: 1, idempotent: true });
    await zombie.connect();
    await (await zombie.transaction()).abort();
    await zombie.disconnect();
    await d.commit(p.epoch(2, [block(out, 0, ['2'])]));
    await d.commit(p.epoch(3, [block(out, 0, ['3'])]));
    expect(await committed(log, out)).toEqual([['1', '2', '3']]);
    await d.close();
  });

  it('ends what a dead process has begun', async () => {
    const out = await createTopic('dangling', 1);
    const p = new TestPipeline(input);
    const dead = kafkajs().producer({ transactionalId: p.group, maxInFlightRequests: 1, idempotent: true });
    await dead.connect();
    await (await dead.transaction()).send({ topic: out, messages: [{ value: 'half' }] });
    const d = p.delivery(log);
    await d.recover(0);
    await d.commit(p.epoch(1, [block(out, 0, ['whole'])]));
    expect(await committed(log, out)).toEqual([['whole']]);
    await dead.disconnect();
    await d.close();
  });

  it.skipIf(!hasKcat())('writes large epochs of several blocks that other clients read', async () => {
    const out = await createTopic('large', 2);
    const p = new TestPipeline(input);
    const d = p.delivery(log);
    await d.recover(0);
    const values = Array.from({ length: 40_000 }, (_, i) => `${i}:${'v'.repeat(i % 90)}`);
    await d.commit(p.epoch(1, [block(out, 0, values.slice(0, 20_000)), block(out, 1, ['one']), block(out, 0, values.slice(20_000))]));
    expect(kcatRead(out, 0, 'beginning', '%s\n')).toEqual(values);
    expect(kcatRead(out, 1, 'beginning', '%k %s\n')).toEqual(['k1 one']);
    await d.close();
  });
});
