import { writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { width } from '../../src/cli/text-width.ts';
import { workBoard, type Reached, type Work } from '../../src/cli/work-progress.ts';
import { Capture, fakeIo } from './fake-io.ts';
import { PipeProject } from './pipe.ts';

const ERASED = '\u001b[1A\r\u001b[K\u001b[B\u001b[J\u001b[A';
const said = { json: false, quiet: false, logs: false };

/** Lines that were drawn, the oldest first. */
const drawn = (text: string): string[] => text.split(ERASED).flatMap(t => t.split('\n')).filter(l => l !== '');
const objects = (text: string): Record<string, unknown>[] => text.split('\n').filter(l => l.startsWith('{')).map(l => JSON.parse(l) as Record<string, unknown>);

beforeEach(() => { vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] }); });
afterEach(() => { vi.useRealTimers(); });

describe('how far work is', () => {
  const began = 1_704_110_400_000;
  /** 100,000 records a second, of which a million are 10 seconds. */
  const work = (more: Partial<Work> = {}, of = 1_000_000, perSecond = 100_000): Work => ({
    name: 'send', doing: 'sending', about: { topic: 't' }, unit: 'records',
    reached: (): Reached => { const done = perSecond * (Date.now() - began) / 1000; return { count: done, done, of }; }, ...more,
  });
  const terminal = (columns = 80): Capture => Object.assign(new Capture(), { isTTY: true, columns });
  beforeEach(() => { vi.setSystemTime(began); });

  it('is a line on a terminal from the first second on, drawn again in place, and gone at the end', () => {
    const err = terminal();
    const board = workBoard(err, said, work());
    vi.advanceTimersByTime(999);
    expect(err.text).toBe('');
    vi.advanceTimersByTime(1);
    expect(err.text).toBe('sending  100,000 records · 10 % · 100,000/s · about 9.0 s left\n');
    vi.advanceTimersByTime(3999);
    expect(err.text.split(ERASED)).toHaveLength(16);
    vi.advanceTimersByTime(1);
    expect(err.text.split(ERASED).at(-1)).toBe('sending  500,000 records · 50 % · 100,000/s · about 5.0 s left\n');
    err.chunks.length = 0;
    board?.above(() => { err.write('a message\n'); });
    expect(err.text).toBe(`${ERASED}a message\n`);
    vi.advanceTimersByTime(250);
    err.chunks.length = 0;
    board?.stop();
    vi.advanceTimersByTime(5000);
    expect(err.text).toBe(ERASED);
  });

  it('is as wide as the terminal at most, and harmless', () => {
    for (const columns of [20, 40, 64, 200]) {
      const err = terminal(columns);
      const board = workBoard(err, said, work({ doing: `backfill of ${'\u001b[31mx'.repeat(20)}` }));
      vi.advanceTimersByTime(1000);
      board?.stop();
      const [line = ''] = drawn(err.text);
      expect(width(line)).toBeLessThan(columns);
      expect(width(line)).toBeLessThanOrEqual(80);
      expect(line).toMatch(/^backfill of x?/);
      expect(line).not.toContain('\u001b');
    }
  });

  it('says of bytes what they are, and nothing that nobody knows', () => {
    const err = terminal();
    const lineOf = (w: Work): string => {
      const board = workBoard(err, said, w);
      err.chunks.length = 0;
      vi.advanceTimersByTime(1000);
      const [line = ''] = drawn(err.text);
      board?.stop();
      vi.setSystemTime(began);
      return line;
    };
    expect(lineOf(work({ doing: 'restoring', unit: 'bytes' }, 2e9, 5e8))).toBe('restoring  500.0 MB · 25 % · 500.0 MB/s · about 3.0 s left');
    expect(lineOf(work({}, 0))).toBe('sending  100,000 records · 100,000/s');
    // a file that grew while it was read
    expect(lineOf(work({}, 50_000))).toBe('sending  100,000 records · 100 % · 100,000/s');
    expect(lineOf(work({ reached: () => ({ count: 7, done: 7, of: 100 }) }))).toBe('sending  7 records · 7.0 % · 0/s');
    expect(lineOf(work({ reached: () => ({ count: 0, done: 0, of: 100 }) }))).toBe('');
  });

  it('is a line of JSON each ten seconds elsewhere, and nothing with --quiet', () => {
    for (const [err, o] of [[new Capture(), said], [terminal(), { ...said, json: true }], [terminal(), { ...said, logs: true }]] as const) {
      vi.setSystemTime(began);
      const board = workBoard(err, o, work({}, 4_000_000));
      vi.advanceTimersByTime(20_000);
      board?.stop();
      vi.advanceTimersByTime(20_000);
      expect(err.text).toBe(`{"v":1,"level":30,"time":${began + 10_000},"msg":"progress","work":"send","topic":"t","records":1000000,"per_s":100000,"done":0.25,"left_ms":30000}\n{"v":1,"level":30,"time":${began + 20_000},"msg":"progress","work":"send","topic":"t","records":2000000,"per_s":100000,"done":0.5,"left_ms":20000}\n`);
    }
    for (const isTTY of [true, false]) expect(workBoard(Object.assign(new Capture(), { isTTY }), { ...said, quiet: true }, work())).toBeNull();
  });
});

