import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { comparePlans, describePlan } from '../../src/plan/compare.ts';
import type { PhysicalPlan } from '../../src/plan/physical.ts';
import { Folder } from '../config/support.ts';

const folder = new Folder();
const topics = { sources: [{ name: 't', topic: 't' }], sinks: [{ name: 'o', topic: 'o' }] };

function planOf(sql: string): PhysicalPlan {
  folder.write('p.yaml', `name: p\nsources:\n  t:\n    schema: a STRING, n INT, at BIGINT\n    event_time: {from: at, unit: ms, as: ts}\nsinks:\n  o:\n    sql: |\n      ${sql}\n`);
  return compilePipeline(loadPipeline(join(folder.dir, 'p.yaml'), { env: {}, root: folder.dir })).plan;
}

/** What differs of the grouping, and of the sink, between the SQL of a state and that of now. */
function differs(saved: string, now: string): readonly [grouping: readonly string[], sink: readonly string[]] {
  const { operators, sinks } = comparePlans(describePlan(planOf(saved), topics), [], planOf(now), topics, () => true);
  return [operators.flatMap(o => o.differs), sinks.flatMap(s => s.differs ?? [])];
}

const grouped = (where: string, calls: string, window = "TUMBLE(ts, INTERVAL '10' SECOND)"): string => `SELECT a, ${calls} FROM t ${where} GROUP BY a, ${window}`;

it('says of what is new in a grouping, and of what is gone, that the other has nothing of that kind', () => {
  const plain = grouped('', 'SUM(n) AS s');
  expect(differs(plain, grouped('WHERE n > 5', 'SUM(n) AS s'))).toEqual([['saved: no such WHERE', 'now:   WHERE n > 5 [n INT]'], []]);
  expect(differs(grouped('WHERE n > 5', 'SUM(n) AS s'), plain)).toEqual([['saved: WHERE n > 5 [n INT]', 'now:   no such WHERE'], []]);
  expect(differs(grouped('WHERE n > 5', 'SUM(n) AS s'), grouped("WHERE n > 5 AND a <> 'x'", 'SUM(n) AS s'))).toEqual([['saved: no such WHERE', "now:   WHERE a <> 'x' [a STRING]"], []]);
  expect(differs(plain, grouped('', 'SUM(n) AS s, COUNT(*) AS c'))).toEqual([['saved: no such aggregate', 'now:   COUNT()'], []]);
  expect(differs(plain, grouped('WHERE n > 5', 'SUM(n) AS s', "TUMBLE(ts, INTERVAL '20' SECOND)"))).toEqual([
    ['saved: TUMBLE 10 s on EVENT_TIME(at in ms)', 'saved: no such WHERE', 'now:   WHERE n > 5 [n INT]', 'now:   TUMBLE 20 s on EVENT_TIME(at in ms)'], [],
  ]);
});

it('says it of a sink without a grouping, too', () => {
  expect(differs('SELECT a FROM t', 'SELECT a FROM t WHERE n > 5')).toEqual([[], ['saved: no such WHERE', 'now:   WHERE n > 5 [n INT]']]);
  expect(differs("SELECT a FROM t WHERE a <> 'x | WHERE y'", 'SELECT a, n FROM t')).toEqual([[], expect.arrayContaining(['saved: SELECT a STRING AS a', 'now:   SELECT a STRING AS a, n INT AS n'])]);
  expect(differs('SELECT a FROM t', 'SELECT a FROM t')).toEqual([[], []]);
});
