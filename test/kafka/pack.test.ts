import { expect, it } from 'vitest';
import { packBatches } from '../../src/connectors/kafka/pack.ts';
import { PartitionDecoder } from '../../src/connectors/kafka/record-batch-decode.ts';
import { encodeBatch, NO_PRODUCER } from '../../src/connectors/kafka/record-batch-encode.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { whole } from '../random.ts';
import { PartitionLog } from '../sim/broker-log.ts';

/** Records of four producers, committed, aborted and plain, in batches of any size. */
function randomLog(pick: ReturnType<typeof whole>): PartitionLog {
  const log = new PartitionLog();
  const sequences = new Map<number, number>();
  for (let n = 5 + pick(40); n > 0; n--) {
    const producer = pick(4);
    const count = 1 + pick(pick(5) === 0 ? 900 : 4);
    const records = recordsFrom(Array.from({ length: count }, (_, i) => ({ key: i % 3 === 0 ? null : `k${i}`, value: pick(9) === 0 ? null : `${'v'.repeat(pick(300))}${n}`, timestamp: pick(1e6) })), 't', 0);
    const sequence = sequences.get(producer) ?? 0;
    const { batch } = encodeBatch(records, 0, producer === 0 ? NO_PRODUCER : { producerId: BigInt(producer), epoch: 0, transactional: true }, producer === 0 ? null : sequence);
    expect(log.append(batch)).toBe(0);
    sequences.set(producer, sequence + count);
    if (producer > 0 && pick(3) === 0) log.mark(BigInt(producer), 0, pick(2) === 0);
  }
  for (const producer of [1, 2, 3]) if ((sequences.get(producer) ?? 0) > 0) log.mark(BigInt(producer), 0, pick(2) === 0);
  return log;
}

/** What a broker answers from `from` on. */
function fetch(log: PartitionLog, from: number): { readonly bytes: Buffer; readonly aborted: { readonly producerId: bigint; readonly firstOffset: number }[] } {
  const batches = log.batches.filter(b => b.base + b.count > from);
  return { bytes: Buffer.concat(batches.map(b => b.bytes)), aborted: log.aborted.filter(a => a.last >= from).map(a => ({ producerId: a.producer, firstOffset: a.first })) };
}

const rows = (r: RecordBatch): unknown[] => Array.from({ length: r.length }, (_, i) => [
  r.offsets[i], r.timestamps[i], r.keyStart[i] === -1 ? null : r.data.toString('latin1', r.keyStart[i], r.keyEnd[i]), r.valueStart[i] === -1 ? null : r.data.toString('latin1', r.valueStart[i], r.valueEnd[i]),
]);

it('what was fetched is the same whether it is opened at once or left packed, from every place and wherever it is cut', () => {
  const pick = whole(20_261_126);
  let packed = 0;
  for (let round = 0; round < 60; round++) {
    const log = randomLog(pick);
    for (let k = 0; k < 6; k++) {
      const from = pick(log.end + 1);
      const { bytes, aborted } = fetch(log, from);
      const cut = bytes.subarray(0, pick(3) === 0 ? pick(bytes.length + 1) : bytes.length);
      const open = new PartitionDecoder('t', 0).decode(cut, from, aborted);
      const expected = { rows: rows(open), next: open.next };
      const list = packBatches(cut, 't', 0, from, aborted, new PartitionDecoder('t', 0));
      let at = from;
      for (const b of list) {
        if (b.packed !== undefined) packed++;
        // what is said of it before it is opened holds: a position behind it does not leave out records of the next
        expect(rows(b)).toHaveLength(b.length);
        for (let i = 0; i < b.length; i++) { expect(b.offsets[i]).toBeGreaterThanOrEqual(at); at = (b.offsets[i] as number) + 1; }
        expect(b.next).toBeGreaterThanOrEqual(at);
        at = b.next;
      }
      expect({ rows: list.flatMap(rows), next: list.at(-1)?.next }, `round ${round}, from ${from}`).toEqual(expected);
    }
  }
  expect(packed).toBeGreaterThan(300);
});

it('a batch that says it is empty is looked at: it may be damaged', () => {
  const { batch } = encodeBatch(recordsFrom([{ key: null, value: 'only' }], 't', 0), 0, NO_PRODUCER, null);
  const torn = Buffer.from(batch);
  torn.writeInt32BE(0, 57);
  expect(() => packBatches(torn, 't', 0, 0, [], new PartitionDecoder('t', 0))).toThrow(/its checksum is wrong/);
});

it('a flipped bit is found, whether its batch is given out, left out or a marker', () => {
  const pick = whole(7);
  for (let round = 0; round < 12; round++) {
    const log = randomLog(pick);
    const { bytes, aborted } = fetch(log, 0);
    for (const b of log.batches) {
      // producer id, attributes, last offset, a byte of the records: all that the checksum covers
      const at = log.batches.slice(0, log.batches.indexOf(b)).reduce((n, x) => n + x.bytes.length, 0);
      for (const place of [at + 21 + pick(2), at + 23 + pick(4), at + 43 + pick(8), at + 61 + pick(b.bytes.length - 61)]) {
        const torn = Buffer.from(bytes);
        torn[place] = (torn[place] as number) ^ (1 << pick(8));
        expect(() => packBatches(torn, 't', 0, 0, aborted, new PartitionDecoder('t', 0)).forEach(rows), `byte ${place - at} of a batch`).toThrow(/is damaged/);
      }
    }
  }
});
