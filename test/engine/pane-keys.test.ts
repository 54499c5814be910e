import { expect, it } from 'vitest';
import { Pane } from '../../src/engine/pane.ts';

it('tells keys of one hash apart, also one that begins like another', () => {
  const pane = new Pane(0, 10, [], false, false, () => undefined);
  const find = (key: string): number => pane.find(Buffer.from(key), 0, key.length, 5);
  expect(['ab', 'xy', 'abc', 'a', '', 'ab', 'abc', 'a', ''].map(find)).toEqual([0, 1, 2, 3, 4, 0, 2, 3, 4]);
});
