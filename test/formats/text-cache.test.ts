import { expect, it } from 'vitest';
import { TextCache } from '../../src/formats/json/text-cache.ts';
import { fractions } from '../random.ts';

/** Texts of all lengths around the longest that is kept; many share a hash, and there are more of them than the largest cache holds. */
it('gives each text as it is, while it grows and when texts drive each other out', () => {
  const cache = new TextCache();
  const random = fractions(7);
  const wrong: string[] = [];
  for (let i = 0; i < 200_000; i++) {
    const n = Math.floor(random() * (i % 3 === 0 ? 50 : 40_000));
    const text = `${n % 2 === 0 ? 'é' : ''}${'x'.repeat(n % 27)}${n}`;
    const bytes = Buffer.from(`"${text}"`);
    const got = cache.get(bytes, 1, bytes.length - 1, n % 9000, n % 2 === 1);
    if (got !== text) wrong.push(`${text}: ${got}`);
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});
