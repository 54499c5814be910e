import { describe, expect, it } from 'vitest';
import { BadShare } from '../../src/engine/bad-records.ts';

/** What stops a run of so many records, the first of which are bad. */
function stopped(limit: number, bad: number, read: number): string {
  const share = new BadShare('p', limit, () => undefined);
  for (let i = 0; i < bad; i++) share.add('user.data.decode', 'not JSON');
  try {
    share.check(read);
    return 'no';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the share of bad records', () => {
  it('stops past max_bad, with as many digits as it takes', () => {
    expect(stopped(0.05, 100, 1000)).toBe('p: 100 of 1000 records are bad (10 %), more than settings.max_bad (5 %)');
    expect(stopped(0.00001, 1, 8192)).toBe('p: 1 of 8192 records are bad (0.012 %), more than settings.max_bad (0.001 %)');
    expect(stopped(0.05, 50_001, 1_000_000)).toBe('p: 50001 of 1000000 records are bad (5.0001 %), more than settings.max_bad (5 %)');
    expect(stopped(0, 1, 1000)).toBe('p: 1 of 1000 records are bad (0.1 %), more than settings.max_bad (0 %)');
    expect(stopped(0.015, 20, 1000)).toBe('p: 20 of 1000 records are bad (2 %), more than settings.max_bad (1.5 %)');
    expect(stopped(0.05, 50, 1000)).toBe('no');
    // too few to judge by
    expect(stopped(0.05, 999, 999)).toBe('no');
  });

  it('warns once past 5 %', () => {
    const lines: string[] = [];
    const share = new BadShare('p', null, line => lines.push(line));
    for (let i = 0; i < 333; i++) share.add('user.data.decode', 'not JSON');
    share.check(1000);
    share.check(1000);
    expect(lines).toEqual(['p: 333 of 1000 records are bad (33.3 %). First causes: 333 x user.data.decode: not JSON']);
  });
});
