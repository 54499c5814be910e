import fc from 'fast-check';

/** A step of what LZ4 and Snappy write: bytes as they are, then what stood `offset` bytes before, `length` times a byte. */
export interface Step {
  readonly literals: Buffer;
  readonly offset: number;
  readonly length: number;
  /** Any number: which of several ways to write it. */
  readonly way: number;
}

/** Steps whose matches lie within what was written; the last has none. */
export const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({
  literals: fc.oneof({ weight: 5, arbitrary: fc.uint8Array({ maxLength: 30 }) }, fc.uint8Array({ minLength: 50, maxLength: 400 })).map(b => Buffer.from(b)),
  at: fc.nat(), length: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 4, max: 40 }) }, fc.integer({ min: 41, max: 800 })), way: fc.nat(),
  near: fc.boolean(),
}), { maxLength: 40 }).map(all => {
  let size = 0;
  const made = all.map(({ literals, at, length, way, near }) => {
    const first = size === 0 && literals.length === 0 ? Buffer.from('x') : literals;
    size += first.length;
    const offset = 1 + at % Math.min(size, near ? 9 : 65_535);
    size += length;
    return { literals: first, offset, length, way };
  });
  return [...made, { literals: Buffer.from('end'), offset: 0, length: 0, way: 0 }];
});

/** What the steps make, byte by byte. */
export function made(all: readonly Step[]): Buffer {
  const out: number[] = [];
  for (const { literals, offset, length } of all) {
    out.push(...literals);
    for (let i = 0; i < length; i++) out.push(out[out.length - offset] as number);
  }
  return Buffer.from(out);
}

/** One LZ4 block. */
export function lz4Block(all: readonly Step[]): Buffer {
  const more = (n: number): number[] => (n < 15 ? [] : [...Array.from({ length: Math.floor((n - 15) / 255) }, () => 255), (n - 15) % 255]);
  return Buffer.concat(all.map(({ literals, offset, length }) => {
    const match = Math.max(0, length - 4);
    const token = Math.min(15, literals.length) << 4 | (length === 0 ? 0 : Math.min(15, match));
    return Buffer.concat([Buffer.from([token, ...more(literals.length)]), literals, Buffer.from(length === 0 ? [] : [offset & 255, offset >> 8, ...more(match)])]);
  }));
}

/** One raw Snappy block, with lengths and offsets wider than they need be, too. */
export function snappyBlock(all: readonly Step[]): Buffer {
  const little = (n: number, width: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b.subarray(0, width); };
  const elements = all.flatMap(({ literals, offset, length, way }) => [
    ...(literals.length === 0 ? [] : [snappyLiterals(literals, way, little)]),
    ...chunks(length).map(n => {
      if (n >= 4 && n <= 11 && offset < 2048 && way % 3 === 0) return Buffer.from([1 | (n - 4) << 2 | offset >> 8 << 5, offset & 255]);
      return way % 3 === 1 ? Buffer.concat([Buffer.from([3 | (n - 1) << 2]), little(offset, 4)]) : Buffer.concat([Buffer.from([2 | (n - 1) << 2]), little(offset, 2)]);
    }),
  ]);
  return Buffer.concat([varint(made(all).length), ...elements]);
}

function snappyLiterals(literals: Buffer, way: number, little: (n: number, width: number) => Buffer): Buffer {
  const n = literals.length - 1;
  const width = n < 60 && way % 4 < 3 ? 0 : (n < 256 ? 1 : 2) + way % 2;
  return Buffer.concat([Buffer.from([(width === 0 ? n : 59 + width) << 2]), little(n, width), literals]);
}

/** A match of Snappy has up to 64 bytes. */
const chunks = (n: number): number[] => [...Array.from({ length: Math.floor(n / 64) }, () => 64), ...(n % 64 === 0 ? [] : [n % 64])];

function varint(n: number): Buffer {
  const bytes: number[] = [];
  for (; n > 127; n >>>= 7) bytes.push((n & 127) | 128);
  return Buffer.from([...bytes, n]);
}
