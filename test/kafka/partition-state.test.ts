import { describe, expect, it } from 'vitest';
import { PartitionState } from '../../src/connectors/kafka/partition-state.ts';
import type { FetchedPartition } from '../../src/connectors/kafka/protocol-fetch.ts';

const empty = (lastStable: number, highWatermark = lastStable): FetchedPartition => ({ partition: 0, error: 0, highWatermark, lastStable, begin: 0, aborted: [], records: null, release: () => undefined });

describe('a partition is idle', () => {
  it('from the first answer that had nothing and stood at the end', () => {
    const p = new PartitionState('t', 0, 5, 5);
    expect(p.idleSince(0)).toBeNull();
    p.answered(empty(5), 100);
    p.answered(empty(5), 600);
    expect(p.idleSince(700)).toBe(100);
  });

  it('not with a backlog', () => {
    const p = new PartitionState('t', 0, 5, 9);
    p.answered(empty(9), 100);
    expect(p.idleSince(100)).toBeNull();
  });

  it('not while a transaction is open', () => {
    const p = new PartitionState('t', 0, 5, 5);
    p.answered(empty(5, 7), 100);
    expect(p.idleSince(100)).toBeNull();
  });

  it('not when answers stay away, and from the first one after that anew', () => {
    const p = new PartitionState('t', 0, 5, 5);
    p.answered(empty(5), 100);
    expect(p.idleSince(2100)).toBe(100);
    expect(p.idleSince(2101)).toBeNull();
    p.answered(empty(5), 9000);
    expect(p.idleSince(9000)).toBe(9000);
  });

  it('not when it was left out', () => {
    const p = new PartitionState('t', 0, 5, 5);
    p.answered(empty(5), 100);
    p.disturbed();
    expect(p.idleSince(150)).toBeNull();
    p.answered(empty(5), 200);
    expect(p.idleSince(200)).toBe(200);
  });
});
