import { afterEach, describe, expect, it } from 'vitest';
import type { Batch } from '../../src/engine/batch.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { RunLoop } from '../../src/engine/loop.ts';
import type { Operator, Output } from '../../src/engine/operator.ts';
import { SourceReader } from '../../src/engine/source-reader.ts';
import { EventTime } from '../../src/engine/watermark.ts';
import { formats } from '../../src/formats/index.ts';
import { BIGINT, TIMESTAMP_LTZ } from '../../src/sql/types.ts';
import { GENERATED } from '../no-codegen.ts';
import { MemorySource } from './memory-source.ts';

const HOUR = 3_600_000;

/** Keeps ids and watermarks; has one window that ends at `open` until the watermark closes it. */
class Collect implements Operator {
  readonly id = 'collect';
  readonly rows: number[] = [];
  readonly wm: number[] = [];
  readonly watermarks: number[] = [];
  readonly batches: number[] = [];
  open: () => void = () => undefined;
  windowEnd: number | null = null;
  finished = 0;
  /** Answers of resume that are still to be false. */
  stuck = 0;
  push(b: Batch): void {
    expect(this.stuck).toBe(0);
    this.batches.push(b.length);
    for (let i = 0; i < b.length; i++) { this.rows.push((b.cols[0] as number[])[i] as number); this.wm.push((b.wm as Float64Array)[i] as number); }
  }
  watermark(ms: number): void {
    this.watermarks.push(ms);
    if (this.windowEnd !== null && ms >= this.windowEnd - 1) this.windowEnd = null;
  }
  finish(): void { this.finished++; }
  resume(): boolean { return this.stuck === 0; }
  snapshot(): void {}
  keys(): number { return 0; }
  lastOpenEnd(): number | null { return this.windowEnd; }
  windows(): null { return null; }
}

interface Run {
  readonly source: MemorySource;
  readonly collect: Collect;
  readonly reader: SourceReader;
  readonly loop: RunLoop;
  readonly stop: AbortController;
  readonly bad: string[];
  readonly future: number[];
  /** Positions at each commit. */
  readonly commits: string[];
}

const started: AbortController[] = [];
afterEach(() => { for (const s of started.splice(0)) s.abort(); });

async function make(source: MemorySource, o: { following?: boolean; batchRows?: number; lead?: number; idle?: number; checkpoint?: number; delivering?: () => boolean } = {}): Promise<Run> {
  const following = o.following ?? false;
  const collect = new Collect();
  const clock = new EventTime({ delay: 5, idle: o.idle ?? 50, maxFuture: HOUR, following }, systemClock, -Infinity);
  const decoder = formats.find('json')?.decoder?.(
    [{ field: { name: 'id', type: BIGINT, nullable: true }, key: 'id', time: null, required: false }, { field: { name: 'ts', type: TIMESTAMP_LTZ, nullable: false }, key: 'ts', time: 'ms', required: true }],
    { topic: 'events', maxRecordBytes: 1 << 20, generated: GENERATED });
  const bad: string[] = [];
  const future: number[] = [];
  await source.open();
  const reader = new SourceReader({
    ends: null,
    name: 'events', source, decoder: decoder as NonNullable<typeof decoder>, input: collect, time: { column: 1, clock }, following, batchRows: o.batchRows ?? 1000, lead: o.lead ?? 300_000,
    counts: { read: () => undefined, undecodable: (_s, _r, _i, code) => { bad.push(code); }, future: (_s, b, i) => { future.push((b.cols[0] as number[])[i] as number); } },
    unitCheck: null, warn: () => undefined,
    meters: null, lastOpenEnd: () => collect.lastOpenEnd(),
  });
  reader.begin([]);
  const commits: string[] = [];
  const loop = new RunLoop({
    readers: [reader], inputs: new Map<string, Output>([['events', collect]]), operators: [collect], following, clock: systemClock, checkpoint: o.checkpoint ?? 20,
    epoch: {
      bytes: () => 0, hasOutput: () => false, delivering: o.delivering ?? (() => false),
      commit: () => { commits.push(reader.positions().map(p => p.next).join(',')); if (collect.stuck > 0) collect.stuck--; return Promise.resolve(); },
    },
  });
  const stop = new AbortController();
  started.push(stop);
  return { source, collect, reader, loop, stop, bad, future, commits };
}

