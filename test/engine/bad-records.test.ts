import { describe, expect, it } from 'vitest';
import { BadShare } from '../../src/engine/bad-records.ts';

/** What stops a run of so many records, the first of which are bad. */
function stopped(limit: number, bad: number, read: number): string {
  const share = new BadShare('p', limit, () => undefined);
  for (let i = 0; i < bad; i++) share.add('user.data.decode', 'not JSON', false);
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

  it('says of those that are skipped that nobody keeps them', () => {
    const lines: string[] = [];
    for (const kept of [0, 1]) {
      const share = new BadShare('p', null, line => lines.push(line));
      for (let i = 0; i < 100; i++) share.add('user.data.decode', 'not JSON', i >= kept);
      share.check(1000);
    }
    expect(lines).toEqual([
      'p: 100 of 1000 records are bad (10 %) and skipped: counted, not kept. First causes: 100 x user.data.decode: not JSON',
      'p: 100 of 1000 records are bad (10 %); 99 of them skipped: counted, not kept. First causes: 100 x user.data.decode: not JSON',
    ]);
  });

  it('warns once past 5 %', () => {
    const lines: string[] = [];
    const share = new BadShare('p', null, line => lines.push(line));
    for (let i = 0; i < 333; i++) share.add('user.data.decode', 'not JSON', false);
    share.check(1000);
    share.check(1000);
    expect(lines).toEqual(['p: 333 of 1000 records are bad (33.3 %). First causes: 333 x user.data.decode: not JSON']);
  });
});
