import { expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import type { Case } from '../cases/case.ts';
import { runCase } from '../cases/run-case.ts';
import { whole } from '../random.ts';
import { GENERATED } from '../no-codegen.ts';

const runs = Number(process.env['PIPE_PROPERTY_RUNS'] ?? 15);
const seed = Number(process.env['PIPE_PROPERTY_SEED'] ?? Date.now() % 1e9);

interface Row {
  readonly k: string | null;
  readonly n: number | null;
  readonly f: number | null;
  readonly at: number;
}

const BASE = Date.UTC(2024, 0, 1);

/** Many keys, some of them hot; rows out of order by less than the delay. */
function rowsOf(pick: (n: number) => number): Row[] {
  const keys = 20 + pick(400);
  let t = 0;
  return Array.from({ length: 200 + pick(800) }, () => {
    t += pick(300);
    const k = pick(10) === 0 ? null : `key-${pick(4) === 0 ? pick(5) : pick(keys)}`;
    return { k, n: pick(6) === 0 ? null : pick(2000) - 1000, f: pick(6) === 0 ? null : (pick(2_000_000) - 1_000_000) / 7, at: BASE + Math.max(0, t - pick(5000)) };
  });
}

const windows: readonly (readonly [size: number, slide: number] | null)[] = [[10, 10], [60, 60], [3600, 3600], [30, 10], [60, 5], null];

const EXACT = "COUNT(*) AS c, COUNT(n) AS cn, SUM(n) AS s, MIN(n) AS lo, MAX(n) AS hi, COUNT(DISTINCT n) AS d, LISTAGG(CAST(n AS STRING), '+') AS l, MIN(CAST(n AS STRING)) AS t";
/** Those that depend on the order of rows to the last digit, or that SQLite lacks. */
const MORE = 'SUM(f) AS x, AVG(f) AS y, STDDEV_POP(f) AS z, AVG(n) AS u, VAR_SAMP(n) AS v, SUM(DISTINCT f) AS w, MAX(f) AS m, SUM(f) FILTER (WHERE n > 0) AS o';

/** The same in SQLite: each row joined with the starts of all windows that hold it. */
function oracle(rows: readonly Row[], window: (typeof windows)[number]): string[] {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, n INTEGER, at INTEGER); CREATE TABLE w (start INTEGER, size INTEGER)');
  const insert = db.prepare('INSERT INTO t (k, n, at) VALUES (?, ?, ?)');
  for (const r of rows) insert.run(r.k, r.n === null ? null : BigInt(r.n), BigInt(r.at));
  const add = db.prepare('INSERT INTO w VALUES (?, ?)');
  if (window === null) add.run(0n, BigInt(BASE) * 2n);
  else for (let start = BASE - 1000 * window[0]; start <= Math.max(...rows.map(r => r.at)); start += 1000 * window[1]) add.run(BigInt(start - (start % (1000 * window[1]))), BigInt(1000 * window[0]));
  const found = db.prepare(`
    SELECT k, start, count(*) AS c, count(n) AS cn, sum(n) AS s, min(n) AS lo, max(n) AS hi, count(DISTINCT n) AS d, group_concat(n, '+' ORDER BY id) AS l, min(CAST(n AS TEXT)) AS t
    FROM t JOIN w ON at >= start AND at < start + size GROUP BY k, start`).all() as Record<string, string | number | null>[];
  db.close();
  return found.map(({ start, ...r }) => JSON.stringify(window === null ? r : { k: r['k'], window_start: start, ...r })).sort();
}

/** DOUBLE sums by hand: from left to right, in the order of the rows. */
function sums(rows: readonly Row[]): Map<string | null, number> {
  const found = new Map<string | null, number>();
  for (const { k, f } of rows) if (f !== null) found.set(k, found.has(k) ? (found.get(k) as number) + f : f);
  return found;
}

it(`state on disk gives the results of SQLite, and to the last digit those of state in memory, on ${runs} random streams (seed ${seed})`, async () => {
  const pick = whole(seed);
  let onDisk = 0;
  for (let n = 0; n < runs; n++) {
    const rows = rowsOf(pick);
    const window = windows[pick(windows.length)] ?? null;
    const group = window === null ? '' : `, ${window[0] === window[1] ? `TUMBLE(ts, INTERVAL '${window[0]}' SECOND)` : `HOP(ts, INTERVAL '${window[1]}' SECOND, INTERVAL '${window[0]}' SECOND)`}`;
    const c: Case = {
      name: 'spill', expected_columns: {}, expected_rows: [],
      sources: { t: { columns: { k: 'STRING', n: 'BIGINT', f: 'DOUBLE', ts: 'TIMESTAMP(3)' }, event_time: 'ts', watermark_delay_ms: 5000n, rows: rows.map(r => ({ k: r.k, n: r.n, f: r.f, ts: new Date(r.at).toISOString() })) } },
      sql: `SELECT k${window === null ? '' : ', window_start'}, ${EXACT}, ${MORE} FROM t GROUP BY k${group}`,
    };
    const where = `run ${n}: ${c.sql}`;
    const whole = (await runCase(c, { batch: 1000, jit: GENERATED, decoder: 'fast', crash: null })).sort();
    expect(whole.map(v => `${v.slice(0, v.indexOf(',"x":'))}}`).sort(), where).toEqual(oracle(rows, window));
    if (window === null) {
      const byKey = sums(rows);
      for (const v of whole) expect((JSON.parse(v) as { x: number | null }).x, where).toBe(byKey.get((JSON.parse(v) as Row).k) ?? null);
    }
    const batch = [7, 50, 1000][pick(3)] as number;
    const said = (text: string): void => { if (/state goes to disk|\d on disk/.test(text)) onDisk++; };
    const spilled = await runCase(c, { batch, jit: pick(3) > 0 && GENERATED, decoder: 'fast', crash: pick(2) === 0 ? 1 + pick(8) : null, memory: 4000 * (1 + pick(20)), packed: pick(2) === 0, said });
    expect(spilled.sort(), `${where} in batches of ${batch}`).toEqual(whole);
  }
  expect(onDisk).toBeGreaterThan(0);
}, 60_000 + 20_000 * runs);
