import { expect, it } from 'vitest';
import { recordsFrom } from '../../src/engine/block.ts';
import { batchFor, column, graphOf, pipelineOf } from './graph-of.ts';

it.each([true, false])('rows that pass a filter keep their watermark and their record (generated code: %s)', jit => {
  const c = pipelineOf('SELECT k, v + 1 AS w, ts FROM a WHERE v > 1');
  const { graph, out } = graphOf(c, jit);
  const rows = [{ v: 1, wm: 10 }, { v: 2, wm: 20 }, { v: null, wm: 30 }, { v: 3, wm: 40 }].map((r, i) => ({ ...r, k: `k${i}`, at: i }));
  graph.inputs.get('a')?.push(batchFor(c, rows, recordsFrom(rows.map(() => ({ key: null, value: 'x' })))));
  expect([column(out, 0), column(out, 1)]).toEqual([['k1', 'k3'], [3, 4]]);
  expect(out.map(b => [[...b.wm ?? []], [...b.origin?.rows ?? []]])).toEqual([[[20, 40], [1, 3]]]);
});
