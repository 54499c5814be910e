import { expect, it } from 'vitest';
import { readResponse } from '../../src/connectors/kafka/client.ts';
import { offsetFetchRequest, readFirstError } from '../../src/connectors/kafka/protocol-cluster.ts';
import { txnOffsetCommitRequest2 } from '../../src/connectors/kafka/protocol-transactions-2.ts';
import { ResponseMemory } from '../../src/connectors/kafka/response-memory.ts';
import { WireReader, WireWriter } from '../../src/connectors/kafka/wire.ts';

it('errors of several partitions are read to the end, and the first is given', () => {
  const w = new WireWriter();
  w.int32(0).array(['a', 'b'], topic => w.string(topic).array([0, 1, 2], p => w.int32(p).int16(p === 0 ? 0 : 50 + p)));
  const bytes = w.finish();
  const r = new WireReader(bytes);
  expect([readFirstError(r), r.pos]).toEqual([51, bytes.length]);
});

it('offsets that are pending in several partitions are an error, not a response that is cut short', () => {
  const w = new WireWriter();
  w.tags().int32(0).compactArray(['in'], topic => w.compactString(topic).compactArray([0, 1, 2], p => w.int32(p).int64(-1).int32(-1).compactString('').int16(88).tags()).tags());
  w.int16(0).tags();
  const bytes = w.finish();
  const { error, offsets } = readResponse(offsetFetchRequest('g', true), bytes, new ResponseMemory());
  expect([error, offsets.map(o => o.partition)]).toEqual([88, [0, 1, 2]]);
});

it('refused offsets of several partitions of a transaction are read to the end, and the first error is given', () => {
  const w = new WireWriter();
  w.tags().int32(0).compactArray(['in'], topic => w.compactString(topic).compactArray([0, 1, 2], p => w.int32(p).int16(51).tags()).tags()).tags();
  const request = txnOffsetCommitRequest2({ transactionalId: 't', producerId: 1n, epoch: 0 }, 'g', [['in', new Map([[0, 1]])]], '');
  expect(readResponse(request, w.finish(), new ResponseMemory())).toBe(51);
});
