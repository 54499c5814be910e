import { describe, expect, it } from 'vitest';
import { Cluster } from '../../src/connectors/kafka/cluster.ts';
import { readResponse, type Dial, type Request } from '../../src/connectors/kafka/client.ts';
import { errors } from '../../src/connectors/kafka/kafka-error.ts';
import { BatchWriter } from '../../src/connectors/kafka/producer.ts';
import { encodeBatch, nextSequence } from '../../src/connectors/kafka/record-batch-encode.ts';
import { ResponseMemory } from '../../src/connectors/kafka/response-memory.ts';
import { clientSettings } from '../../src/connectors/kafka/settings.ts';
import { WireReader, WireWriter } from '../../src/connectors/kafka/wire.ts';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { OutBlock } from '../../src/state/store.ts';
import { recordsOf } from '../sim/broker-log.ts';
import { type Place, withBrokers } from '../sim/drive.ts';

const block = (partition: number, values: readonly string[]): OutBlock => {
  const b = new BlockBuilder();
  for (const v of values) b.add(null, Buffer.from(v), [], 1);
  return { topic: 'out', partition, rows: values.length, data: b.finish() };
};
const once = (round: () => Promise<void>): Promise<void> => round();
const producer = (epoch: number) => ({ producerId: 5n, epoch, transactional: false });
const values = (p: Place, partition: number): string[] => (p.broker.partition('out', partition)?.batches ?? []).flatMap(b => recordsOf(b).map(r => r.value));

const withWriter = (work: (w: BatchWriter, p: Place) => Promise<void>): Promise<void> => withBrokers(2, async p => {
  p.broker.create('out', 2);
  const w = new BatchWriter(p.cluster, p.cluster.lane());
  w.begin(producer(0), null);
  await work(w, p);
});

describe('batches go out in order', () => {
  it('of several blocks for one partition, one behind the other', () => withWriter(async (w, p) => {
    await w.write([block(0, ['a', 'b']), block(1, ['x']), block(0, ['c']), block(0, ['d'])], once);
    await w.write([block(0, ['e'])], once);
    expect([values(p, 0), values(p, 1)]).toEqual([['a', 'b', 'c', 'd', 'e'], ['x']]);
    expect(p.broker.partition('out', 0)?.batches.map(b => b.bytes.readInt32BE(53))).toEqual([0, 2, 3, 4]);
    expect(p.broker.partition('out', 0)?.batches.map(b => b.bytes.readInt32BE(23))).toEqual([1, 0, 0, 0]);
  }));

  it('of a block that is larger than a batch, in parts', () => withWriter(async (w, p) => {
    const large = Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(50_000, '.'));
    await w.write([block(0, large), block(0, ['last'])], once);
    expect(values(p, 0)).toEqual([...large, 'last']);
    expect(p.broker.partition('out', 0)?.batches.length).toBe(3);
  }));

  it('of a new producer from sequence 0, encoded anew', () => withWriter(async (w, p) => {
    await w.write([block(0, ['a', 'b'])], once);
    w.begin(producer(1), null);
    await w.write([block(0, ['c'])], once);
    expect(p.broker.partition('out', 0)?.batches.map(b => [b.bytes.readInt16BE(51), b.bytes.readInt32BE(53)])).toEqual([[0, 0], [1, 0]]);
  }));

  it('with the same bytes when they are sent again', () => withWriter(async (w, p) => {
    let tries = 0;
    await w.write([block(0, ['a', 'b'])], async round => {
      await round();
      // its answer is lost
      if (tries++ === 0) await w.write([block(1, ['x'])], once);
    });
    expect(values(p, 0)).toEqual(['a', 'b']);
  }));
});

