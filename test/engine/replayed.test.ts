import { describe, expect, it } from 'vitest';
import { recordsFrom } from '../../src/engine/block.ts';
import { replayHeader, withoutCopies } from '../../src/engine/replayed.ts';

const batch = recordsFrom([
  { key: null, value: 'original' }, { key: 'k', value: 'copy of 0/3', headers: [{ key: 'x', value: null }, replayHeader('p', 't', 0, 3)] },
  { key: null, value: 'of another pipeline', headers: [replayHeader('pp', 't', 0, 3)] }, { key: null, value: 'of another topic', headers: [replayHeader('p', 'tt', 0, 3)] },
  { key: null, value: 'forged', headers: [{ key: 'pipe.replay', value: Buffer.from('p t/0/x') }] }, { key: null, value: null, headers: [replayHeader('p', 't', 1, 0)] }, { key: 'z', value: 'last', timestamp: 7 },
], 't', 0);
const values = (begins: readonly (readonly [number, number])[]): (string | null)[] => {
  const b = withoutCopies(batch, 'p', new Map(begins));
  return Array.from({ length: b.length }, (_, i) => ((b.valueStart[i] as number) < 0 ? null : b.data.toString('utf8', b.valueStart[i], b.valueEnd[i])));
};
const OTHERS = ['of another pipeline', 'of another topic', 'forged'];

describe('copies of dead letters', () => {
  it('are left out where their originals are read', () => {
    expect(values([[0, 3], [1, 0]])).toEqual(['original', ...OTHERS, 'last']);
    expect(values([[0, 0]])).toEqual(['original', ...OTHERS, null, 'last']);
  });

  it('stay where their originals lie before the beginning', () => {
    expect(values([[0, 4], [1, 1]])).toHaveLength(7);
    expect(withoutCopies(batch, 'p', new Map())).toBe(batch);
  });

  it('leave the others as they are, with their offsets and headers', () => {
    const b = withoutCopies(batch, 'p', new Map([[0, 0], [1, 0]]));
    expect([b.next, [...b.offsets], b.timestamps.at(-1), b.headers(1).map(h => String(h.value))]).toEqual([batch.next, [0, 2, 3, 4, 6], 7, ['pp t/0/3']]);
    expect(b.data.toString('utf8', b.keyStart.at(-1), b.keyEnd.at(-1))).toBe('z');
  });
});