const record = (id: number, ts: number): string => `{"id":${id},"ts":${ts}}`;
const until = async (true_: () => boolean): Promise<void> => { while (!true_()) await new Promise(r => setTimeout(r, 2)); };

describe('until-end', () => {
  for (const batchRows of [1, 7, 1000]) {
    it(`reads what was there at the start and no more, in slices of ${batchRows}`, async () => {
      const source = new MemorySource(3);
      for (let i = 0; i < 60; i++) source.send(i % 2, record(i, 1000 + i), 1000 + i);
      const r = await make(source, { batchRows });
      source.send(0, record(100, 5000), 5000);
      source.send(2, record(101, 5000), 5000);
      await r.loop.run(r.stop.signal);
      expect([...r.collect.rows].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
      expect(Math.max(...r.collect.batches)).toBe(Math.min(batchRows, 30));
      expect(r.collect.finished).toBe(1);
      expect(r.commits.at(-1)).toBe('30,30,0');
      // partition 2 holds nobody up: it was empty
      expect(r.collect.watermarks.at(-1)).toBeGreaterThanOrEqual(1058 - 5);
    });
  }

  it('goes to the slowest partition first', async () => {
    const source = new MemorySource(2);
    for (let i = 0; i < 100; i++) { source.send(0, record(i, i), 0); source.send(1, record(1000 + i, i), 0); }
    const r = await make(source, { batchRows: 10 });
    await r.loop.run(r.stop.signal);
    const order = r.collect.rows.map(id => id % 1000);
    // 20 slices of 10: no partition is ever more than a slice ahead
    for (let i = 1; i < order.length; i++) expect(Math.abs((order[i] as number) - (order[i - 1] as number))).toBeLessThanOrEqual(20);
  });

  it('leaves out a partition that is too far ahead, until the slow one has caught up', async () => {
    const source = new MemorySource(2);
    source.most = 1;
    for (let i = 0; i < 10; i++) { source.send(0, record(i, i * HOUR), i * HOUR); source.send(1, record(100 + i, i * 1000), i * HOUR); }
    const r = await make(source);
    await r.loop.run(r.stop.signal);
    expect(r.collect.rows).toHaveLength(20);
    expect(r.source.polls.filter(p => p.includes(0)).length).toBeGreaterThan(5);
    expect(r.source.polls[0]).toEqual([]);
  });

  it('reports bad records and records from the future, and passes them', async () => {
    const source = new MemorySource(1);
    for (const v of [record(1, 10), 'no json', record(2, 2 * HOUR), '{"id":3}', record(4, 20)]) source.send(0, v, 0);
    const r = await make(source);
    await r.loop.run(r.stop.signal);
    expect(r.collect.rows).toEqual([1, 4]);
    expect(r.collect.wm).toEqual([-Infinity, 5]);
    expect(r.future).toEqual([2]);
    expect(r.bad).toHaveLength(2);
    expect(r.commits.at(-1)).toBe('5');
  });

  it('says whether it came to the end: a signal before it, or in the midst of closing, is none', async () => {
    const of = async (stop: (r: Awaited<ReturnType<typeof make>>) => void): Promise<boolean> => {
      const source = new MemorySource(1);
      for (let i = 0; i < 100; i++) source.send(0, record(i, i), i);
      const r = await make(source, { batchRows: 10 });
      stop(r);
      return r.loop.run(r.stop.signal);
    };
    expect(await of(() => undefined)).toBe(true);
    expect(await of(r => r.stop.abort())).toBe(false);
    expect(await of(r => { const push = r.collect.push.bind(r.collect); r.collect.push = b => { push(b); if (r.collect.rows.length === 50) r.stop.abort(); }; })).toBe(false);
    expect(await of(r => { const finish = r.collect.finish.bind(r.collect); r.collect.finish = () => { finish(); r.stop.abort(); }; })).toBe(false);
  });

  it('goes on after a close that paused because the epoch was full', async () => {
    const source = new MemorySource(1);
    source.send(0, record(1, 10), 10);
    const r = await make(source);
    const push = r.collect.push.bind(r.collect);
    r.collect.push = b => { push(b); r.collect.stuck = 3; };
    await r.loop.run(r.stop.signal);
    expect(r.commits.length).toBeGreaterThanOrEqual(3);
    expect(r.collect.stuck).toBe(0);
  });

  it('commits nothing when there is nothing', async () => {
    const r = await make(new MemorySource(3));
    await r.loop.run(r.stop.signal);
    expect(r.commits).toEqual([]);
    expect(r.collect.finished).toBe(1);
  });
});

describe('following', () => {
  it('leaves a close that takes long to the next run when the signal comes', async () => {
    const source = new MemorySource(1);
    source.send(0, record(1, 10), 10);
    const r = await make(source, { following: true });
    const push = r.collect.push.bind(r.collect);
    r.collect.push = b => { push(b); r.collect.stuck = 1e6; };
    const running = r.loop.run(r.stop.signal);
    await until(() => r.commits.length > 3);
    r.stop.abort();
    await running;
    expect(r.collect.stuck).toBeGreaterThan(0);
    // nothing was pushed into the close, and what was read is committed
    expect([r.collect.rows, r.commits.at(-1)]).toEqual([[1], '1']);
  });

  it('ends with the signal after a last commit', async () => {
    const source = new MemorySource(1);
    const r = await make(source, { following: true, checkpoint: 60_000 });
    const running = r.loop.run(r.stop.signal);
    source.send(0, record(1, Date.now()), Date.now());
    await until(() => r.collect.rows.length === 1);
    expect(r.commits).toEqual([]);
    r.stop.abort();
    await running;
    expect(r.commits).toEqual(['1']);
    expect(r.collect.finished).toBe(0);
  });

  it('commits by time, and stops committing when nothing comes', async () => {
    const source = new MemorySource(1);
    const r = await make(source, { following: true, checkpoint: 10 });
    const running = r.loop.run(r.stop.signal);
    source.send(0, record(1, Date.now()), Date.now());
    await until(() => r.commits.length > 0);
    const { length } = r.commits;
    await until(() => source.polls.length > 3);
    expect(r.commits.length).toBe(length);
    r.stop.abort();
    await running;
  });

  it('lets an epoch grow while the one before is on its way', async () => {
    const source = new MemorySource(1);
    let busy = true;
    const r = await make(source, { following: true, checkpoint: 1, delivering: () => busy });
    const running = r.loop.run(r.stop.signal);
    for (let i = 1; i <= 5; i++) {
      source.send(0, record(i, Date.now()), Date.now());
      await until(() => r.collect.rows.length === i);
    }
    expect(r.commits).toEqual([]);
    busy = false;
    await until(() => r.commits.length > 0);
    expect(r.commits).toEqual(['5']);
    r.stop.abort();
    await running;
  });

  it('lets event time go on when all is quiet, up to the last open window', async () => {
    const source = new MemorySource(2);
    const r = await make(source, { following: true, idle: 30 });
    const now = Date.now();
    r.collect.windowEnd = now + 40;
    const running = r.loop.run(r.stop.signal);
    source.send(0, record(1, now), now);
    await until(() => r.collect.windowEnd === null);
    expect(r.collect.watermarks.at(-1)).toBe(now + 39);
    r.stop.abort();
    await running;
  });

  it('takes partitions that are added to the topic', async () => {
    const source = new MemorySource(1);
    const r = await make(source, { following: true });
    const running = r.loop.run(r.stop.signal);
    source.send(1, record(7, Date.now()), Date.now());
    await until(() => r.collect.rows.length === 1);
    r.stop.abort();
    await running;
    expect(r.commits.at(-1)).toBe('0,1');
  });

  it('fails with the error of its source', async () => {
    const source = new MemorySource(1);
    source.poll = () => Promise.reject(new Error('gone'));
    const r = await make(source, { following: true });
    await expect(r.loop.run(r.stop.signal)).rejects.toThrow('gone');
  });
});
