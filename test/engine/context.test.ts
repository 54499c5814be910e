import { expect, it } from 'vitest';
import { memoryError, RunContext } from '../../src/engine/context.ts';
import { memoryState } from '../state/memory.ts';

const counts = { filtered: () => undefined, late: () => undefined, failed: () => undefined };

it('state in memory past settings.memory is an error that names the operator and its keys, where none of it may leave', () => {
  const context = new RunContext(memoryState(), counts, 1000, Infinity, () => 0);
  context.memory('sums', () => 3, 600);
  context.memory('counts', () => 4, 400);
  expect(() => context.memory('sums', () => 5, 1)).toThrow(expect.objectContaining({ code: 'system.resource.memory', message: expect.stringContaining('operator "sums" holds 5 keys') as string }));
  // fewer keys and the disk help nobody who has one group
  const hint = (keys: number): string | undefined => memoryError(1000, 'sums', keys).hint;
  expect([hint(1), hint(2)]).toEqual([expect.stringMatching(/^raise settings\.memory, or make that one group smaller: /), expect.stringMatching(/^raise settings\.memory, group by fewer keys/)]);
  // what is given back is welcome in any case
  context.memory('sums', () => 5, -1);
  expect([context.used, context.memoryOf('sums'), context.memoryOf('counts')]).toEqual([1000, 600, 400]);
});

it('where panes may leave memory, it is not', () => {
  const context = new RunContext(memoryState(), counts, 1000, Infinity, () => 0, null, 1, () => undefined);
  context.memory('sums', () => 3, 5000);
  expect(context.used).toBe(5000);
});
