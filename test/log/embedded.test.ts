import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../src/connectors/connector.ts';
import { openEmbeddedLog, type SampleLoader } from '../../src/connectors/log/log.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { PipeError } from '../../src/errors.ts';
import { logConformance, read, rec } from './conformance.ts';
import { Database } from '../../src/state/database.ts';

const shared = mkdtempSync(join(tmpdir(), 'pipe-log-'));
afterAll(() => rmSync(shared, { recursive: true, force: true }));

logConformance('embedded log', {
  async open() {
    const log = openEmbeddedLog({ path: join(shared, 'topics.db'), notices: { warn: () => undefined, info: () => undefined } });
    await log.open(1000, new AbortController().signal);
    return log;
  },
});

const dist = resolve(import.meta.dirname, '../../dist');
const never = new AbortController().signal;
let dir: string;
let path: string;
let warnings: string[];
let logs: Log[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-log-'));
  path = join(dir, 'data', 'topics.db');
  warnings = [];
  logs = [];
});
afterEach(async () => {
  for (const l of logs) await l.close();
  rmSync(dir, { recursive: true, force: true });
});

function connect(): Log & SampleLoader {
  const log = openEmbeddedLog({ path, notices: { warn: m => warnings.push(m), info: () => undefined } });
  logs.push(log);
  return log;
}

async function problem(work: Promise<unknown>): Promise<PipeError> {
  const error = await work.then(() => null, (e: unknown) => e);
  if (!(error instanceof PipeError)) throw error ?? new Error('nothing was wrong');
  return error;
}

const make = (log: Log, name: string, partitions = 1, config: Record<string, string> = {}): Promise<unknown> => log.createTopic({ name, partitions, retention: null, config });
const source = async (log: Log, topic: string, positions: [number, number][] = [], onDataLoss: 'stop' | 'earliest' = 'stop') => {
  const s = log.source({ topic, topicId: null, positions: new Map(positions), from: 'earliest', onDataLoss });
  await s.open();
  return s;
};

/** What a process printed, when it has ended. */
async function ended(child: ChildProcessWithoutNullStreams): Promise<{ code: number | null; out: string; err: string }> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (b: Buffer) => out.push(b));
  child.stderr.on('data', (b: Buffer) => err.push(b));
  const code = await new Promise<number | null>(done => { child.on('close', c => done(c)); });
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

const pipe = (...args: string[]): ChildProcessWithoutNullStreams => spawn('node', [join(dist, 'cli/main.js'), ...args, '--data-dir', join(dir, 'data'), '--brokers', 'none'], { cwd: dir });
const script = (code: string): ChildProcessWithoutNullStreams =>
  spawn('node', ['--input-type=module', '-e', `import { openEmbeddedLog } from ${JSON.stringify(pathToFileURL(join(dist, 'connectors/log/log.js')).href)};
const log = openEmbeddedLog({ path: ${JSON.stringify(path)}, notices: { warn() {}, info() {} } });
${code}
await log.close();`]);

describe('the file', () => {
  it('is made by the first write, for its owner only', async () => {
    const log = connect();
    await log.open(1000, never);
    expect(await log.topics()).toEqual([]);
    expect(statSync(join(dir, 'data'), { throwIfNoEntry: false })).toBeUndefined();
    await make(log, 't');
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700);
    for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  });

  it('is found by a reader that was there before it', async () => {
    const early = connect();
    expect(await early.topic('t')).toBeNull();
    await make(connect(), 't');
    expect((await early.topic('t'))?.partitions).toHaveLength(1);
  });

  it('is refused when it is not ours, and left as it is', async () => {
    await make(connect(), 't');
    await (logs.pop() as Log).close();
    const cases: [what: () => void, code: string][] = [
      [() => { const db = new Database(path); db.pragma('user_version = 99'); db.close(); }, 'system.state.newer'],
      [() => { const db = new Database(path); db.pragma('application_id = 1'); db.close(); }, 'system.state.foreign'],
      [() => writeFileSync(path, 'not a database, but long enough to be looked at as if it were one'.repeat(4)), 'system.state.corrupt'],
      [() => writeFileSync(path, ''), 'system.state.corrupt'],
    ];
    for (const [what, code] of cases) {
      what();
      const { size } = statSync(path);
      expect((await problem(connect().open(1000, never))).code).toBe(code);
      expect(statSync(path).size).toBe(size);
    }
  });

  it('cannot be where a file is in the way', async () => {
    writeFileSync(join(dir, 'data'), '');
    const p = await problem(make(connect(), 't'));
    expect(p.code).toBe('system.source.unreachable');
  });
});

