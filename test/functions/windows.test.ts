import { describe, expect, it } from 'vitest';
import { batchFor, column, graphOf, pipelineOf, type Made } from '../engine/graph-of.ts';
import { JIT } from '../no-codegen.ts';

const tumble = pipelineOf("SELECT window_start, COUNT(*) AS n, window_end FROM a GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)");
const hop = pipelineOf("SELECT window_start, COUNT(*) AS n, window_end FROM a GROUP BY HOP(ts, INTERVAL '5' SECOND, INTERVAL '15' SECOND)");

/** [start, count, end] of each window that came out, in order. */
const windows = ({ out }: Made): unknown[][] => column(out, 0).map((start, i) => [start, column(out, 1)[i], column(out, 2)[i]]);

describe.each(JIT)('windows with generated code: %s', jit => {
  const run = (c: typeof tumble, rows: readonly { at: number; wm?: number }[]): Made => {
    const made = graphOf(c, jit);
    made.graph.inputs.get('a')?.push(batchFor(c, rows));
    made.graph.inputs.get('a')?.finish();
    return made;
  };

  it('TUMBLE holds [start, end), before 1970 too', () => {
    expect(windows(run(tumble, [{ at: 0 }, { at: 9999 }, { at: 10_000 }, { at: 19_999 }, { at: 5 }, { at: -1 }, { at: -10_000 }, { at: -10_001 }]))).toEqual([
      [-20_000, 1, -10_000], [-10_000, 2, 0], [0, 3, 10_000], [10_000, 2, 20_000],
    ]);
  });

  it('a row is late exactly when end - 1 ms <= watermark', () => {
    const made = run(tumble, [{ at: 9999, wm: 9998 }, { at: 9999, wm: 9999 }, { at: 1, wm: 10_000 }, { at: 10_000, wm: 10_000 }]);
    expect(made.late).toEqual([1, 2]);
    expect(windows(made)).toEqual([[0, 1, 10_000], [10_000, 1, 20_000]]);
  });

  it('a window that the watermark of before has closed stays closed', () => {
    const made = graphOf(tumble, jit);
    const input = made.graph.inputs.get('a');
    input?.push(batchFor(tumble, [{ at: 1 }]));
    input?.watermark(9998);
    expect(made.out).toEqual([]);
    input?.watermark(9999);
    expect(windows(made)).toEqual([[0, 1, 10_000]]);
    input?.push(batchFor(tumble, [{ at: 2 }, { at: 10_000 }]));
    input?.finish();
    expect(made.late).toEqual([0]);
    expect(windows(made)).toEqual([[0, 1, 10_000], [10_000, 1, 20_000]]);
  });

  it('HOP puts a row into all windows that hold it and are open', () => {
    expect(windows(run(hop, [{ at: 12_000 }]))).toEqual([[0, 1, 15_000], [5000, 1, 20_000], [10_000, 1, 25_000]]);
    expect(windows(run(hop, [{ at: 14_999 }, { at: 15_000 }]))).toEqual([[0, 1, 15_000], [5000, 2, 20_000], [10_000, 2, 25_000], [15_000, 1, 30_000]]);
    expect(windows(run(hop, [{ at: 12_000, wm: 14_998 }]))).toHaveLength(3);
    const partly = run(hop, [{ at: 12_000, wm: 14_999 }]);
    expect([partly.late, windows(partly)]).toEqual([[], [[5000, 1, 20_000], [10_000, 1, 25_000]]]);
    expect(run(hop, [{ at: 12_000, wm: 24_998 }]).late).toEqual([]);
    expect(run(hop, [{ at: 12_000, wm: 24_999 }]).late).toEqual([0]);
  });
});
