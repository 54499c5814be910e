import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import { openBlock, openBlocks, recordsFrom, sliceRecords } from '../../src/engine/block.ts';
import { murmur2, partitionOf } from '../../src/engine/murmur2.ts';
import { PipeError } from '../../src/errors.ts';
import { ArrayStock } from '../../src/engine/record-arrays.ts';
import type { Header, RecordBatch } from '../../src/engine/records.ts';

const text = (b: RecordBatch, i: number): readonly [string | null, string | null] => [
  (b.keyStart[i] as number) < 0 ? null : b.data.toString('utf8', b.keyStart[i], b.keyEnd[i]),
  (b.valueStart[i] as number) < 0 ? null : b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]),
];

/** Two records in the layout of before: a={"x":1}, b=NULL. */
function oldBlock(): Buffer {
  const payload = Buffer.from('a{"x":1}b');
  const headers = Buffer.from(JSON.stringify([[1, [['h', Buffer.from('x').toString('base64')], ['n', null]]]]));
  const old = Buffer.concat([Buffer.alloc(24), Buffer.from(new Float64Array([5, 6]).buffer), Buffer.from(new Int32Array([1, 9]).buffer), Buffer.from(new Int32Array([8, -10]).buffer), payload, headers]);
  old.write('pb01', 0, 'latin1');
  [2, payload.length, headers.length].forEach((v, i) => old.writeUInt32LE(v, 8 + 4 * i));
  old.writeUInt32LE(crc32(old.subarray(8)), 4);
  return old;
}

