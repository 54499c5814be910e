import { expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import type { Case } from '../cases/case.ts';
import { runCase } from '../cases/run-case.ts';
import { whole } from '../random.ts';
import { GENERATED } from '../no-codegen.ts';

const runs = Number(process.env['PIPE_PROPERTY_RUNS'] ?? 40);
const seed = Number(process.env['PIPE_PROPERTY_SEED'] ?? Date.now() % 1e9);

interface Row {
  readonly k: string | null;
  readonly v: number | null;
  readonly cents: number | null;
  readonly at: number;
}

const BASE = Date.UTC(2024, 0, 1);

/** Rows out of order by less than the delay, some with NULLs, a few before 1970. */
function rowsOf(pick: (n: number) => number): Row[] {
  const base = pick(8) === 0 ? -90_000 : BASE;
  let t = 0;
  return Array.from({ length: 1 + pick(60) }, () => {
    t += pick(9000);
    return { k: pick(8) === 0 ? null : `k${pick(4)}`, v: pick(6) === 0 ? null : pick(2000) - 1000, cents: pick(6) === 0 ? null : pick(100_000) - 50_000, at: base + Math.max(0, t - pick(5000)) };
  });
}

const filters: readonly (readonly [sql: string, oracle: string])[] = [['TRUE', '1'], ['v > 0', 'v > 0'], ["k <> 'k1' OR v IS NULL", "k <> 'k1' OR v IS NULL"], ['NOT (v < 100 AND k IS NOT NULL)', 'NOT (v < 100 AND k IS NOT NULL)']];
const windows: readonly (readonly [size: number, slide: number])[] = [[10, 10], [7, 7], [60, 60], [30, 10], [12, 4], [25, 5]];

const AGGREGATES = 'COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MIN(v) AS lo, MAX(v) AS hi, COUNT(DISTINCT v) AS d, SUM(amount) AS a';

/** The same in SQLite, with integers of cents: each row joined with the starts of all windows that hold it. */
function oracle(rows: readonly Row[], filter: string, size: number, slide: number): string[] {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE t (k TEXT, v INTEGER, cents INTEGER, at INTEGER); CREATE TABLE w (start INTEGER)');
  const insert = db.prepare('INSERT INTO t VALUES (?, ?, ?, ?)');
  const bound = (x: number | null): bigint | null => (x === null ? null : BigInt(x));
  for (const r of rows) insert.run(r.k, bound(r.v), bound(r.cents), BigInt(r.at));
  const times = rows.map(r => r.at);
  const from = Math.floor((Math.min(...times) - size) / slide) * slide;
  const window = db.prepare('INSERT INTO w VALUES (?)');
  for (let start = from; start <= Math.max(...times); start += slide) window.run(BigInt(start));
  const found = db.prepare(`
    SELECT k, start, count(*) AS n, count(v) AS c, sum(v) AS s, min(v) AS lo, max(v) AS hi, count(DISTINCT v) AS d, sum(cents) AS a
    FROM t JOIN w ON at >= start AND at < start + ${size} WHERE ${filter} GROUP BY k, start`).all() as Record<string, string | number | null>[];
  db.close();
  const decimal = (x: number | null): string => (x === null ? 'null' : `${x < 0 ? '-' : ''}${Math.floor(Math.abs(x) / 100)}.${String(Math.abs(x) % 100).padStart(2, '0')}`);
  return found.map(r => `{"k":${JSON.stringify(r['k'])},"window_start":${r['start']},"n":${r['n']},"c":${r['c']},"s":${r['s']},"lo":${r['lo']},"hi":${r['hi']},"d":${r['d']},"a":${decimal(r['a'] as number | null)}}`).sort();
}

it(`windows and aggregates equal SQLite's on ${runs} random streams (seed ${seed})`, async () => {
  const pick = whole(seed);
  for (let n = 0; n < runs; n++) {
    const rows = rowsOf(pick);
    const [sql, inOracle] = filters[pick(filters.length)] as (typeof filters)[number];
    const [size, slide] = windows[pick(windows.length)] as (typeof windows)[number];
    const window = size === slide ? `TUMBLE(ts, INTERVAL '${size}' SECOND)` : `HOP(ts, INTERVAL '${slide}' SECOND, INTERVAL '${size}' SECOND)`;
    const c: Case = {
      name: 'random', expected_columns: {}, expected_rows: [],
      sources: { t: {
        columns: { k: 'STRING', v: 'BIGINT', amount: 'DECIMAL(12,2)', ts: 'TIMESTAMP(3)' }, event_time: 'ts', watermark_delay_ms: 5000n,
        rows: rows.map(r => ({ k: r.k, v: r.v, amount: r.cents === null ? null : (r.cents / 100).toFixed(2), ts: new Date(r.at).toISOString() })),
      } },
      sql: `SELECT k, window_start, ${AGGREGATES} FROM t WHERE ${sql} GROUP BY k, ${window}`,
    };
    const batch = [1, 3, 1000][pick(3)] as number;
    const found = await runCase(c, { batch, jit: pick(2) === 0 && GENERATED, decoder: pick(2) === 0 ? 'fast' : 'plain', crash: pick(3) === 0 ? 1 + pick(5) : null });
    expect(found.sort(), `run ${n}: ${c.sql}`).toEqual(oracle(rows, inOracle, size * 1000, slide * 1000));
  }
});
