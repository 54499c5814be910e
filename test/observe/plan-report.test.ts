import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { explainModel } from '../../src/observe/explained.ts';
import { planReport } from '../../src/observe/plan-report.ts';
import { Folder } from '../config/support.ts';

const folder = new Folder();

/** By operator, the pieces of its query that are marked. */
function marked(queries: string): Record<string, string[]> {
  folder.write('p.yaml', `name: p\nsources:\n  t:\n    schema: a STRING, n INT, at BIGINT\n    event_time: {from: at, unit: ms, as: ts}\n${queries}`);
  const report = planReport(compilePipeline(loadPipeline(join(folder.dir, 'p.yaml'), { env: {}, root: folder.dir })));
  return Object.fromEntries(Object.entries(report.parts).map(([id, { query, ranges }]) => [id, ranges.map(r => report.sql.find(q => q.query === query)?.text.slice(...r) as string)]));
}

/** By operator, its conditions as explain words them. */
function conditions(queries: string): Record<string, string[]> {
  folder.write('c.yaml', `name: c\nsources:\n  t:\n    schema: a STRING, n INT, at BIGINT\n    event_time: {from: at, unit: ms, as: ts}\n${queries}`);
  const { operators } = explainModel(compilePipeline(loadPipeline(join(folder.dir, 'c.yaml'), { env: {}, root: folder.dir })));
  return Object.fromEntries(operators.map(o => [o.id, o.does.filter(d => /^(WHERE|HAVING) /.test(d))]));
}

it('words a condition as the user did, also behind a grouping', () => {
  const sums = "SELECT a, SUM(n) AS s, window_time AS done FROM t WHERE n > 0 GROUP BY a, TUMBLE(ts, INTERVAL '1' SECOND)";
  const of = (sums: string, sql: string): Record<string, string[]> => conditions(`steps:\n  sums: ${sums}\nsinks:\n  o: {sql: "${sql}"}\n`);
  expect(of(sums, 'SELECT a FROM sums WHERE s < 5')).toEqual({ sums: ['WHERE n > 0'], 'o:select': ['WHERE s < 5'] });
  expect(of(`${sums} HAVING COUNT(*) > 1`, 'SELECT a FROM (SELECT * FROM sums WHERE s < 5) WHERE s > 2')).toEqual({ sums: ['WHERE n > 0'], 'o:select': ['HAVING COUNT(*) > 1', 'WHERE (s < 5) AND (s > 2)'] });
  expect(of(`${sums} HAVING COUNT(*) > 1`, "SELECT a, MAX(s) AS m FROM sums GROUP BY a, TUMBLE(done, INTERVAL '1' MINUTE)")).toEqual({ sums: ['WHERE n > 0'], o: ['HAVING COUNT(*) > 1'], 'o:select': [] });
});

it('marks the calls, the keys and the window of a grouping, and of what is behind it HAVING and what it makes', () => {
  expect(marked(`sinks:
  out:
    sql: |
      SELECT a, UPPER(a) AS b, SUM(n + 1) AS s
      FROM t
      WHERE n > 3
      GROUP BY a,
               TUMBLE(ts, INTERVAL '10' SECOND)
      HAVING SUM(n + 1) > 5
`)).toEqual({
    out: ['SUM(n + 1)', 'n > 3', 'a', "TUMBLE(ts, INTERVAL '10' SECOND)"],
    'out:select': ['UPPER(a)', 'SUM(n + 1) > 5'],
  });
});

it('marks a window in FROM where its rows are grouped', () => {
  expect(marked(`sinks:
  out:
    sql: |
      SELECT a, window_end, COUNT(*) AS c
      FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
      GROUP BY window_start, window_end, a
`)['out']).toEqual(['COUNT(*)', expect.stringMatching(/^(TABLE\()?HOP\(.*SECOND\)\)?$/), 'window_start', 'window_end', 'a']);
});

it('marks the window of rows that are not grouped, and no other query', () => {
  expect(marked(`steps:
  big: SELECT a, n, ts FROM t WHERE n > 3
sinks:
  out:
    sql: |
      SELECT a, window_end FROM TABLE(TUMBLE(TABLE big, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
`)).toEqual({ 'out:select': [expect.stringMatching(/^(TABLE\()?TUMBLE\(TABLE big, DESCRIPTOR\(ts\), INTERVAL '1' MINUTE\)\)?$/)] });
});
