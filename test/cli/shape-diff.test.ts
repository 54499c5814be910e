import { describe, expect, it } from 'vitest';
import { shapeDiff, withShapeDiff } from '../../src/cli/shape-diff.ts';
import { shapeOf } from '../../src/plan/shape.ts';
import { PipeError } from '../../src/errors.ts';
import { countPipeline } from '../engine/stand-ins.ts';
import type { Aggregate } from '../../src/plan/physical.ts';

describe('state of other SQL', () => {
  const { plan } = countPipeline();
  const now = shapeOf(plan, plan.operators[0] as Aggregate);
  const error = new PipeError('system.state.incompatible', 'the saved state of "agg" was made by other SQL: a; now it is: b', { hint: 'undo the edit' });

  it('is said by what differs, a line each', () => {
    expect(shapeDiff('FROM t | TUMBLE 10 s | GROUP BY a | SUM(x)', 'FROM t | TUMBLE 1 min | GROUP BY a | SUM(x) | COUNT()')).toEqual(['saved: TUMBLE 10 s', 'now:   TUMBLE 1 min', 'now:   COUNT()']);
    const saved = now.replace('GROUP BY ', 'GROUP BY name STRING, ');
    const said = withShapeDiff(error, plan, { get: () => saved }) as PipeError;
    expect(said).toMatchObject({ code: 'system.state.incompatible', exit: 33, hint: 'undo the edit' });
    expect(said.message.split('\n')).toEqual(['the saved state of "agg" holds open windows of other SQL', '    saved: GROUP BY name STRING, id BIGINT', '    now:   GROUP BY id BIGINT']);
  });

  it('stays as it is where nothing is known of the saved shape, or it is another error', () => {
    expect(withShapeDiff(error, plan, { get: () => undefined })).toBe(error);
    expect(withShapeDiff(error, plan, { get: () => now })).toBe(error);
    const other = new PipeError('system.state.incompatible', 'source "x" reads topic "y" now');
    expect(withShapeDiff(other, plan, { get: () => 'GROUP BY z' })).toBe(other);
  });
});
