import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import { explain } from '../../src/cli/explain.ts';
import { stateLs } from '../../src/cli/state-ls.ts';
import { stateQuery } from '../../src/cli/state-query.ts';
import { Database } from '../../src/state/database.ts';
import type { Command } from '../../src/cli/command.ts';
import { Crash, crashing } from '../cases/run-case.ts';
import { fakeIo } from './fake-io.ts';

const PIPELINE = `name: sums
sources:
  s: {schema: "k STRING, b BIGINT, v DECIMAL(12,2), at BIGINT", event_time: {from: at, unit: ms, delay: 5s}}
sinks:
  out: {sql: "SELECT k, b, SUM(v) AS total, MAX(k) AS last, COUNT(DISTINCT b) AS bs, window_start FROM s GROUP BY k, b, TUMBLE(ts, INTERVAL '10' SECOND)"}
settings: {checkpoint: 1ms}
`;

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-state-')); mkdirSync(join(dir, 'pipelines')); writeFileSync(join(dir, 'pipelines', 'sums.yaml'), PIPELINE); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

async function call(command: Command, argv: readonly string[], env: Record<string, string> = {}, isTTY = false, columns = 80): Promise<{ code: number; out: string; err: string }> {
  const io = fakeIo({ cwd: dir, env });
  io.out.isTTY = isTTY;
  io.out.columns = columns;
  return { code: await command.run(parseCommandLine(command, argv), io), out: io.out.text, err: io.err.text };
}

/** Leaves open windows behind, as a process that died does; `pack`: groups from which on they are packed; `memory`: what does not fit is on disk only. */
async function leaveOpen(pack: string, memory = '1GB'): Promise<void> {
  writeFileSync(join(dir, 'pipelines', 'sums.yaml'), PIPELINE.replace('1ms}', `1ms, memory: ${memory}}`));
  const notices = { warn: () => undefined, info: () => undefined };
  const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, notices);
  await log.open(1000, new AbortController().signal);
  await log.createTopic({ name: 's', partitions: 1, retention: null, config: {} });
  const value = (i: number): string => JSON.stringify({ k: i % 7 === 0 ? null : `key ${i % 50}`, b: i % 3 === 0 ? '9007199254740993' : i % 3, v: i / 4, at: 1_704_110_400_000 + i });
  await log.append('s', Array.from({ length: 300 }, (_, i) => ({ key: null, value: Buffer.from(value(i)), headers: [], partition: 0, timestamp: null })));
  await log.close();
  const run = makeRun(() => Promise.resolve({ ...runParts, engine: crashing(3) }));
  await expect(call(run, ['sums.yaml', '--until-end', '--no-print', '--brokers', 'none'], { PIPE_PACK_GROUPS: pack, PIPE_BATCH_ROWS: '50' })).rejects.toBeInstanceOf(Crash);
}

