import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBlock, recordsFrom, type PlainRecord } from '../../src/engine/block.ts';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { loadCodecs } from '../../src/connectors/kafka/codecs/index.ts';
import { crc32c } from '../../src/connectors/kafka/crc32c.ts';
import { FOLD, FOLD_A, FOLD_B } from '../../src/connectors/kafka/crc32c-code.ts';
import { codecIds, offsetAfter } from '../../src/connectors/kafka/record-batch.ts';
import { PartitionDecoder } from '../../src/connectors/kafka/record-batch-decode.ts';
import { batchOfBlock, encodeBatch, nextSequence, NO_PRODUCER, type BatchProducer } from '../../src/connectors/kafka/record-batch-encode.ts';
import { whole } from '../random.ts';
import { changed, compressed } from './batch-bytes.ts';

/** The batch with another base offset, as a broker stores it. */
function at(offset: number, batch: Buffer): Buffer {
  const b = Buffer.from(batch);
  b.writeBigInt64BE(BigInt(offset), 0);
  return b;
}

const encode = (records: readonly PlainRecord[], p: BatchProducer = NO_PRODUCER): Buffer => encodeBatch(recordsFrom(records), 0, p, null).batch;
const decode = (bytes: Buffer, from = 0): RecordBatch => new PartitionDecoder('t', 3).decode(bytes, from, []);
const range = (b: RecordBatch, start: Int32Array, end: Int32Array, i: number): string | null => ((start[i] as number) < 0 ? null : b.data.toString('latin1', start[i], end[i]));
const plain = (b: RecordBatch): unknown[] => Array.from({ length: b.length }, (_, i) => [
  b.offsets[i], b.timestamps[i], range(b, b.keyStart, b.keyEnd, i), range(b, b.valueStart, b.valueEnd, i), b.headers(i).map(h => [h.key, h.value?.toString('latin1') ?? null]),
]);
const words = (n: number): PlainRecord[] => Array.from({ length: n }, (_, i) => ({ key: `k${i}`, value: `value ${i}`, timestamp: 1000 + i }));

