import { expect, it } from 'vitest';
import { Scaling, type Load } from '../../src/engine/parallel/scaling.ts';

const at = (now: number, read: number, lag: number, keys = 10): Load => ({ now, read, lag, keys });

it('threads are worth beginning where one has ten seconds or more to do, once its rate is known', () => {
  // 1,000 records a ms
  const s = new Scaling(at(100, 500, 20_000_000));
  expect(s.out(at(3099, 2_999_500, 17_000_000))).toBe(false);
  expect(s.out(at(3100, 3_000_500, 10_000_000))).toBe(true);
  expect(s.out(at(3100, 3_000_500, 9_999_999))).toBe(false);
  // what takes a hundred times as long is worth it for a hundredth of the records
  expect(s.out(at(3100, 30_500, 100_000))).toBe(true);
});

it('what has nothing to do is left alone, and its rate is that of the last time when it had', () => {
  const s = new Scaling(at(0, 0, 0));
  expect(s.out(at(5000, 0, 0))).toBe(false);
  // an hour of a few records, then a backlog of 15 s at 1,000 records a ms
  expect(s.out(at(3_600_000, 400, 0))).toBe(false);
  expect([500, 1000, 1500, 2000, 2500].map(ms => s.out(at(3_600_000 + ms, 400 + 1000 * ms, 18_000_000 - 1000 * ms)))).toEqual(new Array(5).fill(false));
  expect(s.out(at(3_603_000, 3_000_400, 15_000_000))).toBe(true);
  // a source that gives nothing is not made faster by threads
  expect(new Scaling(at(0, 0, 7)).out(at(5000, 0, 7))).toBe(false);
});

it('a state of many keys stays where it is', () => {
  const s = new Scaling(at(0, 0, 1e9));
  expect([200_000, 200_001].map(keys => s.out(at(4000, 4_000_000, 1e9, keys)))).toEqual([true, false]);
});

it('they end where a fifth of a second is left, and that for two seconds', () => {
  const s = new Scaling(at(0, 0, 50_000_000));
  const looks = [[500, 0], [1000, 0], [3000, 600_000], [3500, 700_001], [4000, 0], [4500, 0], [5000, 2_000_000], [5500, 0], [6000, 0], [6500, 0], [7000, 0]] as const;
  expect(looks.map(([ms, lag]) => s.back(at(ms, 3000 * ms, lag)))).toEqual([...new Array<boolean>(10).fill(false), true]);
});