describe('pipe state', () => {
  it('reads open windows alike, whether they are rows, packed, or runs on disk that must be folded together', async () => {
    const sql = 'SELECT k, b, window_end, window_start, sum_v_lo, max_k FROM state_out ORDER BY k, b';
    await leaveOpen('1000000');
    const rows = (await call(stateQuery, ['sums.yaml', sql, '--json'])).out;
    rmSync(join(dir, '.pipe'), { recursive: true });
    await leaveOpen('1');
    const packed = (await call(stateQuery, ['sums.yaml', sql, '--json'])).out;
    expect(packed).toBe(rows);
    rmSync(join(dir, '.pipe'), { recursive: true });
    await leaveOpen('1', '4KB');
    expect((await call(stateQuery, ['sums.yaml', sql, '--json'])).out).toBe(rows);
    const db = new Database(join(dir, '.pipe', 'state', 'sums@embedded.db'), { readonly: true });
    expect(db.prepare("SELECT count(DISTINCT run) > 1, count(*) > 0 FROM spilled WHERE table_name = 'state_out'").raw().get()).toEqual([1, 1]);
    expect(db.prepare('SELECT count(*) FROM packed').pluck().get()).toBe(0);
    db.close();
    expect(rows.split('\n').filter(l => l !== '').length).toBeGreaterThan(20);
    expect(rows).toContain('"b":"9007199254740993"');
    expect((await call(stateLs, ['sums.yaml', '--json'])).out).toContain('"table":"state_out"');
    // keys, window, and aggregates by their SQL: total is an alias of a result, which is not kept
    expect((await call(stateLs, ['sums.yaml', '--json'])).out).toContain('"columns":["window_end","k","b","window_start","sum_v_lo","sum_v_hi","max_k","count_distinct_b_seen","count_distinct_b_result"]');
    expect((await call(stateQuery, ['sums.yaml', "SELECT value FROM meta WHERE key = 'pipeline'"])).out).toContain('sums');
  });

  it('asks no broker: a flag for one is answered with the one that names the log of a state, and the other way round', async () => {
    await expect(call(stateQuery, ['sums.yaml', 'SELECT 1', '--brokers', 'none'])).rejects.toMatchObject({ code: 'user.usage.unknown_flag', hint: expect.stringContaining('--log ID names the log of the state') as string });
    await expect(call(explain, ['sums.yaml', '--diff', '--log', 'embedded'])).rejects.toMatchObject({ code: 'user.usage.unknown_flag', hint: expect.stringContaining('--brokers none the embedded log') as string });
  });

  it('changes nothing, says what is wrong, and prints so many rows', async () => {
    await expect(call(stateQuery, ['sums.yaml', 'SELECT 1'])).rejects.toMatchObject({ code: 'user.usage.bad_value', message: expect.stringContaining('has no state') as string });
    await leaveOpen('1');
    await expect(call(stateQuery, ['sums.yaml', 'DELETE FROM meta'])).rejects.toMatchObject({ code: 'user.usage.bad_value' });
    await expect(call(stateQuery, ['sums.yaml', 'SELECT nope FROM meta'])).rejects.toMatchObject({ message: 'SQLite: no such column: nope' });
    await expect(call(stateQuery, ['sums.yaml'])).rejects.toMatchObject({ code: 'user.usage.missing_argument' });
    await expect(call(stateQuery, ['sums.yaml', 'SELECT 1', '--log', 'other'])).rejects.toMatchObject({ hint: '--log takes embedded' });
    const some = await call(stateQuery, ['sums.yaml', 'SELECT name FROM counters', '--limit', '2']);
    expect(some.err).toBe('there are more than 2 rows: --limit N prints more\n');
  });

  it('is shown in full unless a terminal is too narrow, which is said', async () => {
    await leaveOpen('1');
    const ls = (await call(stateLs, ['sums.yaml'])).out.split('\n');
    const [head = '', first = ''] = ls;
    expect(head).toMatch(/^PIPELINE {2}LOG {7}TABLE +ROWS$/);
    expect(first).toMatch(/^sums {6}embedded {2}[a-z_]+ +\d+$/);
    const long = 'x'.repeat(200);
    const sql = `SELECT '${long}' AS a_name_that_is_long, 1 AS n`;
    const piped = await call(stateQuery, ['sums.yaml', sql]);
    expect(piped.out.split('\n')).toEqual([`┌${'─'.repeat(202)}┬───┐`, `│ ${'a_name_that_is_long'.padEnd(200)} │ n │`, `├${'─'.repeat(202)}┼───┤`, `│ ${long} │ 1 │`, `└${'─'.repeat(202)}┴───┘`, '']);
    expect(piped.err).toBe('');
    const shown = await call(stateQuery, ['sums.yaml', sql], {}, true);
    expect(shown.out).toContain('x…');
    expect(shown.err).toBe('--json shows all of it\n');
    expect((await call(stateQuery, ['sums.yaml', 'SELECT 1 AS n'], {}, true)).err).toBe('');
  });

  it('on a terminal that is too narrow for its names and numbers has a line a column, with all of it', async () => {
    await leaveOpen('1');
    const sql = `SELECT 1 AS first_number, '${'y'.repeat(50)}' AS note, -9007199254740993 AS second_number, NULL AS gone UNION ALL SELECT 22, 'z', 3, 4`;
    const on = (columns: number): ReturnType<typeof call> => call(stateQuery, ['sums.yaml', sql], {}, true, columns);
    expect((await on(78)).out.split('\n')[3]).toMatch(/^│ +1 │ y+… │ -9007199254740993 │ NULL │$/);
    const narrow = await on(50);
    expect(narrow).toEqual({ code: 0, err: '', out: `── row 1 ────────────────────────
first_number   1
note           ${'y'.repeat(50)}
second_number  -9007199254740993
gone           NULL
── row 2 ────────────────────────
first_number   22
note           z
second_number  3
gone           4
` });
    expect((await on(20)).out.split('\n').slice(0, 2)).toEqual(['── row 1 ───────────', 'first_number   1']);
    // a pipe has no width
    expect((await call(stateQuery, ['sums.yaml', sql], {}, false, 20)).out.split('\n')[3]).toContain(`│            1 │ ${'y'.repeat(50)} │`);
    expect((await call(stateQuery, ['sums.yaml', 'SELECT 1 AS n WHERE 0'], {}, true, 3)).out).toBe('');
  });

  it('of a damaged file says so, at its head and in the middle of reading', async () => {
    await leaveOpen('1', '4KB');
    const path = join(dir, '.pipe', 'state', 'sums@embedded.db');
    const checkpointed = new Database(path);
    checkpointed.pragma('wal_checkpoint(TRUNCATE)');
    const roots = new Map(checkpointed.prepare("SELECT name, rootpage FROM sqlite_master WHERE name IN ('counters', 'spilled')").raw().all() as [string, number][]);
    const pageSize = checkpointed.pragma('page_size', { simple: true }) as number;
    checkpointed.close();
    const whole = readFileSync(path);
    const corrupt = { code: 'system.state.corrupt', exit: 31, message: expect.stringContaining(path) as string };
    const spoil = (at: number): void => { writeFileSync(path, Buffer.from(whole).fill(0xa5, at, at + 64)); };
    const rejected = (command: Command, ...argv: string[]): Promise<void> => expect(call(command, ['sums.yaml', ...argv])).rejects.toMatchObject(corrupt);
    spoil(0);
    await rejected(stateLs);
    await rejected(stateQuery, 'SELECT * FROM meta');
    await rejected(explain, '--diff');
    for (const [name, read] of [['counters', 'counters'], ['spilled', 'state_out']] as const) {
      spoil(((roots.get(name) as number) - 1) * pageSize);
      await rejected(stateLs);
      await rejected(stateQuery, `SELECT * FROM ${read}`);
    }
    writeFileSync(path, whole);
    expect((await call(stateQuery, ['sums.yaml', 'SELECT count(*) FROM state_out'])).code).toBe(0);
  });

  it('that nobody may look at is not taken for none', async () => {
    mkdirSync(join(dir, '.pipe'));
    // what root is refused, too: a link to itself
    symlinkSync('state', join(dir, '.pipe', 'state'));
    const refused = { code: 'system.source.unreachable', exit: 10, hint: expect.stringContaining('--data-dir') as string };
    await expect(call(stateLs, ['sums.yaml'])).rejects.toMatchObject(refused);
    await expect(call(stateQuery, ['sums.yaml', 'SELECT 1'])).rejects.toMatchObject(refused);
    await expect(call(explain, ['sums.yaml', '--diff'])).rejects.toMatchObject(refused);
  });
});
