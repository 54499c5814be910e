import { expect, it } from 'vitest';
import { poison } from './poison.ts';
import { promiseLine, type Promised } from './promise.ts';

const seed = Number(process.env['PIPE_SEED'] ?? Date.now() % 1e9);

/** Promises with the rounds that the suite can afford; PIPE_ROUNDS multiplies them. */
const promises: readonly (readonly [Promised, number])[] = [[poison, 1]];

it.each(promises.map(([p, rounds]) => ({ ...p, rounds })))('$id $promise', async p => {
  const wrong: string[] = [];
  const figures = await p.run({ rounds: p.rounds * Number(process.env['PIPE_ROUNDS'] ?? 1), seed }, wrong);
  process.stderr.write(`${promiseLine(p.id, figures)} seed=${seed}\n`);
  expect(wrong).toEqual([]);
  expect(figures).toMatchObject(p.must);
}, 300_000);
