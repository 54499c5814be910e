import { expect, it } from 'vitest';
import { GENERATED } from '../no-codegen.ts';
import { ofTests } from '../torture/of-tests.ts';

/** What operators, functions, formats and SQL give. All of the suite: PIPE_TEST_NO_CODEGEN=1 npm test. */
const interpreted = ofTests('interpreted', 'a Node that makes no code from text gives the same', [
  'functions/examples', 'functions/operators', 'functions/sums', 'functions/windows', 'formats/json-decode', 'formats/json-encode-batch', 'formats/json-encode', 'formats/poison',
  'engine/close', 'engine/close-order', 'engine/loop', 'engine/runtime', 'engine/stage', 'cases/cases', 'cases/restart',
], { PIPE_TEST_NO_CODEGEN: '1' });

it.runIf(GENERATED)('tests that run the engine pass in a Node that makes no code from text', async () => {
  const said: string[] = [];
  const { tests, failed } = await interpreted.run({ rounds: 1, seed: 0, brokers: null, say: line => said.push(line) }) as { tests: number; failed: number };
  expect([failed, said]).toEqual([0, []]);
  expect(tests).toBeGreaterThan(500);
}, 600_000);
