import { expect, it } from 'vitest';
import type { StateTx } from '../../src/state/store.ts';
import { GENERATED } from '../no-codegen.ts';
import { batchFor, column, graphOf, pipelineOf } from './graph-of.ts';

const c = pipelineOf("SELECT k, COUNT(*) AS n, window_start FROM a GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)");

it('windows that close together come out in the order of their ends', () => {
  const { graph, out } = graphOf(c, GENERATED);
  graph.inputs.get('a')?.push(batchFor(c, [{ at: 25_000 }, { at: 5000 }, { at: 15_000 }]));
  graph.inputs.get('a')?.watermark(40_000);
  expect(column(out, 2)).toEqual([0, 10_000, 20_000]);
});

it('an epoch writes what changed since the last one, and no more', () => {
  const { graph } = graphOf(c, GENERATED);
  const written: number[] = [];
  const tx: StateTx = { upsert: (_t, _f, rows) => { written.push(rows); }, deletePrefix: () => undefined, appendPacked: () => undefined, deletePacked: () => undefined, putSpilled: () => undefined, deleteSpilled: () => undefined, dropBacklog: () => undefined, put: () => undefined };
  const epoch = (...keys: string[]): void => {
    graph.inputs.get('a')?.push(batchFor(c, keys.map(k => ({ k, at: 1 }))));
    for (const o of graph.operators) o.snapshot(tx);
  };
  epoch('a', 'b', 'c', 'a');
  epoch('b', 'b');
  epoch('b', 'd');
  epoch();
  epoch('a');
  expect(written).toEqual([3, 1, 2, 1]);
});
