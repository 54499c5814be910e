import { describe, expect, it } from 'vitest';
import type { SourceOptions } from '../../src/connectors/connector.ts';
import type { TopicMetadata } from '../../src/connectors/kafka/protocol-cluster.ts';
import { lost, startPositions } from '../../src/connectors/kafka/positions.ts';
import { encodeBatch, NO_PRODUCER } from '../../src/connectors/kafka/record-batch-encode.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import { withBrokers } from '../sim/drive.ts';

const options = (more: Partial<SourceOptions>): SourceOptions => ({ topic: 'in', topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop', ...more });

/** Where partitions 0 (4 records) and 1 (none) of a topic begin. */
const starts = (o: Partial<SourceOptions>, said: string[] = []): Promise<number[]> => withBrokers(1, async ({ broker, cluster }) => {
  broker.create('in', 2);
  broker.partition('in', 0)?.append(encodeBatch(recordsFrom(['a', 'b', 'c', 'd'].map(value => ({ key: null, value })), 'in', 0), 0, NO_PRODUCER, null).batch);
  const found = await startPositions(cluster, await cluster.topic('in') as TopicMetadata, options(o), { warn: m => { said.push(m); }, info: () => undefined });
  return found.map(s => s.position);
});

describe('a source begins', () => {
  it('at the beginning or at the end of a topic that it has never read', async () => {
    expect(await starts({ from: 'earliest' })).toEqual([0, 0]);
    expect(await starts({ from: 'latest' })).toEqual([4, 0]);
  });

  it('where it stopped; at the first offset of partitions that it has not seen', async () => {
    expect(await starts({ positions: new Map([[0, 3]]) })).toEqual([3, 0]);
    expect(await starts({ positions: new Map([[1, 0]]), from: 'latest' })).toEqual([0, 0]);
    expect(await starts({ positions: new Map([[0, 4], [1, 0]]) })).toEqual([4, 0]);
    expect(await starts({ positions: new Map([[0, 0], [1, 0]]) })).toEqual([0, 0]);
  });

  it('at the end of a topic that has no record of that time or later', async () => {
    expect(await starts({ from: Date.UTC(2030, 0, 1) })).toEqual([4, 0]);
  });

  it('not silently behind records that are gone, or before records that were read', async () => {
    await expect(starts({ positions: new Map([[0, 5]]) })).rejects.toMatchObject({ code: 'system.source.offset_lost' });
    const said: string[] = [];
    expect(await starts({ positions: new Map([[0, 5]]), onDataLoss: 'earliest' }, said)).toEqual([0, 0]);
    expect(said).toEqual(['the saved offset 5 of in/0 is beyond its end 4: records that were read once are gone; going on at offset 0 (on_data_loss: earliest)']);
    expect(() => lost(options({}), 0, 3, 7, { warn: () => undefined, info: () => undefined })).toThrow('4 records of in/0 were deleted by retention before they were read (offsets 3 to 6)');
    expect(lost(options({ onDataLoss: 'earliest' }), 0, 3, 7, { warn: () => undefined, info: () => undefined })).toBe(7);
  });
});