describe('a block of records', () => {
  it('gives back keys, values, NULLs, empty ones, timestamps and headers', () => {
    const b = recordsFrom([
      { key: 'a', value: '{"x":1}', timestamp: 5 },
      { key: null, value: '', timestamp: 6 },
      { key: '', value: null, timestamp: 7, headers: [{ key: 'h', value: Buffer.from([0, 255]) }, { key: 'n', value: null }] },
      { key: 'ü', value: '☃' },
    ], 't', 2, 100);
    expect([0, 1, 2, 3].map(i => text(b, i))).toEqual([['a', '{"x":1}'], [null, ''], ['', null], ['ü', '☃']]);
    expect([...b.offsets]).toEqual([100, 101, 102, 103]);
    expect([...b.timestamps]).toEqual([5, 6, 7, 0]);
    expect(b.headers(0)).toEqual([]);
    expect(b.headers(2)).toEqual([{ key: 'h', value: Buffer.from([0, 255]) }, { key: 'n', value: null }]);
    expect(b.next).toBe(104);
  });

  it('grows, forgets a cancelled record and starts again empty', () => {
    const b = new BlockBuilder();
    for (let i = 0; i < 5000; i++) {
      b.add(null, Buffer.from(`v${i}`), [], i);
      b.begin(Buffer.from('key'), 0, 3, i);
      b.out.ascii('half');
      b.cancel();
    }
    const r = openBlock(b.finish(), 't', 0, 0, 42);
    expect(r.length).toBe(5000);
    expect(text(r, 4999)).toEqual([null, 'v4999']);
    expect(r.timestamps[17]).toBe(42);
    expect(b.rows).toBe(0);
    expect(openBlock(b.finish(), 't', 0, 0, null).length).toBe(0);
  });

  it('holds records of any size, at times that go up and down', () => {
    const sizes = [0, 1, 62, 63, 64, 65, 126, 127, 128, 8190, 8191, 8192, 20_000, 3, 1_100_000, 5];
    const records = sizes.flatMap((n, i) => [
      { key: 'k'.repeat(n), value: 'v', timestamp: 1e12 + i }, { key: null, value: 'v'.repeat(n), timestamp: 1e12 - 1000 * i },
      { key: 'k', value: null, timestamp: 253_402_300_799_999, headers: [{ key: 'h', value: Buffer.alloc(n, 'x') }] },
    ]);
    const b = recordsFrom(records, 't', 0, 7);
    records.forEach((r, i) => {
      expect(text(b, i)).toEqual([r.key, r.value]);
      expect([b.timestamps[i], b.offsets[i]]).toEqual([r.timestamp, 7 + i]);
      expect(b.headers(i)).toEqual(r.headers ?? []);
    });
  });

  it('keeps its bytes when the builder goes on', () => {
    const b = new BlockBuilder();
    const blocks = Array.from({ length: 4 }, (_, n) => {
      for (let i = 0; i < 3000 * (n + 1); i++) b.add(Buffer.from(`k${n}`), Buffer.from(`value ${i}`), [], n);
      return b.finish();
    });
    blocks.forEach((block, n) => expect(text(openBlock(block, 't', 0, 0, null), 3000 * (n + 1) - 1)).toEqual([`k${n}`, `value ${3000 * (n + 1) - 1}`]));
  });

  it('is read in the layout of before', () => {
    const old = oldBlock();
    const b = openBlock(old, 't', 0, 40, null);
    expect([0, 1].map(i => text(b, i))).toEqual([['a', '{"x":1}'], ['b', null]]);
    expect([[...b.timestamps], [...b.offsets], b.headers(0), b.headers(1)]).toEqual([[5, 6], [40, 41], [], [{ key: 'h', value: Buffer.from('x') }, { key: 'n', value: null }]]);
    old[20] = 1;
    expect(() => openBlock(old, 't', 0, 40, null)).toThrow('checksum');
  });

  it('is opened together with those that follow it, in whatever layout, in arrays that are used again', () => {
    const builder = new BlockBuilder();
    const block = (values: readonly (string | null)[], headers: readonly Header[] = []): Buffer => {
      values.forEach((v, i) => builder.add(i % 2 === 0 ? Buffer.from(`k${i}`) : null, v === null ? null : Buffer.from(v), headers, 10 * i));
      return builder.finish();
    };
    const blocks = [block(['a', null, 'c']), oldBlock(), block([]), block(['d'], [{ key: 'h', value: Buffer.from('v') }])];
    const beside = (list: readonly Buffer[]): Buffer[] => {
      const all = Buffer.concat(list);
      let at = 0;
      return list.map(b => all.subarray(at, at += b.length));
    };
    const stock = new ArrayStock();
    for (const list of [blocks, beside(blocks), blocks]) {
      stock.again();
      const b = openBlocks(list.map((data, i) => ({ data, base: [10, 13, 15, 15][i] as number, at: i === 3 ? 77 : null })), 't', 0, stock);
      expect([b.length, b.next]).toEqual([6, 16]);
      expect(Array.from({ length: 6 }, (_, i) => [b.offsets[i], ...text(b, i), b.timestamps[i], b.headers(i).map(h => h.key).join()])).toEqual([
        [10, 'k0', 'a', 0, ''], [11, null, null, 10, ''], [12, 'k2', 'c', 20, ''], [13, 'a', '{"x":1}', 5, ''], [14, 'b', null, 6, 'h,n'], [15, 'k0', 'd', 77, 'h'],
      ]);
    }
    // what lies side by side in one memory is not copied, what does not is
    const some = [blocks[0], blocks[2], blocks[3]] as Buffer[];
    const same = beside(some);
    const apart = beside(some.flatMap(b => [b, Buffer.from('between')])).filter((_, i) => i % 2 === 0);
    expect(text(openBlocks(apart.map((data, i) => ({ data, base: i === 0 ? 0 : 3, at: null })), 't', 0, stock), 3)).toEqual(['k0', 'd']);
    expect(openBlocks(same.map((data, i) => ({ data, base: i === 0 ? 0 : 3, at: null })), 't', 0, stock).data.buffer).toBe(same[0]?.buffer);
  });

  it('is sliced without a copy, and a slice goes on where it ends', () => {
    const b = recordsFrom(['a', 'b', 'c', 'd'].map(value => ({ key: null, value })), 't', 0, 10);
    const s = sliceRecords(b, 1, 3);
    expect([text(s, 0)[1], text(s, 1)[1], s.length, s.next]).toEqual(['b', 'c', 2, 13]);
    expect(s.data).toBe(b.data);
    expect(sliceRecords(b, 2, 4).next).toBe(14);
  });

  it('reads a block that is not aligned in memory', () => {
    const b = new BlockBuilder();
    b.add(Buffer.from('k'), Buffer.from('v'), [], 1);
    const block = b.finish();
    const shifted = Buffer.concat([Buffer.from('x'), block]).subarray(1);
    expect(text(openBlock(shifted, 't', 0, 0, null), 0)).toEqual(['k', 'v']);
  });

  it('detects every flipped bit and every cut', () => {
    const b = new BlockBuilder();
    b.add(Buffer.from('key'), Buffer.from('value'), [{ key: 'h', value: null }], 1);
    const block = b.finish();
    for (let bit = 0; bit < block.length * 8; bit++) {
      // the room for Kafka's header
      if (bit >= 32 * 8 && bit < 93 * 8) continue;
      const bad = Buffer.from(block);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => openBlock(bad, 't', 0, 0, null)).toThrow(PipeError);
    }
    for (let n = 0; n < block.length; n++) expect(() => openBlock(block.subarray(0, n), 't', 0, 0, null)).toThrow('damaged');
  });
});

describe('murmur2', () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2
  it.each([['21', -973932308], ['foobar', -790332482], ['a-little-bit-long-string', -985981536], ['a-little-bit-longer-string', -1486304829], ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971], ['abc', 479470107]] as const)('of %s', (key, hash) => {
    const b = Buffer.from(`xx${key}yy`);
    expect(murmur2(b, 2, b.length - 2)).toBe(hash);
  });

  it('gives partitions in range, also for the smallest hash', () => {
    for (let i = 0; i < 1000; i++) {
      const b = Buffer.from(String(i));
      const p = partitionOf(b, 0, b.length, 7);
      expect(p >= 0 && p < 7).toBe(true);
    }
  });
});
