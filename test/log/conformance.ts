import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Delivery, DeliveryOptions, Log, NewRecord, Source, SourceOptions } from '../../src/connectors/connector.ts';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import { PipeError } from '../../src/errors.ts';
import type { OutBlock } from '../../src/state/store.ts';

export interface LogUnderTest {
  /** One more connection to the same place, opened; the suite closes it. */
  open(): Promise<Log>;
}

export interface Got {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [string, string | null])[];
}

const never = new AbortController().signal;
const NONE: ReadonlySet<number> = new Set();

export const rec = (value: string | Buffer | null, more: Partial<Omit<NewRecord, 'value' | 'key'>> & { key?: string | Buffer | null } = {}): NewRecord => ({
  headers: [], partition: null, timestamp: null, ...more, value: value === null ? null : Buffer.from(value as string), key: more.key === undefined || more.key === null ? null : Buffer.from(more.key as string),
});

/** Polls until there are `n` records; the test's time-out is the limit. */
export async function read(source: Source, n: number, paused: ReadonlySet<number> = NONE): Promise<Got[]> {
  const got: Got[] = [];
  while (got.length < n) {
    for (const b of await source.poll(paused, 500, never)) {
      for (let i = 0; i < b.length; i++) {
        const text = (from: number, to: number): string | null => (from < 0 ? null : b.data.latin1Slice(from, to));
        got.push({
          partition: b.partition, offset: b.offsets[i] as number, timestamp: b.timestamps[i] as number,
          key: text(b.keyStart[i] as number, b.keyEnd[i] as number), value: text(b.valueStart[i] as number, b.valueEnd[i] as number),
          headers: b.headers(i).map(h => [h.key, h.value === null ? null : h.value.latin1Slice()]),
        });
      }
    }
  }
  return got;
}

export const block = (topic: string, partition: number, values: readonly string[]): OutBlock => {
  const b = new BlockBuilder();
  for (const v of values) b.add(Buffer.from(`k${v}`), Buffer.from(v), [], Date.now());
  return { topic, partition, rows: values.length, data: b.finish() };
};

const values = (got: readonly Got[]): (string | null)[] => got.map(g => g.value);

async function problem(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PipeError) return error.code;
    throw error;
  }
  return 'none';
}

