import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mutants } from './list.ts';

const root = join(import.meta.dirname, '../..');

it('fits the code: what each mutant changes stands once in its file, and the tests that notice are there', () => {
  const lost = mutants.filter(m => !existsSync(join(root, m.file)) || readFileSync(join(root, m.file), 'utf8').split(m.find).length !== 2).map(m => `${m.name}: ${m.find}`);
  expect(lost).toEqual([]);
  expect(mutants.filter(m => m.find === m.replace).map(m => m.name)).toEqual([]);
  expect([...new Set(mutants.flatMap(m => m.killedBy))].filter(t => !existsSync(join(root, t)))).toEqual([]);
  const places = mutants.map(m => `${m.file} ${m.name}`);
  expect(places.filter((p, i) => places.indexOf(p) !== i)).toEqual([]);
});
