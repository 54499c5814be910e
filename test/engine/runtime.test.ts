import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CompiledPipeline } from '../../src/config/compile.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { PipelineRuntime } from '../../src/engine/runtime.ts';
import type { RuntimeOptions } from '../../src/engine/runtime-parts.ts';
import { formats } from '../../src/formats/index.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { GENERATED, JIT } from '../no-codegen.ts';
import { counted, countPipeline, event, memoryParts, MemoryLog } from './stand-ins.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-runtime-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const T = 1_704_110_400_000;

async function log(partitions = 1): Promise<MemoryLog> {
  const l = new MemoryLog();
  await l.createTopic({ name: 'events', partitions, retention: null, config: {} });
  await l.createTopic({ name: 'counts', partitions: 1, retention: null, config: {} });
  return l;
}

let warnings: string[] = [];

function runtime(l: MemoryLog, c: CompiledPipeline, more: Partial<RuntimeOptions> = {}): PipelineRuntime {
  warnings = [];
  const store = openStateStore({ path: join(dir, `${c.spec.name}.db`), pipeline: c.spec.name, logId: l.id, reset: false });
  return new PipelineRuntime({
    spec: c.spec, plan: c.plan, log: l, source: o => l.source(o), store, formats, engine: memoryParts, clock: systemClock, workers: null, notices: { warn: m => { warnings.push(m); }, info: () => undefined }, taps: new Map(), committed: () => Promise.resolve(),
    options: { following: false, from: null, batchRows: 1000, jit: GENERATED, decoder: 'fast', onError: null, resume: null, memory: 1e9, packFrom: 1000, drain: 20_000, backfill: false, takeOver: false, ownerId: 'me', ...more },
  });
}

async function toEnd(l: MemoryLog, c: CompiledPipeline, more: Partial<RuntimeOptions> = {}): Promise<PipelineRuntime> {
  const r = runtime(l, c, more);
  try {
    await r.open();
    await r.run(new AbortController().signal);
  } finally {
    await r.close();
  }
  return r;
}

const until = async (true_: () => boolean): Promise<void> => { while (!true_()) await new Promise(r => setTimeout(r, 2)); };

