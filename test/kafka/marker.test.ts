import { describe, expect, it } from 'vitest';
import type { DeliveryOptions } from '../../src/connectors/connector.ts';
import { groupName, GroupMarks, markText, offsetsToCommit } from '../../src/connectors/kafka/marker.ts';
import { withBrokers } from '../sim/drive.ts';

const options = (more: Partial<DeliveryOptions> = {}): DeliveryOptions => ({ pipeline: 'p', idPrefix: '', stateId: 'mine', ownerId: 'me', exactlyOnce: true, takeOver: false, ...more });
const at = (metadata: string | null, offset = 3, partition = 0): { topic: string; partition: number; offset: number; metadata: string | null } => ({ topic: 'in', partition, offset, metadata });

describe('the marker of a group', () => {
  it('is the highest epoch of this state on any partition', () => {
    const marks = new GroupMarks([at(markText(4, options())), at(markText(6, options({ ownerId: 'before' })), 1, 1), at(markText(9, options()), -1, 2)], options());
    expect(marks.epoch).toBe(6);
    expect([...marks.owners]).toEqual(['me', 'before']);
    expect(marks.foreign).toBe(false);
    marks.check(6);
    expect(() => marks.check(5)).toThrow('it is an older copy');
  });

  it('of another state counts for nothing, and is refused unless that is taken over', () => {
    const offsets = [at(markText(9, options({ stateId: 'other' }))), at(markText(2, options()), 3, 1)];
    expect(new GroupMarks(offsets, options()).epoch).toBe(2);
    expect(new GroupMarks(offsets, options()).foreign).toBe(true);
    expect(() => new GroupMarks(offsets, options()).check(2)).toThrow('another state file');
    new GroupMarks(offsets, options({ takeOver: true })).check(2);
  });

  it.each([null, '', 'kcat', '{"e":"4","s":"mine","r":"me"}', '{"e":4}', '[]', '7'])('is not what others write: %s', metadata => {
    const marks = new GroupMarks([at(metadata)], options());
    expect([marks.epoch, marks.foreign, marks.owners.size]).toEqual([0, false, 0]);
  });

  it('stands under the name of the pipeline behind the prefix', () => {
    expect([groupName(options()), groupName(options({ idPrefix: 'team-' }))]).toEqual(['pipe-p', 'team-pipe-p']);
  });
});

describe('the first commit of a process', () => {
  it('also marks partitions that only the process before knew, where they still are', () => withBrokers(1, async ({ broker, cluster }) => {
    broker.create('in', 2);
    broker.create('old', 1);
    const current = new Map([['in', new Map([[0, 10]])], ['empty', new Map<number, number>()]]);
    const before = [{ topic: 'in', partition: 0, offset: 4, metadata: '' }, { topic: 'in', partition: 1, offset: 5, metadata: '' }, { topic: 'old', partition: 0, offset: 6, metadata: '' },
      { topic: 'old', partition: 3, offset: 7, metadata: '' }, { topic: 'gone', partition: 0, offset: 8, metadata: '' }];
    const all = await offsetsToCommit(cluster, current, before);
    expect(all.map(([topic, p]) => [topic, [...p]])).toEqual([['in', [[0, 10], [1, 5]]], ['old', [[0, 6]]]]);
  }));
});
