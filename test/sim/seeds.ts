import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Seeds that once broke a promise, one a line with what it was: they are run each time. */
export const seedsThatFailed = (): number[] =>
  readFileSync(join(import.meta.dirname, 'seeds.txt'), 'utf8').split('\n').map(l => l.split('#')[0]?.trim() ?? '').filter(l => l !== '').map(Number);