/** A broker that answers each batch with the next of `codes`. */
async function answered(codes: readonly number[], more: (w: BatchWriter) => Promise<unknown>, note: (batch: Buffer) => void = () => undefined): Promise<number[]> {
  const sent: number[] = [];
  const left = [...codes];
  const answer = (request: Request<unknown>): Buffer => {
    const w = new WireWriter();
    if (request.name === 'Metadata') {
      w.tags().int32(0).compactArray([1], id => w.int32(id).compactString('x').int32(1).compactString(null).tags()).compactString('c').int32(1);
      w.compactArray(['out'], name => w.int16(0).compactString(name).uuid('0'.repeat(32)).bool(false).compactArray([0, 1], q => w.int16(0).int32(q).int32(1).int32(0)
        .compactArray([], () => undefined).compactArray([], () => undefined).compactArray([], () => undefined).tags()).int32(0).tags());
      return w.tags().finish();
    }
    const r = new WireReader(Buffer.concat(request.body as Buffer[]));
    r.nullableString(); r.int16(); r.int32();
    const topics = r.array(() => ({ topic: r.string(), list: r.array(() => ({ partition: r.int32(), batch: r.bytes() as Buffer })) }));
    for (const t of topics) for (const { batch } of t.list) { sent.push(batch.readInt32BE(57)); note(Buffer.from(batch)); }
    return w.array(topics, t => w.string(t.topic).array(t.list, q => w.int32(q.partition).int16(left.shift() ?? 0).int64(0).int64(-1).int64(0))).int32(0).finish();
  };
  const versions = new Map(Array.from({ length: 40 }, (_, key) => [key, [0, 20] as const] as const));
  const dial: Dial = () => Promise.resolve({ address: 'x:1', connected: true, able: { versions, features: new Map() }, close: () => undefined, send: request => Promise.resolve(readResponse(request, answer(request), new ResponseMemory())) });
  const cluster = new Cluster(['x:1'], clientSettings(null), dial);
  await cluster.bootstrap();
  const w = new BatchWriter(cluster, cluster.lane());
  w.begin(producer(0), null);
  await more(w);
  cluster.close();
  return sent;
}

describe('answers of a broker', () => {
  it('that it has a batch already are well', async () => {
    expect(await answered([errors.DUPLICATE_SEQUENCE_NUMBER], w => w.write([block(0, ['a', 'b'])], once))).toEqual([2]);
  });

  it('that it refuses one partition end the round, and the others are not sent again', async () => {
    const tries: string[] = [];
    const sent = await answered([0, errors.NOT_LEADER_OR_FOLLOWER, 0], w => w.write([block(0, ['a', 'b']), block(1, ['x'])], async round => {
      for (;;) try { await round(); return; } catch (error) { tries.push((error as Error).message); }
    }));
    expect(tries).toEqual(['write to out/1: NOT_LEADER_OR_FOLLOWER']);
    expect(sent).toEqual([2, 1, 1]);
  });

  it('that come for a producer of before are not those of its batch for the next one', async () => {
    const sent: number[] = [];
    await answered([errors.NOT_LEADER_OR_FOLLOWER], w => w.write([block(0, ['a'])], async round => {
      await round().catch(() => undefined);
      w.begin(producer(1), null);
      await round();
    }), batch => { sent.push(batch.readInt16BE(51)); });
    expect(sent).toEqual([0, 1]);
  });

  it('that a batch is too large make smaller ones, and name a record that is too large alone', async () => {
    const rows = Array.from({ length: 4 }, (_, i) => `${i}`.padEnd(1000, '.'));
    expect(await answered([errors.MESSAGE_TOO_LARGE], w => w.write([block(0, rows)], once))).toEqual([4, 1, 1, 1, 1]);
    await expect(answered([errors.MESSAGE_TOO_LARGE], w => w.write([block(0, ['x'])], once))).rejects.toMatchObject({ code: 'system.sink.too_large' });
  });
});

describe('a record batch', () => {
  const records = recordsFrom([{ key: null, value: 'a' }, { key: null, value: 'b' }], 'out', 0);

  it('says which offsets it has, and that it is of a transaction', () => {
    const { batch } = encodeBatch(records, 0, { producerId: 5n, epoch: 2, transactional: true }, 7);
    expect([batch.readInt32BE(23), batch.readInt16BE(21) & 16, batch.readInt32BE(53), batch.readInt32BE(57)]).toEqual([1, 16, 7, 2]);
    expect(encodeBatch(records, 0, producer(0), 7).batch.readInt16BE(21)).toBe(0);
  });

  it('has sequences that go from 2^31 - 1 on to 0', () => {
    expect([nextSequence(0, 5), nextSequence(0x7fffffff - 5, 5), nextSequence(0x7fffffff - 4, 5), nextSequence(0x7fffffff, 1)]).toEqual([5, 0x7fffffff, 0, 0]);
  });
});
