import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { canonical, diff, run, send, truth, written, type Row } from './edit-project.ts';
import { BIG, FILE, TOTALS, edits, type Edit, type Event } from './edits.ts';
import { Crash, crashing } from './run-case.ts';

/** Event time (ms) that the first run comes to: windows that end by then are out. */
const STOPPED = 25_000;

/** Several accounts and types in each window; the filters leave some out. */
const event = (i: number): Event => ({ account: String(1 + (i % 3)), amount: 1 + ((i * 37) % 140), type: i % 7 === 0 ? 'test' : i % 2 === 0 ? 'a' : 'b', grade: ((i * 13 + 5) % 60) / 10, at: i * 500 });
const first = Array.from({ length: STOPPED / 500 + 1 }, (_, i) => event(i));
const second = Array.from({ length: 60 }, (_, i) => event(STOPPED / 500 + 1 + i));
const all = [...first, ...second];
/** What lies in the topic that another file reads. */
const others = Array.from({ length: 100 }, (_, i) => ({ ...event(i), amount: 3 + i }));
const records = (events: readonly Event[]): object[] => events.map(e => ({ ...e, later: e.at, note: `n${e.account}` }));
const expected = (sql: string, events: readonly Event[]): Row[] => truth(sql, { events, others });

/** End of the last window of 10 s that the first run has sent. */
const SENT = Math.floor((STOPPED + 1) / 10_000) * 10_000;
const closed = (row: Row, size: number): boolean => 'window_start' in row && (row['window_start'] as number) + size <= SENT;

let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'pipe-edits-'));
  for (const [name, env] of [['rows', {}], ['packed', { PIPE_PACK_GROUPS: '1' }]] as const) {
    const dir = join(home, name);
    await send(dir, 'events', records(first));
    await send(dir, 'others', records(others));
    await run(dir, FILE, [], { engine: crashing(1), env }).catch(error => { if (!(error instanceof Crash)) throw error; });
    await send(dir, 'events', records(second));
  }
}, 60_000);
afterAll(() => { rmSync(home, { recursive: true, force: true }); });

async function inCopy<T>(of: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(home, 'copy-'));
  try {
    cpSync(join(home, of), dir, { recursive: true });
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const verdict = async (dir: string, text: string): Promise<readonly [string, number]> => {
  const { out, code } = await diff(dir, text, ['--json']);
  return [(JSON.parse(out) as { next: string }).next, code];
};

const isRefusal = (error: unknown): boolean => (error instanceof PipeErrors ? error.problems : [error]).every(p => p instanceof PipeError && p.code === 'system.state.incompatible');

/** Windows that had closed under the file of before, and those that end later under the edited one, or under the same. */
async function expectTruth(dir: string, e: Edit, edited = true): Promise<void> {
  const rows = [...await written(dir, 'totals'), ...(e.topic === undefined ? [] : await written(dir, e.topic))];
  const [sql, size, big] = edited ? [e.truth ?? TOTALS, e.size ?? 10_000, e.big ?? BIG] : [TOTALS, 10_000, BIG];
  expect(canonical(rows)).toEqual(canonical([...expected(TOTALS, first).filter(r => closed(r, 10_000)), ...expected(sql, all).filter(r => !closed(r, size))]));
  expect(canonical(await written(dir, 'big'))).toEqual(canonical([...expected(BIG, first), ...expected(big, second)]));
}

describe.each(['rows', 'packed'])('an edit while windows are open (%s)', form => {
  it.each(edits.filter(e => e.verdict === 'goes on').map(e => [e.what, e] as const))('%s: goes on', (_, e) => inCopy(form, async dir => {
    const edited = FILE.replace(e.from, e.to);
    if (e.what !== 'nothing') expect(edited).not.toBe(FILE);
    expect(await verdict(dir, edited)).toEqual(['goes on', 0]);
    await run(dir, edited);
    await expectTruth(dir, e);
  }));
});

describe('an edit that changes what open windows mean', () => {
  const refused = edits.filter(e => e.verdict === 'refused').map(e => [e.what, e] as const);

  it.each(refused)('%s: is refused, and the file as it was goes on', (_, e) => inCopy('rows', async dir => {
    const edited = FILE.replace(e.from, e.to);
    expect(edited).not.toBe(FILE);
    expect(await verdict(dir, edited)).toEqual(['refused', 33]);
    const error = await run(dir, edited).then(() => null, (problem: unknown) => problem);
    expect(isRefusal(error), String(error)).toBe(true);
    await run(dir, FILE);
    await expectTruth(dir, e, false);
  }));

  it.each(refused)('%s: --backfill builds it again and sends no row of a closed window', (_, e) => inCopy('packed', async dir => {
    await run(dir, FILE.replace(e.from, e.to), ['--backfill']);
    await expectTruth(dir, e);
  }));
});

it('--diff stands in columns, whatever the names, and says what is new', () => inCopy('rows', async dir => {
  const renamed = FILE.replace('  totals:\n', '  total_of_each_type:\n    topic: totals\n').replace('  big:', '  other:');
  const { out } = await diff(dir, `${renamed}  more: {sql: SELECT type FROM events}\n`);
  const parts = out.split('\n').filter(l => /^(SOURCE|OPERATOR|SINK)/.test(l));
  expect(parts.map(l => /^(\S+) +(.*?) {2,}(\S+) {2,}(\S+)/.exec(l)?.slice(1))).toEqual([
    ['SOURCE', 'events', 'kept', 'goes'], ['OPERATOR', 'total_of_each_type (was totals)', 'kept', 'goes'], ['SINK', 'total_of_each_type (was totals)', 'kept', 'goes'],
    ['SINK', 'other', 'new', 'gets'], ['SINK', 'more', 'new', 'gets'], ['SINK', 'big', 'gone', 'gets'],
  ]);
  expect([...new Set(parts.map(l => l.search(/ (kept|new|gone) /)))]).toEqual([(parts[1] as string).search(/ kept /)]);
}));

it('what has no open windows may be edited freely', () => inCopy('rows', async dir => {
  await run(dir, FILE);
  await send(dir, 'events', records([{ ...event(1), at: 81_000, amount: 7 }]));
  const said = await run(dir, FILE.replace("INTERVAL '10'", "INTERVAL '20'").replace('COUNT(*) AS n', 'MAX(amount) AS most'));
  expect(said).toContain('"totals" is another grouping now and starts empty: its first windows lack what was read before; --backfill builds it from the topic');
  expect((await written(dir, 'totals')).at(-1)).toEqual({ account: '2', type: 'b', total: 7, most: 7, window_start: 80_000 });
}));
