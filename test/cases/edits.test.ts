import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { explain } from '../../src/cli/explain.ts';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import { engineParts } from '../../src/engine/parts.ts';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { Database } from '../../src/state/database.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { BIG, FILE, TOTALS, edits, type Edit, type Event } from './edits.ts';
import { Crash, crashing, readAll } from './run-case.ts';

/** Event time (ms) that the first run comes to: windows that end by then are out. */
const STOPPED = 25_000;

/** Several accounts and types in each window; the filters leave some out. */
const event = (i: number): Event => ({ account: String(1 + (i % 3)), amount: 1 + ((i * 37) % 140), type: i % 7 === 0 ? 'test' : i % 2 === 0 ? 'a' : 'b', grade: ((i * 13) % 60) / 10, at: i * 500 });
const first = Array.from({ length: STOPPED / 500 + 1 }, (_, i) => event(i));
const second = Array.from({ length: 60 }, (_, i) => event(STOPPED / 500 + 1 + i));
/** What lies in the topic that another file reads. */
const others = Array.from({ length: 100 }, (_, i) => ({ ...event(i), amount: 3 + i }));

/** What SQLite makes of an input. */
function truth(sql: string, input: readonly Event[]): Record<string, unknown>[] {
  const db = new Database(':memory:');
  for (const [name, rows] of [['events', input], ['others', others]] as const) {
    db.exec(`CREATE TABLE ${name} (account TEXT, amount INTEGER, type TEXT, grade REAL, at INTEGER)`);
    const insert = db.prepare(`INSERT INTO ${name} VALUES (?, ?, ?, ?, ?)`);
    for (const e of rows) insert.run(e.account, e.amount, e.type, e.grade, e.at);
  }
  const found = db.prepare(sql).all() as Record<string, unknown>[];
  db.close();
  return found;
}

/** Rows as texts in one order; decimals as numbers, to eight places. */
const canonical = (rows: readonly Record<string, unknown>[]): string[] =>
  rows.map(r => JSON.stringify(Object.entries(r).map(([k, v]) => [k, k === 'account' || k === 'holder' || !/^-?[\d.]+$/.test(String(v)) ? v : Math.round(Number(v) * 1e8) / 1e8]).sort())).sort();

const closed = (row: Record<string, unknown>, size: number): boolean => 'window_start' in row && (row['window_start'] as number) + size - 1 <= STOPPED;

let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'pipe-edits-'));
  for (const [name, env] of [['rows', {}], ['packed', { PIPE_PACK_GROUPS: '1' }]] as const) {
    const dir = join(home, name);
    await send(dir, 'events', first);
    await send(dir, 'others', others);
    await run(dir, FILE, [], { engine: crashing(1), env }).catch(error => { if (!(error instanceof Crash)) throw error; });
    await send(dir, 'events', second);
  }
}, 60_000);
afterAll(() => { rmSync(home, { recursive: true, force: true }); });

