import { describe, expect, it } from 'vitest';
import { PartitionDecoder } from '../../src/connectors/kafka/record-batch-decode.ts';
import { encodeBatch, NO_PRODUCER } from '../../src/connectors/kafka/record-batch-encode.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import { PartitionLog } from '../sim/broker-log.ts';

const write = (log: PartitionLog, producer: number | null, sequence: number, ...values: string[]): void => {
  const records = recordsFrom(values.map(value => ({ key: null, value })), 't', 0);
  expect(log.append(encodeBatch(records, 0, producer === null ? NO_PRODUCER : { producerId: BigInt(producer), epoch: 0, transactional: true }, producer === null ? null : sequence).batch)).toBe(0);
};

/** What a read_committed reader gets from `from` on: values with their offsets, and where it goes on. */
function read(log: PartitionLog, from: number): { readonly values: string[]; readonly next: number } {
  const batches = log.batches.filter(b => b.base + b.count > from && b.base < log.stable);
  const aborted = log.aborted.filter(a => a.last >= from).map(a => ({ producerId: a.producer, firstOffset: a.first }));
  const r = new PartitionDecoder('t', 0).decode(Buffer.concat(batches.map(b => b.bytes)), from, aborted);
  return { values: Array.from({ length: r.length }, (_, i) => `${r.offsets[i]} ${r.data.toString('utf8', r.valueStart[i], r.valueEnd[i])}`), next: r.next };
}

describe('transactions in what was fetched', () => {
  it('are given out where they were committed, also by a producer that has aborted before', () => {
    const log = new PartitionLog();
    write(log, null, 0, 'plain');
    write(log, 7, 0, 'no 1', 'no 2');
    log.mark(7n, 0, false);
    write(log, 7, 2, 'yes 1');
    log.mark(7n, 0, true);
    expect(read(log, 0)).toEqual({ values: ['0 plain', '4 yes 1'], next: 6 });
  });

  it('leave what the same producer had committed right before', () => {
    const log = new PartitionLog();
    write(log, 7, 0, 'yes');
    log.mark(7n, 0, true);
    write(log, 7, 1, 'last');
    log.mark(7n, 0, true);
    write(log, 7, 2, 'no');
    log.mark(7n, 0, false);
    expect(read(log, 0)).toEqual({ values: ['0 yes', '2 last'], next: 6 });
    // the marker of the one before stands between; without it the batch itself is next to what was aborted
    const bare = new PartitionLog();
    write(bare, 7, 0, 'kept');
    const [kept] = bare.batches;
    const r = new PartitionDecoder('t', 0).decode(kept?.bytes as Buffer, 0, [{ producerId: 7n, firstOffset: 1 }]);
    expect(r.length).toBe(1);
  });

  it('of several producers at once', () => {
    const log = new PartitionLog();
    write(log, 1, 0, 'a1');
    write(log, 2, 0, 'b1');
    write(log, 1, 1, 'a2');
    log.mark(2n, 0, false);
    write(log, 2, 1, 'b2');
    log.mark(1n, 0, true);
    log.mark(2n, 0, true);
    expect(read(log, 0)).toEqual({ values: ['0 a1', '2 a2', '4 b2'], next: 7 });
  });

  it('move the position on when all of them were aborted', () => {
    const log = new PartitionLog();
    write(log, 1, 0, 'a', 'b');
    log.mark(1n, 0, false);
    expect(read(log, 0)).toEqual({ values: [], next: 3 });
  });

  it('are read from the middle of a batch', () => {
    const log = new PartitionLog();
    write(log, null, 0, 'a', 'b', 'c');
    write(log, null, 0, 'd');
    expect(read(log, 1)).toEqual({ values: ['1 b', '2 c', '3 d'], next: 4 });
  });
});
