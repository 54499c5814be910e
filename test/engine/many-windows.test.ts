import { expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import type { Case } from '../cases/case.ts';
import { runCase } from '../cases/run-case.ts';
import { GENERATED } from '../no-codegen.ts';

/** Seconds: a row is in so many windows. A longer run: PIPE_OPEN_WINDOWS=10000. */
const SIZE = Number(process.env['PIPE_OPEN_WINDOWS'] ?? 1000);
const BASE = Date.UTC(2024, 0, 1);
/** Most rows are of one key. */
const rows = Array.from({ length: 40 }, (_, i) => ({ k: i % 5 === 0 ? `key-${i}` : 'hot', n: (i * 37) % 11, at: BASE + i * 700 }));

function oracle(): string[] {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE t (k TEXT, n INTEGER, at INTEGER)');
  for (const r of rows) db.prepare('INSERT INTO t VALUES (?, ?, ?)').run(r.k, BigInt(r.n), BigInt(r.at));
  const found = db.prepare(`
    WITH RECURSIVE w(start) AS (SELECT ${BASE - 1000 * SIZE} UNION ALL SELECT start + 1000 FROM w WHERE start < ${BASE + 60_000})
    SELECT k, count(*) AS c, sum(n) AS s, count(DISTINCT n) AS d, start FROM t JOIN w ON at >= start AND at < start + ${1000 * SIZE} GROUP BY k, start`).all() as { k: string; c: number; s: number; d: number; start: number }[];
  db.close();
  return found.map(r => `{"k":"${r.k}","c":${r.c},"s":${r.s},"d":${r.d},"window_start":${r.start}}`).sort();
}

it(`${SIZE} open windows of a hot key and others, most of them on disk, equal those of SQLite`, async () => {
  const c: Case = {
    name: 'many', expected_columns: {}, expected_rows: [],
    sources: { t: { columns: { k: 'STRING', n: 'BIGINT', ts: 'TIMESTAMP(3)' }, event_time: 'ts', watermark_delay_ms: 5000n, rows: rows.map(r => ({ k: r.k, n: r.n, ts: new Date(r.at).toISOString() })) } },
    sql: `SELECT k, COUNT(*) AS c, SUM(n) AS s, COUNT(DISTINCT n) AS d, window_start FROM t GROUP BY k, HOP(ts, INTERVAL '1' SECOND, INTERVAL '${SIZE}' SECOND)`,
  };
  let said = '';
  const found = await runCase(c, { batch: 10, jit: GENERATED, decoder: 'fast', crash: null, memory: 800 * SIZE, said: text => { said = text; } });
  expect(said).toContain('state goes to disk from here on');
  expect(found.sort()).toEqual(oracle());
}, 300_000);
