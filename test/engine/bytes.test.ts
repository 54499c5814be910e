import { describe, expect, it } from 'vitest';
import { ByteWriter, recycle } from '../../src/engine/bytes.ts';

/** A writer that holds a megabyte of one byte. */
function filled(writer: ByteWriter, byte: number): Buffer {
  writer.bytes(Buffer.alloc(900_000, byte));
  return writer.take();
}

describe('buffers that are given back', () => {
  it('are used again, and only then', () => {
    const writer = new ByteWriter(1 << 20);
    const a = filled(writer, 1);
    const b = filled(writer, 2);
    expect([a[0], a.at(-1), b[0], b.at(-1)]).toEqual([1, 1, 2, 2]);
    recycle(a);
    // a writer takes one when it gives its own away
    filled(writer, 3);
    const again = filled(writer, 4);
    expect(again.buffer === a.buffer).toBe(true);
    expect([again.length, again[0], b[0]]).toEqual([900_000, 4, 2]);
  });

  it('are one however often they are given back, and are no parts of others', () => {
    const writer = new ByteWriter(1 << 20);
    const a = filled(writer, 1);
    recycle(a);
    recycle(a);
    recycle(Buffer.alloc(2 << 20).subarray(1 << 20));
    recycle(Buffer.alloc(100));
    const taken = [5, 6, 7].map(byte => filled(writer, byte));
    expect(taken.map(t => t[0])).toEqual([5, 6, 7]);
    expect(new Set(taken.map(t => t.buffer)).size).toBe(3);
    expect(taken.filter(t => t.buffer === a.buffer).length).toBe(1);
  });

  it('of others are not kept', () => {
    const writer = new ByteWriter(1 << 20);
    // as many as are out come back
    for (let i = 0; i < 100; i++) recycle(Buffer.allocUnsafeSlow(1 << 20));
    const foreign = Buffer.allocUnsafeSlow(1 << 20);
    recycle(foreign);
    const taken = Array.from({ length: 100 }, () => filled(writer, 1));
    expect(taken.some(t => t.buffer === foreign.buffer)).toBe(false);
  });
});