describe('a command', () => {
  let p: PipeProject;
  beforeEach(() => { p = new PipeProject(); });
  afterEach(() => { p.remove(); });

  const LINES = 120_000;
  const event = (i: number): string => JSON.stringify({ k: `k${i % 3}`, at: i * 10, more: 'x'.repeat(60) });
  const fill = (): void => { writeFileSync(p.path('data.jsonl'), Array.from({ length: LINES }, (_, i) => `${event(i)}\n`).join('')); };

  /** stderr of a command in which `ms` pass with each turn of the event loop. */
  async function slowly(argv: readonly string[], ms: number, isTTY: boolean): Promise<string> {
    const io = fakeIo({ cwd: p.dir });
    io.err.isTTY = isTTY;
    let exit: number | null = null;
    const ended = dispatch(argv, io, commands, () => '0').then(code => { exit = code; });
    const over = ended.then(() => true, () => true);
    while (!await Promise.race([over, setImmediate(false)])) vi.advanceTimersByTime(ms);
    await ended;
    expect(exit).toBe(0);
    return io.err.text;
  }

  it('that sends a file shows how far it is, and clears the line before the last one', async () => {
    fill();
    const err = await slowly(['topics', 'send', 's', '--file', 'data.jsonl'], 1000, true);
    const lines = drawn(err).filter(l => l.startsWith('sending'));
    expect(lines[0]).toMatch(/^sending {2}[\d,]+ records · \d[\d.]* % · [\d,]+\/s · about .* left$/);
    expect(err.endsWith(`${ERASED}120,000 records sent to s\n`)).toBe(true);
    expect(await slowly(['topics', 'send', 's', '--file', 'data.jsonl', '--quiet'], 10_000, true)).toBe('');
  });

  it('that restores or builds again says so to machines, too', async () => {
    fill();
    const sink = (name: string): string => `  ${name}: {sql: "SELECT k, COUNT(*) AS n, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"}\n`;
    const pipeline = (sinks: string): string => `name: sums\nsources:\n  s: {schema: "k STRING, at BIGINT", event_time: {from: at, unit: ms, delay: 0s}}\nsinks:\n${sinks}`;
    await p.ok(['topics', 'send', 's', '--file', 'data.jsonl']);
    p.write('sums.yaml', pipeline(sink('a')));
    await p.ok(['run', 'sums', '--until-end', '--no-print']);
    await p.ok(['state', 'backup', 'sums', 'kept', '--with-topics']);

    const restored = objects(await slowly(['state', 'restore', 'sums', 'kept', '--with-topics', '--data-dir', 'new'], 10_000, false));
    expect(restored[0]).toMatchObject({ v: 1, level: 30, msg: 'progress', work: 'restore' });
    const bytes = restored.map(r => r['bytes'] as number);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    expect(restored.every(r => (r['done'] as number) > 0 && (r['done'] as number) <= 1)).toBe(true);

    p.write('sums.yaml', pipeline(sink('a') + sink('b')));
    const err = await slowly(['run', 'sums', '--backfill', '--until-end', '--no-print'], 10_000, false);
    const built = objects(err).filter(l => l['work'] === 'backfill');
    expect(built[0]).toMatchObject({ v: 1, level: 30, msg: 'progress', work: 'backfill', pipeline: 'sums' });
    for (const b of built) expect(b['done']).toBeCloseTo((b['records'] as number) / LINES, 3);
    expect(err).toContain('sums  "b" built again from 120,000 records; ');
  });
});