describe('blocks', () => {
  const damage = (sql: string): void => { const db = new Database(path); db.exec(sql); db.close(); };

  it('that were changed are found, with their place', async () => {
    const log = connect();
    await make(log, 't');
    for (const v of ['a', 'b', 'c']) await log.append('t', [rec(v)]);
    damage("UPDATE batches SET data = CAST(substr(data, 1, length(data) - 1) || x'7a' AS BLOB) WHERE base = 1");
    const p = await problem(source(log, 't').then(s => read(s, 3)));
    expect([p.code, p.message]).toEqual(['system.source.corrupt_batch', 'the block at offset 1 of t/0 is damaged: its checksum is wrong']);
  });

  it('that are gone are found', async () => {
    const log = connect();
    await make(log, 't');
    for (const v of ['a', 'b', 'c']) await log.append('t', [rec(v)]);
    damage('DELETE FROM batches WHERE base = 1');
    const p = await problem(source(log, 't').then(s => read(s, 3)));
    expect([p.code, p.message]).toEqual(['system.source.corrupt_batch', 'the record at offset 1 of t/0 is missing from the log']);
  });

  it('give a poll its measure, and every partition its turn', async () => {
    const log = connect();
    await make(log, 't', 3);
    const value = Buffer.alloc(200, 120);
    for (let i = 0; i < 20; i++) for (const partition of [0, 1, 2]) await log.append('t', Array.from({ length: 1000 }, () => rec(value, { partition })));
    const s = await source(log, 't');
    const polls: number[][] = [];
    for (let n = 0; n < 60_000; ) {
      const batches = await s.poll(new Set(), 1000, never);
      const by = [0, 0, 0];
      for (const b of batches) by[b.partition] = (by[b.partition] as number) + b.length;
      polls.push(by);
      n += by.reduce((a, b) => a + b, 0);
    }
    expect(polls.every(p => p.reduce((a, b) => a + b, 0) <= 11_000)).toBe(true);
    expect(polls.slice(0, -2).every(p => p.every(n => n > 0))).toBe(true);
  });

  it('that are small are read as one', async () => {
    const log = connect();
    await make(log, 't');
    for (let i = 0; i < 50; i++) await log.append('t', [rec(`v${i}`, { key: i % 2 === 0 ? `k${i}` : null, headers: i === 30 ? [{ key: 'h', value: Buffer.from('x') }] : [] })]);
    const s = await source(log, 't', [[0, 7]]);
    const [all, ...more] = await s.poll(new Set(), 1000, never);
    expect(more).toEqual([]);
    expect(all).toMatchObject({ length: 43, next: 50 });
    const again = await read(await source(log, 't', [[0, 7]]), 43);
    expect(again.map(g => [g.offset, g.key, g.value])).toEqual(Array.from({ length: 43 }, (_, i) => [i + 7, (i + 7) % 2 === 0 ? `k${i + 7}` : null, `v${i + 7}`]));
    expect(again.filter(g => g.headers.length > 0).map(g => g.offset)).toEqual([30]);
  });

  it('may hold records of any size', async () => {
    const log = connect();
    await make(log, 't');
    const big = Buffer.alloc(5 << 20, 66);
    await log.append('t', [rec('small'), rec(big), rec('after')]);
    expect((await read(await source(log, 't'), 3)).map(g => g.value?.length)).toEqual([5, 5 << 20, 5]);
  });
});

