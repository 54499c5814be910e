import { describe, expect, it } from 'vitest';
import { Frames } from '../../src/connectors/kafka/frames.ts';
import { ResponseMemory } from '../../src/connectors/kafka/response-memory.ts';
import { whole } from '../random.ts';

const framed = (body: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeInt32BE(body.length);
  return Buffer.concat([head, body]);
};

interface Heard {
  readonly frames: Frames;
  readonly found: Buffer[];
  readonly bad: number[];
}

/** What was found is copied, and its memory given back at once: the next response may lie in it. */
function reader(memory = new ResponseMemory()): Heard {
  const found: Buffer[] = [];
  const bad: number[] = [];
  return { found, bad, frames: new Frames(memory, r => { found.push(Buffer.from(r)); memory.lease(r).done(); }, n => bad.push(n)) };
}

/** As a socket that reads into what it is given; `most` bytes at a time. */
function read({ frames }: Heard, bytes: Buffer, most: () => number): void {
  for (let at = 0; at < bytes.length;) {
    const room = frames.next();
    const n = Math.min(room.length, most(), bytes.length - at);
    room.set(bytes.subarray(at, at + n));
    frames.got(n);
    at += n;
  }
}

describe('what a connection reads', () => {
  it('is the same responses however it comes in pieces', () => {
    const below = whole(7);
    const sizes = [4, 5, 100, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 300_000, 2_500_000];
    for (let round = 0; round < 40; round++) {
      const bodies = Array.from({ length: 1 + below(6) }, () => Buffer.alloc(sizes[below(sizes.length)] as number, `${below(1e9)}`));
      const stream = Buffer.concat(bodies.map(framed));
      const most = [1 << 20, 70_000, 5000, 997][round % 4] as number;
      const direct = reader();
      read(direct, stream, () => 1 + below(most));
      const fed = reader();
      for (let at = 0; at < stream.length;) {
        const n = 1 + below(most);
        fed.frames.feed(stream.subarray(at, at + n));
        at += n;
      }
      for (const { found, bad } of [direct, fed]) {
        expect(bad).toEqual([]);
        expect(found.length).toBe(bodies.length);
        found.forEach((b, i) => expect(b.equals(bodies[i] as Buffer)).toBe(true));
      }
    }
  });

  it('may be longer than what is made room for on the word of its head', () => {
    const body = Buffer.alloc(40_000_001);
    for (let i = 0; i < body.length; i += 4096) body.writeInt32LE(i, Math.min(i, body.length - 4));
    const heard = reader();
    read(heard, Buffer.concat([framed(body), framed(Buffer.from('next'))]), () => 1 << 20);
    expect(heard.found.map(b => b.length)).toEqual([body.length, 4]);
    expect(heard.found[0]?.equals(body)).toBe(true);
  });

  it('of something that is no broker is not waited for', () => {
    for (const text of ['HTTP/1.1 400 Bad Request\r\n', '\xff\xff\xff\xff', '\0\0\0\x03abc']) {
      const heard = reader();
      heard.frames.feed(Buffer.from(text, 'latin1'));
      expect(heard.found).toEqual([]);
      expect(heard.bad).toEqual([Buffer.from(text, 'latin1').readInt32BE(0)]);
    }
  });
});

describe('memory of a response', () => {
  const SIZE = 3 << 20;

  it('is used again when all who keep a part are done, once each', () => {
    const memory = new ResponseMemory();
    const first = memory.take(SIZE);
    const lease = memory.lease(first.subarray(0, SIZE));
    const parts = [lease.keep(), lease.keep()] as const;
    lease.done();
    parts[0]();
    parts[0]();
    const second = memory.take(SIZE);
    expect(second.buffer).not.toBe(first.buffer);
    parts[1]();
    expect(memory.take(SIZE).buffer).toBe(first.buffer);
  });

  it('is overwritten in tests when it is given back', () => {
    const memory = new ResponseMemory();
    for (const size of [100, SIZE]) {
      const b = memory.take(size).subarray(0, size).fill(1);
      memory.lease(b).done();
      expect(b.every(v => v === 0xdb)).toBe(true);
    }
  });

  it('is not kept where it is very large', () => {
    const memory = new ResponseMemory();
    const [large, usual] = [memory.take(40 << 20), memory.take(SIZE)];
    for (const b of [usual, large]) memory.lease(b).done();
    expect(memory.take(SIZE).buffer).toBe(usual.buffer);
    expect(memory.take(SIZE).buffer).not.toBe(large.buffer);
  });

  it('of others is not taken for its own', () => {
    const memory = new ResponseMemory();
    // Node may keep small buffers in pieces of any size
    memory.lease(Buffer.from(new ArrayBuffer(SIZE), 4096, 100)).done();
    expect(memory.take(100_000).length).toBe(1 << 20);
  });

  it('that serves least is given up', () => {
    const memory = new ResponseMemory();
    const taken = [5, 1, 4, 2, 3].map(n => memory.take(n << 20));
    for (const b of taken) memory.lease(b).done();
    const [five, , four, , three] = taken as [Buffer, Buffer, Buffer, Buffer, Buffer];
    expect(memory.take(6 << 20).length).toBe(6 << 20);
    // the smallest that is large enough
    expect([1 << 20, 4 << 20, 4 << 20].map(n => memory.take(n).buffer)).toEqual([three.buffer, four.buffer, five.buffer]);
    expect(taken.map(b => b.buffer)).not.toContain(memory.take(1 << 20).buffer);
  });
});
