import { killAtRandom } from './kill.ts';
import type { Figures, Promised } from './promise.ts';
import { add } from './promise.ts';
import { shapeNames, type ShapeName } from './workload.ts';

export const p1: Promised = {
  id: 'P1',
  promise: 'kill -9 at any time on the embedded log: the output is that of a run without kills',
  needs: 'nothing',
  rounds: 6,
  zero: ['lost', 'dup', 'mismatch'],
  async run(o) {
    const shape = shapeNames[o.seed % shapeNames.length] as ShapeName;
    const half = Math.ceil(o.rounds / 2);
    const one = await killAtRandom({ ...o, rounds: half }, { brokers: null, shape });
    const two: Figures = o.rounds - half > 0 ? await killAtRandom({ ...o, rounds: o.rounds - half }, { brokers: null, shape, workers: 2 }) : {};
    return add(one, two);
  },
};