async function withLog<T>(dir: string, work: (log: Awaited<ReturnType<typeof makeLog>>) => Promise<T>): Promise<T> {
  const log = await makeLog({ brokers: null, origin: 'test' }, dir, null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

const send = (dir: string, topic: string, events: readonly Event[]): Promise<void> => withLog(dir, async log => {
  await log.createTopic({ name: topic, partitions: 1, retention: null, config: {} });
  const value = (e: Event): Buffer => Buffer.from(JSON.stringify({ ...e, later: e.at, note: `n${e.account}` }));
  await log.append(topic, events.map(e => ({ key: null, value: value(e), headers: [], partition: 0, timestamp: null })));
});

const written = (dir: string, topic: string): Promise<Record<string, unknown>[]> => withLog(dir, async log => (await log.topic(topic) === null ? [] : (await readAll(log, topic)).map(v => JSON.parse(v) as Record<string, unknown>)));

async function run(dir: string, text: string, flags: readonly string[], { engine = engineParts, env = {} }: { engine?: typeof engineParts; env?: Record<string, string> } = {}): Promise<string> {
  const file = join(dir, '..', 'edits.yaml');
  writeFileSync(file, text);
  const command = makeRun(() => Promise.resolve({ ...runParts, engine, load: async (p, io) => (await loadCompiled(p, io)).map(x => ({ ...x, spec: { ...x.spec, settings: { ...x.spec.settings, checkpoint: 0 } } })) }));
  const io = fakeIo({ cwd: dir, env });
  await command.run(parseCommandLine(command, [file, '--until-end', '--no-print', '--data-dir', dir, ...flags]), io);
  return io.err.text;
}

/** What `pipe explain --diff` says: the next run and its exit code. */
async function diff(dir: string, text: string): Promise<readonly [string, number]> {
  const file = join(dir, '..', 'edits.yaml');
  writeFileSync(file, text);
  const io = fakeIo({ cwd: dir });
  const code = await explain.run(parseCommandLine(explain, [file, '--diff', '--json', '--data-dir', dir]), io);
  return [(JSON.parse(io.out.text) as { next: string }).next, code];
}

async function in_<T>(from: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(home, 'copy-'));
  try {
    cpSync(join(home, from), join(dir, 'data'), { recursive: true });
    return await work(join(dir, 'data'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const isRefusal = (error: unknown): boolean => (error instanceof PipeErrors ? error.problems : [error]).every(p => p instanceof PipeError && p.code === 'system.state.incompatible');
const all = [...first, ...second];

/** Windows that had closed under the file of before, and those that closed later under the edited one. */
async function expectTruth(dir: string, e: Edit, sql = e.truth ?? TOTALS): Promise<void> {
  const rows = [...await written(dir, 'totals'), ...(e.topic === undefined ? [] : await written(dir, e.topic))];
  expect(canonical(rows)).toEqual(canonical([...truth(TOTALS, first).filter(r => closed(r, 10_000)), ...truth(sql, all).filter(r => !closed(r, sql === TOTALS ? 10_000 : e.size ?? 10_000))]));
  const anew = e.big?.includes('FROM others') === true && sql === e.truth;
  expect(canonical(await written(dir, 'big'))).toEqual(canonical([...truth(BIG, first), ...(sql === TOTALS && e.truth !== undefined ? truth(BIG, second) : truth(e.big ?? BIG, anew ? all : second))]));
}

describe.each(['rows', 'packed'])('an edit while windows are open (%s)', form => {
  it.each(edits.filter(e => e.verdict === 'goes on').map(e => [e.what, e] as const))('%s: goes on', (_, e) => in_(form, async dir => {
    const edited = FILE.replace(e.from, e.to);
    if (e.what !== 'nothing') expect(edited).not.toBe(FILE);
    expect(await diff(dir, edited)).toEqual(['goes on', 0]);
    await run(dir, edited, []);
    await expectTruth(dir, e);
  }));
});

describe('an edit that changes what open windows mean', () => {
  const refused = edits.filter(e => e.verdict === 'refused').map(e => [e.what, e] as const);

  it.each(refused)('%s: is refused, and the file as it was goes on', (_, e) => in_('rows', async dir => {
    const edited = FILE.replace(e.from, e.to);
    expect(edited).not.toBe(FILE);
    expect(await diff(dir, edited)).toEqual(['refused', 33]);
    const error = await run(dir, edited, []).then(() => null, (problem: unknown) => problem);
    expect(isRefusal(error), String(error)).toBe(true);
    await run(dir, FILE, []);
    await expectTruth(dir, e, TOTALS);
  }));

  it.each(refused)('%s: --backfill builds it again and sends no row of a closed window', (_, e) => in_('packed', async dir => {
    await run(dir, FILE.replace(e.from, e.to), ['--backfill']);
    await expectTruth(dir, e);
  }));
});
