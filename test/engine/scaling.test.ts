import { expect, it } from 'vitest';
import { Scaling, type Load } from '../../src/engine/parallel/scaling.ts';

const at = (now: number, read: number, lag: number, keys = 10): Load => ({ now, read, lag, keys });

/** What it says of each look behind the first. */
const said = (of: 'out' | 'back', [began, ...looks]: readonly Load[]): boolean[] => {
  const s = new Scaling(began as Load);
  return looks.map(l => s[of](l));
};

it('threads are worth beginning where one has ten seconds or more to do, once its rate is known', () => {
  // 1,000 records a ms
  const begin = [at(100, 500, 20_000_000), at(3099, 2_999_500, 17_000_000)];
  expect(said('out', [...begin, at(3100, 3_000_500, 10_000_000)])).toEqual([false, true]);
  expect(said('out', [...begin, at(3100, 3_000_500, 9_999_999)])).toEqual([false, false]);
  // what takes a hundred times as long is worth it for a hundredth of the records
  expect(said('out', [at(100, 500, 200_000), at(3099, 30_490, 170_000), at(3100, 30_500, 100_000)])).toEqual([false, true]);
});

it('what has nothing to do is left alone, and its rate is that of the last time when it had', () => {
  // an hour of a few records, then a backlog of 15 s at 1,000 records a ms
  const burst = [500, 1000, 1500, 2000, 2500, 3000].map(ms => at(3_600_000 + ms, 400 + 1000 * ms, 18_000_000 - 1000 * ms));
  expect(said('out', [at(0, 0, 0), at(5000, 0, 0), at(3_600_000, 400, 0), ...burst])).toEqual([false, false, false, false, false, false, false, true]);
  // a source that gives nothing is not made faster by threads
  expect(said('out', [at(0, 0, 7), at(5000, 0, 7)])).toEqual([false]);
});

it('nor is one that has stopped giving, however low its rate becomes', () => {
  // three seconds are left when the broker goes away
  const stall = Array.from({ length: 40 }, (_, i) => at(500 * (i + 1), 1000 * Math.min(4000, 500 * (i + 1)), 7_000_000 - 1000 * Math.min(4000, 500 * (i + 1))));
  expect(said('out', [at(0, 0, 7_000_000), ...stall])).toEqual(stall.map(() => false));
});

it('a state of many keys stays where it is', () => {
  expect([200_000, 200_001].map(keys => said('out', [at(0, 0, 1e9), at(4000, 4_000_000, 1e9, keys)])[0])).toEqual([true, false]);
});

it('threads end where a fifth of a second is left, and that for four looks', () => {
  const looks = [[500, 0], [1000, 0], [3000, 600_000], [3500, 700_001], [4000, 0], [4500, 0], [5000, 2_000_000], [5500, 0], [6000, 0], [6500, 0], [7000, 0]] as const;
  expect(said('back', [at(0, 0, 50_000_000), ...looks.map(([ms, lag]) => at(ms, 3000 * ms, lag))])).toEqual([...new Array<boolean>(10).fill(false), true]);
  // no record comes any more
  expect(said('back', [at(0, 0, 5_000_000), ...Array.from({ length: 12 }, (_, i) => at(500 * (i + 1), 5_000_000, 0))])).toContain(true);
});