it('of many partitions with tiny blocks a poll gives long batches of some, and each has its turn', async () => {
  const log = connect();
  const partitions = 200;
  await make(log, 'wide', partitions);
  for (let round = 0; round < 150; round++) await log.append('wide', Array.from({ length: partitions }, (_, partition) => ({ ...rec(`${partition} ${round}`), partition })));
  const s = await source(log, 'wide');
  const polls: (readonly RecordBatch[])[] = [];
  for (let n = 0; n < partitions * 150;) {
    const batches = await s.poll(new Set(), 1000, never);
    polls.push(batches);
    for (const b of batches) n += b.length;
  }
  // 30,000 records, some 10,000 a poll
  expect(polls.length).toBeLessThan(6);
  expect(polls.flat().every(b => b.length === 150)).toBe(true);
  expect(polls.flat().map(b => b.partition).sort((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, p) => p));
});

it('of a topic that was read before, a partition without a saved position is read from its beginning, also where fresh ones begin at the newest', async () => {
  const log = connect();
  await make(log, 'grown', 2);
  await log.append('grown', [{ ...rec('a'), partition: 0 }, { ...rec('b'), partition: 1 }]);
  const open = async (positions: [number, number][]): Promise<number[]> => {
    const s = log.source({ topic: 'grown', topicId: null, positions: new Map(positions), from: 'latest', onDataLoss: 'stop' });
    await s.open();
    return s.partitions().map(p => s.position(p));
  };
  expect(await open([])).toEqual([1, 1]);
  expect(await open([[0, 1]])).toEqual([1, 0]);
});

describe('retention', () => {
  const wait = async (): Promise<void> => { const t = Date.now(); while (Date.now() <= t + 2) await new Promise(done => { setTimeout(done, 1); }); };

  it('deletes what is older than its topic keeps, when somebody writes', async () => {
    const log = connect();
    await make(log, 'short', 1, { 'retention.ms': '1' });
    await make(log, 'usual');
    await make(log, 'forever', 1, { 'retention.ms': '-1' });
    const running = await source(log, 'short');
    await log.append('usual', [rec('x')]);
    await log.append('forever', [rec('x')]);
    await log.append('short', [rec('a'), rec('b')]);
    await log.append('short', [rec('c')]);
    await wait();
    await connect().append('usual', [rec('y')]);
    expect((await log.topic('short'))?.partitions).toEqual([{ partition: 0, begin: 3, end: 3, bytes: 0 }]);
    expect((await log.topic('usual'))?.partitions).toMatchObject([{ begin: 0, end: 2 }]);
    expect((await log.topic('forever'))?.partitions).toMatchObject([{ begin: 0, end: 1 }]);
    const lost = await problem(source(log, 'short', [[0, 1]]));
    expect([lost.code, lost.message]).toEqual(['system.source.offset_lost', '2 records of short/0 were deleted by retention before they were read (offsets 1 to 2)']);
    expect((await problem(running.poll(new Set(), 100, never))).code).toBe('system.source.offset_lost');
    const s = await source(log, 'short', [[0, 1]], 'earliest');
    expect(warnings).toEqual(['2 records of short/0 were deleted by retention before they were read (offsets 1 to 2); going on at offset 3 (on_data_loss: earliest)']);
    await log.append('short', [rec('d')]);
    expect((await read(s, 1)).map(g => [g.offset, g.value])).toEqual([[3, 'd']]);
  });

  it('is a number', async () => {
    expect((await problem(make(connect(), 't', 1, { 'retention.ms': 'long' }))).code).toBe('user.usage.bad_value');
  });
});

