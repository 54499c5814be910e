import { afterAll, expect, it } from 'vitest';
import { accounted } from './accounted.ts';
import { clockJumps, inOrder, lateness, sameRows, silence, wrongClocks } from './event-time.ts';
import { poison } from './poison.ts';
import { promiseLine, type Promised } from './promise.ts';

// worker threads run what lies in dist/, which is built before this file runs

const seed = Number(process.env['PIPE_SEED'] ?? Date.now() % 1e9);

/** Promises with the rounds that the suite can afford; PIPE_ROUNDS multiplies them. */
const promises: readonly (readonly [Promised, number])[] = [[poison, 1], [accounted, 40], [inOrder, 300], [lateness, 40], [clockJumps, 50], [wrongClocks, 2], [silence, 10], [sameRows, 40]];

/** Node speaks of leaks here. */
const warnings: string[] = [];
const note = (w: Error): void => { warnings.push(String(w)); };
process.on('warning', note);
afterAll(() => { process.off('warning', note); });

it.each(promises.map(([p, rounds]) => ({ ...p, rounds })))('$id: $promise', async p => {
  const wrong: string[] = [];
  const figures = await p.run({ rounds: Math.ceil(p.rounds * Number(process.env['PIPE_ROUNDS'] ?? 1)), seed }, wrong);
  process.stderr.write(`${promiseLine(p.id, figures)} seed=${seed}\n`);
  expect(wrong).toEqual([]);
  expect(figures).toMatchObject(p.must);
  expect(warnings).toEqual([]);
}, 300_000);
