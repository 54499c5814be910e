import { expect, it } from 'vitest';
import { openBlock } from '../../src/engine/block.ts';
import { RowOutbox } from '../../src/engine/outbox.ts';
import { formats } from '../../src/formats/index.ts';
import { batchFor, pipelineOf } from './graph-of.ts';

it('leaves out a row that no broker takes, as a whole, and goes on with the next', () => {
  const c = pipelineOf('SELECT k FROM a');
  const failed: string[] = [];
  let rows = 0;
  const outbox = new RowOutbox({ spec: c.spec, plan: c.plan, partitions: new Map([['out', 1]]), formats, jit: false, now: () => 5 }, {
    rowsOut: (_s, n) => { rows += n; }, failed: (_s, _b, i, code) => { failed.push(`${i} ${code}`); },
  });
  const given = batchFor(c, [{ k: 'first', at: 1 }, { k: 'x'.repeat(1_000_000), at: 1 }, { k: 'last', at: 1 }]);
  const sink = c.plan.sinks[0]?.schema ?? [];
  outbox.outputs.get('out')?.push({ ...given, schema: sink, cols: [given.cols[given.schema.findIndex(f => f.name === 'k')] as string[]], nulls: [null] });
  const [block] = outbox.take();
  const records = openBlock(block?.data as Buffer, 'out', 0, 0, null);
  expect(Array.from({ length: records.length }, (_, i) => records.data.toString('utf8', records.valueStart[i], records.valueEnd[i]))).toEqual(['{"k":"first"}', '{"k":"last"}']);
  expect([rows, failed]).toEqual([2, ['1 user.data.output_too_large']]);
});
