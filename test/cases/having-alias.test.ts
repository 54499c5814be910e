import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canonical, run, send, truth, written } from './edit-project.ts';

const rows = Array.from({ length: 60 }, (_, i) => ({ k: `k${i % 4}`, v: (i * 17) % 50, at: i * 500 }));
const file = (having: string): string => `name: edits
sources:
  t: {schema: "k STRING, v INT, at BIGINT", event_time: {from: at, unit: ms}}
sinks:
  out:
    sql: SELECT k, COUNT(DISTINCT v) AS v, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND) HAVING ${having}
`;

let dir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-alias-'));
  await send(dir, 't', rows);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('an argument of an aggregate in HAVING is the column, though an aggregate of SELECT has its name', async () => {
  await run(dir, file('MAX(v) > 45'));
  expect(canonical(await written(dir, 'out'))).toEqual(canonical(truth('SELECT k, COUNT(DISTINCT t.v) AS v, at / 10000 * 10000 AS window_start FROM t GROUP BY 1, 3 HAVING MAX(t.v) > 45', { t: rows })));
});

it('an alias that stands for an aggregate is refused in another', async () => {
  await expect(run(dir, file('MAX(n) > 4').replace('AS v', 'AS n'))).rejects.toMatchObject({ problems: [{ code: 'user.sql.aggregate', message: '"n" is an aggregate in MAX: aggregates cannot be nested' }] });
});