describe('a sample', () => {
  const lines = '{"account":1234,"n":1}\r\n\n{"account":"ACC-7"}\n{"account":null}\nno json\n{"n":2,"account":"x\\u0079"}';
  let file: string;
  beforeEach(() => { file = join(dir, 'sample.jsonl'); writeFileSync(file, lines); });

  it('fills a topic that is absent', async () => {
    const log = connect();
    expect(await log.loadSample('t', file, 'account', 2)).toBe(5);
    const got = await read(await source(log, 't'), 5);
    expect(got.map(g => [g.key, g.value]).sort()).toEqual([
      ['1234', '{"account":1234,"n":1}'], ['ACC-7', '{"account":"ACC-7"}'], ['xy', '{"n":2,"account":"x\\u0079"}'], [null, 'no json'], [null, '{"account":null}'],
    ].sort());
    expect(await log.loadSample('t', file, 'account', 2)).toBeNull();
    await make(log, 'there');
    expect(await log.loadSample('there', file, null, 2)).toBeNull();
  });

  it('without a key goes to the partitions in turn', async () => {
    const log = connect();
    await log.loadSample('t', file, null, 2);
    expect((await log.topic('t'))?.partitions.map(p => p.end)).toEqual([3, 2]);
  });

  it('must be a file that can be read', async () => {
    const p = await problem(connect().loadSample('t', join(dir, 'nope.jsonl'), null, 1));
    expect([p.code, p.message]).toEqual(['user.config.path', `the sample file ${join(dir, 'nope.jsonl')} does not exist`]);
    expect((await problem(connect().loadSample('t', dir, null, 1))).code).toBe('user.config.path');
  });

  it('is loaded once by processes that begin together', async () => {
    const loaders = Array.from({ length: 4 }, () => ended(script(`console.log(await log.loadSample('t', ${JSON.stringify(file)}, 'account', 3));`)));
    const results = await Promise.all(loaders);
    expect(results.map(r => r.err)).toEqual(['', '', '', '']);
    expect(results.map(r => r.out.trim()).sort()).toEqual(['5', 'null', 'null', 'null']);
    expect((await connect().topic('t'))?.partitions.reduce((n, p) => n + p.end, 0)).toBe(5);
  });
});

describe('several processes', () => {
  it('write and read at once: every record once, each writer in its order', async () => {
    await make(connect(), 't', 2);
    const each = 20_000;
    const tail = ended(pipe('topics', 'tail', 't', '--from-beginning', '--count', String(3 * each)));
    const senders = ['a', 'b', 'c'].map(name => {
      const child = pipe('topics', 'send', 't', '--key', name);
      child.stdin.end(Array.from({ length: each }, (_, i) => `${name}${i}\n`).join(''));
      return ended(child);
    });
    for (const s of await Promise.all(senders)) expect([s.code, s.err]).toEqual([0, '20,000 records sent to t\n']);
    const { code, out, err } = await tail;
    expect([code, err]).toEqual([0, '']);
    const got = out.trimEnd().split('\n');
    expect(got).toHaveLength(3 * each);
    for (const name of ['a', 'b', 'c']) expect(got.filter(l => l.startsWith(name))).toEqual(Array.from({ length: each }, (_, i) => `${name}${i}`));
  });

  it('that are killed leave a beginning of what they sent', async () => {
    const log = connect();
    await make(log, 't');
    const sender = pipe('topics', 'send', 't', '--quiet');
    sender.stdin.on('error', () => undefined);
    let n = 0;
    const feed = (): void => {
      if (sender.exitCode !== null || sender.signalCode !== null) return;
      const more = sender.stdin.write(Array.from({ length: 2000 }, () => `line ${n++}\n`).join(''));
      if (more) setImmediate(feed);
      else sender.stdin.once('drain', feed);
    };
    feed();
    await vi.waitFor(async () => expect((await log.topic('t'))?.partitions[0]?.end).toBeGreaterThan(20_000), { timeout: 50_000 });
    sender.kill('SIGKILL');
    await ended(sender);
    const end = (await log.topic('t'))?.partitions[0]?.end as number;
    const got = await read(await source(log, 't'), end);
    expect(got.map(g => g.value)).toEqual(Array.from({ length: end }, (_, i) => `line ${i}`));
    await log.append('t', [rec('after')]);
  });
});