describe('CRC-32C', () => {
  it.each([['123456789', 0xe3069283], ['', 0], ['a', 0xc1d04330], ['\0'.repeat(32), 0x8a9136aa], ['\xff'.repeat(32), 0x62a8ab43]])('of %j', (text, wanted) => {
    expect(crc32c(Buffer.from(text, 'latin1'), 0, text.length)).toBe(wanted);
  });

  it('does not depend on where the bytes lie', () => {
    const text = Buffer.from('The quick brown fox jumps over the lazy dog');
    for (let shift = 0; shift < 9; shift++) {
      const b = Buffer.concat([Buffer.alloc(shift), text, Buffer.alloc(3)]);
      expect(crc32c(b, shift, shift + text.length)).toBe(0x22620404);
    }
  });

  /** By its definition: a bit at a time. */
  function bitwise(b: Uint8Array, start: number, end: number): number {
    let c = -1;
    for (let i = start; i < end; i++) {
      c ^= b[i] as number;
      for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    }
    return ~c >>> 0;
  }

  it('is right for every length around those where the way of reckoning changes', () => {
    const next = whole(7);
    const b = Uint8Array.from({ length: 300_000 }, () => next(256));
    const around = (n: number): number[] => Array.from({ length: 36 }, (_, i) => n - 18 + i);
    const lengths = [...around(18), ...around(4 * FOLD), ...around((128 << 10) + FOLD), ...around(128 << 10), ...Array.from({ length: 40 }, () => next(290_000))];
    for (const n of lengths) expect([n, crc32c(b, 5, 5 + n)]).toEqual([n, bitwise(b, 5, 5 + n)]);
  });

  it('may be folded: its polynomial divides that of four terms', () => {
    // x^n mod the polynomial, reflected: 1 has the highest bit
    const power = (n: number): number => { let c = 0x80000000 | 0; for (let i = 0; i < n; i++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1; return c; };
    expect(power(0) ^ power(FOLD_A) ^ power(FOLD_B) ^ power(FOLD)).toBe(0);
  });

  it('is the same without WebAssembly', () => {
    const script = `import { crc32c } from ${JSON.stringify(new URL('../../dist/connectors/kafka/crc32c.js', import.meta.url).href)}; console.log(crc32c(Buffer.alloc(200000, 'pipe'), 1, 200000));`;
    const run = spawnSync(process.execPath, ['--jitless', '--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(run.stdout.trim()).toBe(String(bitwise(Buffer.alloc(200_000, 'pipe'), 1, 200_000)));
  });
});

describe('record batches', () => {
  beforeAll(() => loadCodecs(new Set([1])));

  it('have the bytes that the protocol says', () => {
    const batch = encodeBatch(recordsFrom([{ key: 'k', value: 'v', timestamp: 1000, headers: [{ key: 'h', value: Buffer.from('x') }] }, { key: null, value: null, timestamp: 999 }]), 0, { producerId: 7n, epoch: 2, transactional: true }, 9).batch;
    const wanted = '0000000000000000' + '00000045' + 'ffffffff' + '02' + batch.toString('hex', 17, 21) + '0010' + '00000001' + '00000000000003e8' + '00000000000003e8'
      + '0000000000000007' + '0002' + '00000009' + '00000002'
      // length, attributes, time and offset deltas, key, value, headers
      + '18' + '00' + '00' + '00' + '02' + '6b' + '02' + '76' + '02' + '02' + '68' + '02' + '78'
      + '0c' + '00' + '01' + '02' + '01' + '01' + '00';
    expect(batch.toString('hex')).toBe(wanted);
    expect(batch.readUInt32BE(17)).toBe(crc32c(batch, 21, batch.length));
  });

  it('come back as they went in', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map(b => Buffer.from(b)), { freq: 5 });
    const record = fc.record({
      key: bytes, value: bytes, timestamp: fc.integer({ min: 0, max: 253_402_300_799_999 }),
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 70 }), value: bytes }), { maxLength: 3 }),
    });
    fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 60 }), fc.integer({ min: 0, max: 2 ** 52 }), fc.boolean(), (records, base, zip) => {
      const batch = encode(records);
      const stored = at(base, zip ? compressed(batch, 1, gzipSync(batch.subarray(61))) : batch);
      const b = decode(stored, base);
      expect(plain(b)).toEqual(records.map((r, i) => [
        base + i, r.timestamp, r.key?.toString('latin1') ?? null, r.value?.toString('latin1') ?? null, r.headers.map(h => [h.key, h.value?.toString('latin1') ?? null]),
      ]));
      expect(b.next).toBe(base + records.length);
      expect(offsetAfter(stored, base)).toBe(b.next);
    }), { numRuns: 200 });
  });

  it('made of a block where it lies are those made record by record', () => {
    const bytes = fc.option(fc.uint8Array({ maxLength: 200 }).map(b => Buffer.from(b)), { freq: 5 });
    const record = fc.record({
      key: bytes, value: bytes, timestamp: fc.integer({ min: 0, max: 253_402_300_799_999 }),
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 70 }), value: bytes }), { maxLength: 2 }),
    });
    const producer = { producerId: 7n, epoch: 2, transactional: true };
    fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 200 }), fc.nat(), (records, sequence) => {
      const b = new BlockBuilder();
      for (const r of records) b.add(r.key, r.value, r.headers, r.timestamp);
      const block = b.finish();
      const wanted = encodeBatch(openBlock(block, 't', 0, 0, null), 0, producer, sequence, Infinity);
      // also when it was sent before, under another identity
      batchOfBlock(block, NO_PRODUCER, 5);
      const got = batchOfBlock(block, producer, sequence, Infinity);
      expect(got?.batch.toString('hex')).toBe(wanted.batch.toString('hex'));
      expect(got?.records).toBe(records.length);
      expect(openBlock(block, 't', 0, 0, null).length).toBe(records.length);
      expect(batchOfBlock(block, producer, sequence, wanted.batch.length - 1)).toBe(null);
    }), { numRuns: 100 });
  });

  it('are given from the offset on that was asked for', () => {
    const b = decode(at(10, encode(words(5))), 13);
    expect([...b.offsets]).toEqual([13, 14]);
    expect(b.next).toBe(15);
  });

  it('that were cut short at the end are left for later', () => {
    const [first, second] = [at(0, encode(words(2))), at(2, encode(words(3)))];
    for (let cut = 0; cut < second.length; cut++) {
      const bytes = Buffer.concat([first, second.subarray(0, cut)]);
      const b = decode(bytes);
      expect([b.length, b.next, offsetAfter(bytes, 0)]).toEqual([2, 2, 2]);
    }
  });

  it('may lie plain and compressed side by side', () => {
    const zipped = (b: Buffer): Buffer => compressed(b, 1, gzipSync(b.subarray(61)));
    const batches = [at(0, encode(words(2))), zipped(at(2, encode(words(3)))), at(5, encode(words(1))), zipped(at(6, encode(words(2))))];
    const b = decode(Buffer.concat(batches), 1);
    expect(plain(b).map(r => (r as unknown[])[3])).toEqual(['value 1', 'value 0', 'value 1', 'value 2', 'value 0', 'value 0', 'value 1']);
    expect([...b.offsets]).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('without records move the position', () => {
    const empty = changed(at(4, encode(words(3)).subarray(0, 61)), b => { b.writeInt32BE(49, 8); b.writeInt32BE(0, 57); });
    expect(decode(empty, 4)).toMatchObject({ length: 0, next: 7 });
  });

  it('with append time have one time for all', () => {
    const b = decode(changed(encode(words(3)), x => { x.writeInt16BE(8, 21); x.writeBigInt64BE(5000n, 35); }));
    expect([...b.timestamps]).toEqual([5000, 5000, 5000]);
  });

  it.each([5, 6, 7])('with codec %i, which is none, name it and their place', async codec => {
    const stored = compressed(at(17, encode(words(1))), codec, Buffer.from('?'));
    await loadCodecs(codecIds(stored));
    expect(() => decode(stored, 17)).toThrow(expect.objectContaining({
      code: 'system.source.codec', exit: 11, message: `the record batch at offset 17 of t/3 is compressed with codec ${codec}, which is not known`,
    }));
  });

  it('name their codecs before they are decoded', () => {
    const batches = [encode(words(1)), compressed(encode(words(1)), 1, Buffer.from('x')), compressed(encode(words(1)), 4, Buffer.alloc(9)), compressed(encode(words(1)), 3, Buffer.from('cut short')).subarray(0, -1)];
    expect([...codecIds(Buffer.concat(batches))]).toEqual([0, 1, 4]);
    expect(codecIds(Buffer.alloc(0)).size).toBe(0);
  });

  it('that are damaged say how', () => {
    const good = at(5, encode(words(2)));
    const bad = (bytes: Buffer): unknown => { try { return decode(bytes, 5); } catch (error) { return error; } };
    for (let i = 21; i < good.length; i++) {
      const b = Buffer.from(good);
      b[i] = (b[i] as number) ^ 4;
      expect(bad(b)).toMatchObject({ code: 'system.source.corrupt_batch', message: 'the record batch at offset 5 of t/3 is damaged: its checksum is wrong' });
    }
    expect(bad(changed(good, b => { b[16] = 1; }))).toMatchObject({ code: 'system.source.corrupt_batch', message: expect.stringContaining('message format 1') });
    expect(bad(changed(good, b => { b.writeInt32BE(3, 57); }))).toMatchObject({ code: 'system.source.corrupt_batch' });
    for (const count of [-1, 1000, 2147483647]) {
      expect(bad(changed(good, b => { b.writeInt32BE(count, 57); }))).toMatchObject({ code: 'system.source.corrupt_batch', message: expect.stringContaining(`are not ${count} records`) });
    }
    expect(bad(changed(good, b => { b[61] = 120; }))).toMatchObject({ code: 'system.source.corrupt_batch' });
    expect(bad(compressed(good, 1, Buffer.from('no gzip')))).toMatchObject({ code: 'system.source.corrupt_batch', message: expect.stringContaining('of t/3 is damaged: gzip: ') });
    const fewer = compressed(good, 1, gzipSync(good.subarray(61, -3)));
    expect(bad(fewer)).toMatchObject({ code: 'system.source.corrupt_batch', message: 'the record batch at offset 5 of t/3 is damaged: gzip: record 2 of 2 is longer than it' });
  });

  it('with more headers than there are bytes are damaged', () => {
    const batch = encode([{ key: null, value: 'v', timestamp: 1, headers: [{ key: 'h', value: Buffer.from('x') }] }]);
    // the last bytes: 1 header, length 1, h, length 1, x
    for (const [from, bytes] of [[5, [0x7e]], [5, [0xfe, 0xff, 0xff, 0xff, 0x0f]], [4, [0x7e]], [4, [0xfe, 0xff, 0xff, 0xff, 0x0f]], [2, [0x7e]]] as const) {
      const b = decode(changed(batch, x => { Buffer.from(bytes).copy(x, x.length - from); }));
      expect(() => b.headers(0), `${from} ${bytes}`).toThrow(expect.objectContaining({ code: 'system.source.corrupt_batch', message: 'the record batch at offset 0 of t/3 is damaged: its headers are longer than the batch' }));
    }
  });

  it('end at the limit, with at least one record', () => {
    const records = recordsFrom(Array.from({ length: 50 }, (_, i) => ({ key: null, value: 'x'.repeat(i === 20 ? 5000 : 100) })));
    let row = 0;
    const sizes: number[] = [];
    while (row < 50) {
      const { batch, records: n } = encodeBatch(records, row, NO_PRODUCER, null, 1000);
      expect(batch.length <= 1000 || n === 1).toBe(true);
      expect(decode(batch).length).toBe(n);
      sizes.push(n);
      row += n;
    }
    expect(sizes).toEqual([8, 8, 4, 1, 8, 8, 8, 5]);
  });

  it('count sequences from 2^31 - 1 on to 0', () => {
    expect(nextSequence(0, 10)).toBe(10);
    expect(nextSequence(2147483647, 1)).toBe(0);
    expect(nextSequence(2147483640, 7)).toBe(2147483647);
    expect(nextSequence(2147483640, 8)).toBe(0);
    expect(nextSequence(2147483640, 18)).toBe(10);
  });
});
