import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PipeErrors } from '../../src/errors.ts';
import { canonical, run, send, truth, written, type Row } from './edit-project.ts';

/** What has come at each end of the input; sums and counts go down as well as up, and groups come, change and stay. */
const ends = [
  [{ k: 'a', v: 5, at: 0 }, { k: 'b', v: 5, at: 1000 }, { k: 'a', v: 1, at: 2000 }],
  [{ k: 'a', v: -3, at: 120_000 }, { k: 'c', v: 2, at: 125_000 }],
  [{ k: 'b', v: -4, at: 300_000 }],
];
const until = (n: number): object[] => ends.slice(0, n + 1).flat();
const file = (sql: string): string => `name: ends
sources:
  t: {schema: "k STRING, v INT, at BIGINT", event_time: {from: at, unit: ms}}
sinks:
  out:
    sql: |
      ${sql}
`;

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-ends-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Rows that each run to the end wrote. */
async function rowsOfEnds(sql: string): Promise<Row[][]> {
  const rows: Row[][] = [];
  for (const records of ends) {
    await send(dir, 't', records);
    await run(dir, file(sql));
    rows.push((await written(dir, 'out')).slice(rows.flat().length));
  }
  return rows;
}

const inner = 'SELECT k, SUM(v) AS s, COUNT(*) AS n FROM t GROUP BY k';

/** Refused, since the second end gave other numbers: 16 and 4 for the first of them, where SQLite has 10 and 3. */
describe('aggregates over a grouping without a window', () => {
  it.each([
    ['a sum of sums', `SELECT SUM(s) AS total, COUNT(*) AS n FROM (${inner})`, 'SUM(s)'],
    ['the largest sum, which another group may have later', `SELECT MAX(s) AS top FROM (${inner})`, 'MAX(s)'],
    ['by another key', `SELECT n, COUNT(*) AS c FROM (${inner}) WHERE s > 0 GROUP BY n`, 'COUNT(*)'],
    ['the number of distinct rows', 'SELECT COUNT(*) AS n FROM (SELECT DISTINCT k FROM t)', 'COUNT(*)'],
    ['through WITH and a second grouping', `WITH a AS (${inner}), b AS (SELECT DISTINCT s FROM a) SELECT s FROM b GROUP BY s HAVING MIN(s) > 1`, 'MIN(s)'],
  ])('are refused: %s', async (_, sql, call) => {
    const refused = await run(dir, file(sql)).catch((error: unknown) => error) as PipeErrors;
    expect(refused.problems.map(p => [p.code, p.message, p.span?.source.position(p.span.start)])).toEqual([
      ['user.sql.unsupported', `not supported yet: ${call} over a grouping without a window`, { line: 7, col: 7 + sql.indexOf(call) }],
    ]);
  });
});

describe('at each end of the input, rows are those of the result for groups that changed', () => {
  const changed = (n: number): string => `k IN (${(ends[n] as { k: string }[]).map(r => `'${r.k}'`).join(', ')})`;

  it.each([
    ['a grouping', inner, inner],
    ['HAVING', `${inner} HAVING SUM(v) > 2`, `${inner} HAVING SUM(v) > 2`],
    ['WHERE over it', `SELECT k, s * 2 AS s FROM (${inner}) WHERE n < 3`, `SELECT k, s * 2 AS s FROM (${inner}) WHERE n < 3`],
    ['DISTINCT over it', `SELECT DISTINCT k, s FROM (${inner})`, `SELECT k, s FROM (${inner})`],
  ])('%s', async (_, sql, sqlite) => {
    const rows = await rowsOfEnds(sql);
    for (const n of ends.keys()) expect(canonical(rows[n] as Row[]), `end ${n + 1}`).toEqual(canonical(truth(`SELECT * FROM (${sqlite}) WHERE ${changed(n)}`, { t: until(n) })));
  });

  it.each([
    ['a grouping over one with a window', "SELECT SUM(s) AS total, COUNT(*) AS n FROM (SELECT k, SUM(v) AS s FROM t GROUP BY k, TUMBLE(ts, INTERVAL '1' MINUTE))", 'SELECT SUM(s) AS total, COUNT(*) AS n FROM (SELECT k, SUM(v) AS s FROM t GROUP BY k, at / 60000)'],
    ['one grouping in place of two', 'SELECT SUM(v) AS total, COUNT(DISTINCT k) AS n FROM t', 'SELECT SUM(v) AS total, COUNT(DISTINCT k) AS n FROM t'],
  ])('what the refusal says to write: %s', async (_, sql, sqlite) => {
    const rows = await rowsOfEnds(sql);
    for (const n of ends.keys()) expect(canonical(rows[n] as Row[]), `end ${n + 1}`).toEqual(canonical(truth(sqlite, { t: until(n) })));
  });
});
