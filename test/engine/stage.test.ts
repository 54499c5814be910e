import { expect, it } from 'vitest';
import { recordsFrom } from '../../src/engine/block.ts';
import { JIT } from '../no-codegen.ts';
import { batchFor, column, graphOf, pipelineOf } from './graph-of.ts';

it.each(JIT)('rows that pass a filter keep their watermark and their record (generated code: %s)', jit => {
  const c = pipelineOf('SELECT k, v + 1 AS w, ts FROM a WHERE v > 1');
  const { graph, out } = graphOf(c, jit);
  const rows = [{ v: 1, wm: 10 }, { v: 2, wm: 20 }, { v: null, wm: 30 }, { v: 3, wm: 40 }].map((r, i) => ({ ...r, k: `k${i}`, at: i }));
  graph.inputs.get('a')?.push(batchFor(c, rows, recordsFrom(rows.map(() => ({ key: null, value: 'x' })))));
  expect([column(out, 0), column(out, 1)]).toEqual([['k1', 'k3'], [3, 4]]);
  expect(out.map(b => [[...b.wm ?? []], [...b.origin?.rows ?? []]])).toEqual([[[20, 40], [1, 3]]]);
});

it.each(JIT)('rows for which a filter is NULL are left out of a grouping, as those for which it is false (generated code: %s)', jit => {
  const c = pipelineOf("SELECT k, COUNT(*) AS n FROM a WHERE NOT (v > 5) GROUP BY k, TUMBLE(ts, INTERVAL '1' SECOND)");
  const { graph, out } = graphOf(c, jit);
  graph.inputs.get('a')?.push(batchFor(c, [{ v: null, at: 0 }, { v: 5, at: 0 }, { v: 6, at: 0 }, { v: null, at: 0 }]));
  graph.inputs.get('a')?.finish();
  expect(column(out, 1)).toEqual([1]);
});