/** What every log promises; run for each of them. */
export function logConformance(name: string, under: LogUnderTest): void {
  let opened: (Log | Source | Delivery)[] = [];
  afterEach(async () => {
    for (const x of opened.reverse()) await x.close();
    opened = [];
  });
  const fresh = (): string => `t-${randomBytes(6).toString('hex')}`;
  const connect = async (): Promise<Log> => { const log = await under.open(); opened.push(log); return log; };
  const made = async (partitions: number): Promise<{ log: Log; topic: string }> => {
    const log = await connect();
    const topic = fresh();
    await log.createTopic({ name: topic, partitions, retention: null, config: {} });
    return { log, topic };
  };
  const from = async (log: Log, topic: string, more: Partial<SourceOptions> = {}): Promise<Source> => {
    const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop', ...more });
    opened.push(source);
    await source.open();
    return source;
  };
  const deliver = (log: Log, pipeline: string, stateId: string, ownerId: string, more: Partial<DeliveryOptions> = {}): Delivery => {
    const d = log.delivery({ pipeline, idPrefix: '', stateId, ownerId, exactlyOnce: true, takeOver: false, ...more });
    opened.push(d);
    return d;
  };

  describe(`${name}: topics`, () => {
    it('are made once', async () => {
      const { log, topic } = await made(3);
      expect(await log.createTopic({ name: topic, partitions: 3, retention: null, config: {} })).toBe('exists');
      const other = await connect();
      const info = await other.topic(topic);
      expect(info?.partitions.map(p => [p.partition, p.begin, p.end])).toEqual([[0, 0, 0], [1, 0, 0], [2, 0, 0]]);
      expect((await log.topics()).find(t => t.name === topic)).toEqual(info);
      expect(await log.topic(fresh())).toBeNull();
    });

    it('are named as Kafka allows', async () => {
      const log = await connect();
      await expect(log.createTopic({ name: 'a b', partitions: 1, retention: null, config: {} })).rejects.toBeInstanceOf(PipeError);
    });
  });

  describe(`${name}: records`, () => {
    it('come back as they went in', async () => {
      const { log, topic } = await made(1);
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const before = Date.now();
      await log.append(topic, [
        rec('plain', { key: 'k' }), rec(null, { key: 'gone' }), rec('', { key: '' }), rec(bytes, { key: bytes }),
        rec('with headers', { headers: [{ key: 'a', value: Buffer.from('1') }, { key: 'b', value: null }, { key: 'a', value: Buffer.from([255, 0]) }] }),
      ]);
      const got = await read(await from(log, topic), 5);
      expect(got.map(g => [g.offset, g.key, g.value])).toEqual([[0, 'k', 'plain'], [1, 'gone', null], [2, '', ''], [3, bytes.latin1Slice(), bytes.latin1Slice()], [4, null, 'with headers']]);
      expect(got.map(g => g.headers)).toEqual([[], [], [], [], [['a', '1'], ['b', null], ['a', '\u00ff\u0000']]]);
      for (const g of got) {
        expect(g.timestamp).toBeGreaterThanOrEqual(before - 5000);
        expect(g.timestamp).toBeLessThanOrEqual(Date.now() + 5000);
      }
    });

    it('go to the partition of their key as Java hashes it, to the one they name, or in turn', async () => {
      const { log, topic } = await made(5);
      // murmur2 by Kafka's own tests: 21 -> -973932308, foobar -> -790332482, abc -> 479470107
      // in this order they do not go to partitions in turn
      await log.append(topic, [rec('b', { key: 'foobar' }), rec('c', { key: 'abc' }), rec('a', { key: '21' }), rec('d', { key: 'abc', partition: 4 })]);
      const source = await from(log, topic);
      const by = new Map((await read(source, 4)).map(g => [g.value, g.partition]));
      const java = (hash: number): number => (hash & 0x7fffffff) % 5;
      expect([by.get('a'), by.get('b'), by.get('c'), by.get('d')]).toEqual([java(-973932308), java(-790332482), java(479470107), 4]);
      await log.append(topic, Array.from({ length: 10 }, (_, i) => rec(`n${i}`)));
      const counts = [0, 0, 0, 0, 0];
      for (const g of await read(source, 10)) counts[g.partition] = (counts[g.partition] as number) + 1;
      expect(counts).toEqual([2, 2, 2, 2, 2]);
      await expect(log.append(topic, [rec('x', { partition: 5 })])).rejects.toBeInstanceOf(PipeError);
    });

    it('keep their order, each once, over many appends', async () => {
      const { log, topic } = await made(3);
      const source = await from(log, topic);
      const sent: string[][] = [[], [], []];
      for (let batch = 0; batch < 40; batch++) {
        const records = Array.from({ length: 1 + (batch * 37) % 200 }, (_, i) => ({ p: (batch + i) % 3, v: `${batch}:${i}` }));
        for (const r of records) (sent[r.p] as string[]).push(r.v);
        await log.append(topic, records.map(r => rec(r.v, { partition: r.p })));
      }
      const got = await read(source, sent.flat().length);
      for (const p of [0, 1, 2]) {
        const mine = got.filter(g => g.partition === p);
        expect(values(mine)).toEqual(sent[p]);
        expect(mine.map(g => g.offset)).toEqual(mine.map((_, i) => i));
        expect([source.position(p), source.end(p)]).toEqual([mine.length, mine.length]);
      }
      expect((await log.topic(topic))?.partitions.map(p => p.end)).toEqual(sent.map(s => s.length));
    });
  });

  describe(`${name}: a source`, () => {
    it('goes on at a position, also inside a batch', async () => {
      const { log, topic } = await made(2);
      await log.append(topic, Array.from({ length: 10 }, (_, i) => rec(String(i), { partition: 0 })));
      await log.append(topic, [rec('x', { partition: 1 })]);
      const id = (await log.topic(topic))?.id as string;
      const source = await from(log, topic, { topicId: id, positions: new Map([[0, 4], [1, 1]]) });
      expect([source.position(0), source.position(1)]).toEqual([4, 1]);
      const got = await read(source, 6);
      expect(got.map(g => [g.offset, g.value])).toEqual([4, 5, 6, 7, 8, 9].map(i => [i, String(i)]));
    });

    it('begins at the newest record, or at a time', async () => {
      const { log, topic } = await made(1);
      await log.append(topic, [rec('old'), rec('older')]);
      const latest = await from(log, topic, { from: 'latest' });
      const last = Date.now();
      while (Date.now() <= last + 1) await new Promise(done => { setTimeout(done, 1); });
      const t = Date.now();
      await log.append(topic, [rec('new'), rec('newer')]);
      expect(values(await read(latest, 2))).toEqual(['new', 'newer']);
      expect(values(await read(await from(log, topic, { from: t }), 2))).toEqual(['new', 'newer']);
      expect(await log.offsetsAt(topic, t)).toEqual(new Map([[0, 2]]));
      expect(await log.offsetsAt(topic, 0)).toEqual(new Map([[0, 0]]));
      expect(await log.offsetsAt(topic, t + 3_600_000)).toEqual(new Map([[0, 4]]));
    });

    it('leaves out partitions that are paused', async () => {
      const { log, topic } = await made(2);
      await log.append(topic, [rec('a', { partition: 0 }), rec('b', { partition: 1 })]);
      const source = await from(log, topic);
      expect(values(await read(source, 1, new Set([0])))).toEqual(['b']);
      expect(await source.poll(new Set([0]), 50, never)).toEqual([]);
      expect([source.position(0), source.idleSince(0)]).toEqual([0, null]);
      expect(values(await read(source, 1))).toEqual(['a']);
      expect(await source.poll(new Set([0, 1]), 10, never)).toEqual([]);
    });

    it('knows the end at open and the newest one, and waits for records of other writers', async () => {
      const { log, topic } = await made(1);
      await log.append(topic, [rec('1'), rec('2')]);
      const source = await from(log, topic);
      expect(source.endAtOpen(0)).toBe(2);
      expect(values(await read(source, 2))).toEqual(['1', '2']);
      const waiting = read(source, 1);
      const other = await connect();
      await other.append(topic, [rec('3')]);
      expect(values(await waiting)).toEqual(['3']);
      expect([source.endAtOpen(0), source.end(0), source.position(0)]).toEqual([2, 3, 3]);
      expect([source.topic.name, source.partitions()]).toEqual([topic, [0]]);
    });

    it('ends a poll at the signal', async () => {
      const { log, topic } = await made(1);
      const source = await from(log, topic);
      const stop = new AbortController();
      const waiting = source.poll(NONE, 3_600_000, stop.signal);
      setImmediate(() => stop.abort());
      expect(await waiting).toEqual([]);
      expect(await source.poll(NONE, 3_600_000, stop.signal)).toEqual([]);
    });

    it('is idle at the end only', async () => {
      const { log, topic } = await made(2);
      await log.append(topic, [rec('a', { partition: 0 })]);
      const source = await from(log, topic);
      expect(source.idleSince(0)).toBeNull();
      await read(source, 1);
      const idle = async (p: number): Promise<number> => {
        for (;;) {
          await source.poll(NONE, 100, never);
          const since = source.idleSince(p);
          if (since !== null) return since;
        }
      };
      const since = await idle(0);
      await idle(1);
      expect(since).toBeLessThanOrEqual(Date.now());
      await log.append(topic, [rec('b', { partition: 0 })]);
      await read(source, 1);
      expect(await idle(0)).toBeGreaterThanOrEqual(since);
    });

    it('says what is wrong with where it is to begin', async () => {
      const { log, topic } = await made(1);
      await log.append(topic, [rec('a'), rec('b')]);
      expect(await problem(from(log, fresh()))).toBe('system.source.topic_missing');
      expect(await problem(from(log, topic, { topicId: 'another', positions: new Map([[0, 1]]) }))).toBe('system.source.topic_recreated');
      const id = (await log.topic(topic))?.id as string;
      const beyond = { topicId: id, positions: new Map([[0, 7]]) };
      expect(await problem(from(log, topic, beyond).then(s => read(s, 1)))).toBe('system.source.offset_lost');
      expect(values(await read(await from(log, topic, { ...beyond, onDataLoss: 'earliest' }), 2))).toEqual(['a', 'b']);
    });
  });

  describe(`${name}: a delivery`, () => {
    it('makes an epoch visible once, over all topics', async () => {
      const { log, topic } = await made(2);
      const { topic: second } = await made(1);
      const { topic: input } = await made(1);
      const pipeline = fresh();
      const d = deliver(log, pipeline, 's1', 'o1');
      expect(await d.recover(0)).toBeNull();
      const epoch = { number: 3, blocks: [block(topic, 0, ['a', 'b']), block(topic, 1, ['c']), block(second, 0, ['d'])], offsets: new Map([[input, new Map([[0, 0]])]]) };
      await d.commit(epoch);
      await d.commit(epoch);
      await d.commit({ number: 3, blocks: [], offsets: epoch.offsets });
      await d.commit({ number: 5, blocks: [block(topic, 1, ['e'])], offsets: epoch.offsets });
      const source = await from(log, topic);
      const got = await read(source, 4);
      expect(got.map(g => `${g.partition} ${g.key} ${g.value}`).sort()).toEqual(['0 ka a', '0 kb b', '1 kc c', '1 ke e']);
      expect(values(await read(await from(log, second), 1))).toEqual(['d']);
      expect(await source.poll(NONE, 100, never)).toEqual([]);
      await d.close();
      const again = deliver(await connect(), pipeline, 's1', 'o2');
      expect(await again.recover(5)).toBe(5);
      await again.commit({ number: 5, blocks: [block(topic, 1, ['e'])], offsets: epoch.offsets });
      await again.commit({ number: 6, blocks: [block(topic, 0, ['f'])], offsets: epoch.offsets });
      expect(values(await read(source, 1))).toEqual(['f']);
    });

    it('refuses another state, an older state, and the owner before', async () => {
      const { log, topic } = await made(1);
      const { topic: input } = await made(1);
      const offsets = new Map([[input, new Map([[0, 0]])]]);
      const pipeline = fresh();
      const first = deliver(log, pipeline, 's1', 'o1');
      await first.recover(0);
      await first.commit({ number: 2, blocks: [block(topic, 0, ['a'])], offsets });
      expect(await problem(deliver(log, pipeline, 's2', 'o2').recover(2))).toBe('system.state.foreign');
      // a refused one has fenced nobody
      await first.commit({ number: 3, blocks: [block(topic, 0, ['b'])], offsets });
      expect(await problem(deliver(log, pipeline, 's1', 'o3').recover(2))).toBe('system.state.rolled_back');
      const next = deliver(log, pipeline, 's1', 'o4');
      expect(await next.recover(3)).toBe(3);
      // the marker gets the new owner right away
      await next.commit({ number: 3, blocks: [], offsets });
      expect(await problem(first.commit({ number: 4, blocks: [block(topic, 0, ['x'])], offsets }))).toBe('system.sink.fenced');
      await next.commit({ number: 4, blocks: [block(topic, 0, ['c'])], offsets });
      const reset = deliver(log, pipeline, 's3', 'o5', { takeOver: true });
      await reset.recover(0);
      expect(await problem(next.commit({ number: 5, blocks: [block(topic, 0, ['x'])], offsets }))).toBe('system.sink.fenced');
      await reset.commit({ number: 1, blocks: [block(topic, 0, ['d'])], offsets });
      expect(values(await read(await from(log, topic), 4))).toEqual(['a', 'b', 'c', 'd']);
    });

    it('keeps pipelines apart', async () => {
      const { log, topic } = await made(1);
      const { topic: input } = await made(1);
      const offsets = new Map([[input, new Map([[0, 0]])]]);
      const pipeline = fresh();
      const a = deliver(log, pipeline, 's1', 'o1');
      const b = deliver(log, pipeline, 's2', 'o1', { idPrefix: 'team-' });
      expect([await a.recover(0), await b.recover(0)]).toEqual([null, null]);
      await a.commit({ number: 1, blocks: [block(topic, 0, ['a'])], offsets });
      await b.commit({ number: 1, blocks: [block(topic, 0, ['b'])], offsets });
      expect(values(await read(await from(log, topic), 2))).toEqual(['a', 'b']);
    });

    it('delivers at least once where that is asked for', async () => {
      const { log, topic } = await made(1);
      const { topic: input } = await made(1);
      const d = deliver(log, fresh(), 's1', 'o1', { exactlyOnce: false });
      expect(await d.recover(0)).toBeNull();
      await d.commit({ number: 1, blocks: [block(topic, 0, ['a', 'b'])], offsets: new Map([[input, new Map([[0, 0]])]]) });
      expect(values(await read(await from(log, topic), 2))).toEqual(['a', 'b']);
    });
  });
}
