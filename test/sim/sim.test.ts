import { expect, it } from 'vitest';
import { seedsThatFailed } from './seeds.ts';
import { simulate } from './simulate.ts';
import { virtually } from './world.ts';

/** Some, for those who change the simulation; torture/torture runs 10,000 others. */
const count = Number(process.env['PIPE_SIM_SEEDS'] ?? 200);
const from = Number(process.env['PIPE_SIM_FROM'] ?? 1);
const replay = (seed: number): string => `replay: npm run sim -- --seed ${seed}`;

it(`keeps its promises under ${count} seeds of faults, and under those that once broke one`, { timeout: 1_800_000 }, () => virtually(async () => {
  for (const seed of [...seedsThatFailed(), ...Array.from({ length: count }, (_, i) => from + i)]) {
    const { problem } = await simulate(seed);
    expect(problem, replay(seed)).toBeNull();
  }
}));

it('does the same again for the same seed', () => virtually(async () => {
  for (const seed of [7, 19, 101, 202]) expect(await simulate(seed), replay(seed)).toEqual(await simulate(seed));
}));