describe('a pipeline to the end', () => {
  for (const jit of JIT) {
    for (const batchRows of [1, 7, 1000]) {
      it(`gives the rows of all windows (slices of ${batchRows}, ${jit ? 'generated' : 'interpreted'})`, async () => {
        const l = await log(3);
        for (let i = 0; i < 90; i++) l.send('events', i % 3, event(i % 2, T + i * 500), T);
        l.send('events', 0, 'no json', T);
        const r = await toEnd(l, countPipeline(), { batchRows, jit });
        const expected = [0, 10_000, 20_000, 30_000, 40_000].flatMap(s => [counted(0, 10, T + s), counted(1, 10, T + s)]);
        expect(l.values('counts')).toEqual([...expected.slice(0, 8), counted(0, 5, T + 40_000), counted(1, 5, T + 40_000)].sort());
        expect(r.progress()).toMatchObject({ state: 'done', lag: 0, keys: 0, counts: { records_in: 91, rows_out: 10, undecodable: 1, late: 0 } });
      });
    }
  }

  it('judges late rows the same whatever the slices, as a row by row reading does', async () => {
    const seed = Number(process.env['PIPE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    const delay = 3000;
    const times = Array.from({ length: 400 }, (_, i) => T + i * 400 + random(16_000) - 8000);
    // by hand: a row is late when its window's last ms is not beyond the watermark before it
    const windows = new Map<number, number>();
    let late = 0;
    let max = -Infinity;
    for (const t of times) {
      const start = Math.floor(t / 10_000) * 10_000;
      if (start + 9999 <= max - delay) late++;
      else windows.set(start, (windows.get(start) ?? 0) + 1);
      max = Math.max(max, t);
    }
    expect(late).toBeGreaterThan(0);
    for (const batchRows of [1, 7, 1000]) {
      const l = await log();
      for (const t of times) l.send('events', 0, event(1, t), T);
      const r = await toEnd(l, countPipeline({ delay, name: `late-${batchRows}` }), { batchRows });
      expect({ seed, late: r.progress().counts.late, rows: l.values('counts') }).toEqual({ seed, late, rows: [...windows].map(([s, n]) => counted(1, n, s)).sort() });
    }
  });

  it('goes on where it stopped: closed windows stay closed, later ones work', async () => {
    const l = await log();
    for (const t of [0, 1, 12_000]) l.send('events', 0, event(1, T + t), T);
    await toEnd(l, countPipeline());
    expect(l.values('counts')).toEqual([counted(1, 2, T), counted(1, 1, T + 10_000)].sort());
    for (const t of [5, 13_000, 25_000]) l.send('events', 0, event(1, T + t), T);
    const r = await toEnd(l, countPipeline());
    expect(l.values('counts')).toEqual([counted(1, 2, T), counted(1, 1, T + 10_000), counted(1, 1, T + 20_000)].sort());
    expect(r.progress().counts).toMatchObject({ records_in: 3, late: 2, rows_out: 1 });
    const again = await toEnd(l, countPipeline());
    expect(again.progress().counts).toMatchObject({ records_in: 0, rows_out: 0 });
  });

  it('restores open windows, event time and the watermark after a stop', async () => {
    const l = await log();
    for (const t of [0, 11_000]) l.send('events', 0, event(1, T + t), T);
    const stop = new AbortController();
    const first = runtime(l, countPipeline(), { following: true });
    await first.open();
    const running = first.run(stop.signal);
    await until(() => l.values('counts').length === 1);
    stop.abort();
    await running;
    await first.close();
    // late for the first window, which closed before the stop, in time for the second
    for (const t of [9_999, 12_000]) l.send('events', 0, event(1, T + t), T);
    const second = runtime(l, countPipeline());
    await second.open();
    expect(second.progress().sources[0]?.watermark).toBe(T + 11_000);
    await second.run(new AbortController().signal);
    await second.close();
    expect(l.values('counts')).toEqual([counted(1, 1, T), counted(1, 2, T + 10_000)].sort());
    expect(second.progress().counts.late).toBe(1);
  });

  it('refuses a source that reads another topic now', async () => {
    const l = await log();
    l.send('events', 0, event(1, T), T);
    await toEnd(l, countPipeline());
    await l.createTopic({ name: 'other', partitions: 1, retention: null, config: {} });
    await expect(toEnd(l, countPipeline({ topic: 'other' }))).rejects.toMatchObject({ code: 'system.state.incompatible', message: 'source "events" reads topic "other" now; its saved positions are of "events"' });
  });

  it.each([512, 2_000, 50_000])('gives every group once where memory is for %s bytes of state', async memory => {
    const l = await log();
    for (let i = 0; i < 4000; i++) l.send('events', 0, event(i % 2000, T), T);
    await toEnd(l, countPipeline(), { memory });
    expect(l.values('counts')).toEqual(Array.from({ length: 2000 }, (_, i) => counted(i, 2, T)).sort());
  });

  it('warns of event times that look like another unit', async () => {
    const l = await log();
    for (let i = 0; i < 120; i++) l.send('events', 0, event(1, T / 1000 + i), T);
    await toEnd(l, countPipeline());
    expect(warnings).toEqual(['counts: 100 of the first 100 "at" values look like s, but event_time.unit is ms → 1970-01-20; write event_time: {from: at, unit: s}']);
    const right = await log();
    for (let i = 0; i < 120; i++) right.send('events', 0, event(1, T + i), T + 63_072_000_000);
    await toEnd(right, countPipeline({ name: 'right' }));
    expect(warnings).toEqual([]);
  });

  it('stops at the first bad record where on_error says so', async () => {
    const l = await log();
    l.send('events', 0, 'no json', T);
    await expect(toEnd(l, countPipeline(), { onError: 'stop' })).rejects.toMatchObject({ code: 'user.data.decode', exit: 13 });
  });
});

describe('a pipeline that follows', () => {
  it('closes the last window by itself when the stream goes quiet', async () => {
    const l = await log(3);
    const stop = new AbortController();
    const r = runtime(l, countPipeline({ idle: 50 }), { following: true });
    await r.open();
    const running = r.run(stop.signal);
    // a window that ends soon: its last second has begun
    const now = Date.now();
    const end = Math.ceil((now + 300) / 10_000) * 10_000;
    const at = end - 300;
    for (let i = 0; i < 10; i++) l.send('events', i % 3, event(9999, at));
    await until(() => l.values('counts').length > 0);
    stop.abort();
    await running;
    await r.close();
    expect(l.values('counts')).toEqual([counted(9999, 10, end - 10_000)]);
    expect(r.progress().sources[0]?.watermark).toBe(end - 1);
  });

  it('starts at the newest record and keeps that place even when none comes', async () => {
    const l = await log();
    l.send('events', 0, event(1, T), T);
    const stop = new AbortController();
    const r = runtime(l, countPipeline({ start: 'latest' }), { following: true });
    await r.open();
    stop.abort();
    await r.run(stop.signal);
    await r.close();
    l.send('events', 0, event(2, T), T);
    const second = await toEnd(l, countPipeline({ start: 'latest' }));
    expect(second.progress().counts.records_in).toBe(1);
    expect(l.values('counts')).toEqual([counted(2, 1, T)]);
  });

  it('keeps the place where it went on after lost records, even when none comes', async () => {
    const l = await log();
    for (let i = 0; i < 5; i++) l.send('events', 0, event(1, T), T);
    const asked: number[] = [];
    const source = l.source.bind(l);
    // retention has removed all records while the pipeline was down
    l.source = o => {
      const at = o.positions.get(0) ?? 3;
      asked.push(at);
      return source({ ...o, positions: new Map([[0, Math.max(at, 5)]]) });
    };
    for (let i = 0; i < 2; i++) {
      const stop = new AbortController();
      const r = runtime(l, countPipeline(), { following: true });
      await r.open();
      stop.abort();
      await r.run(stop.signal);
      await r.close();
    }
    expect(asked).toEqual([3, 5]);
  });

  it('gives a drain up at its deadline', async () => {
    const l = await log();
    const stop = new AbortController();
    const r = runtime(l, countPipeline(), { following: true, drain: 30 });
    await r.open();
    let open = (): void => undefined;
    l.gate = new Promise(done => { open = done; });
    const running = r.run(stop.signal);
    for (const t of [0, 20_000]) l.send('events', 0, event(1, T + t), T);
    await until(() => r.progress().counts.rows_out === 1);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'system.run.drain_deadline', exit: 23 });
    expect(r.progress().state).toBe('failed');
    open();
    await r.close();
    // what was committed is delivered by the next start
    await toEnd(l, countPipeline());
    expect(new Set(l.values('counts'))).toContain(counted(1, 1, T));
  });
});
