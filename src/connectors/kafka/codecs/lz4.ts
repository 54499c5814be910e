import type { Codec } from './codec.ts';
import { copyLiterals, copyMatch, viewOf } from './copy.ts';
import { need } from './damage.ts';
import { Output } from './output.ts';

/*
 * LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, blocks: lz4_Block_format.md):
 * u32 magic, flags, block size (3 bits of a byte), [u64 content size], [u32 dictionary], u8 header checksum,
 * blocks of {u32 size with a top bit for stored ones, bytes, [u32 checksum]}, u32 0, [u32 checksum].
 * These checksums are left alone: the batch has one of its own over all of it.
 */
const MAGIC = 0x184d2204;
const VERSION_BITS = 0xc2;
const VERSION = 0x40;
const INDEPENDENT = 0x20;
const BLOCK_CHECKSUMS = 0x10;
const CONTENT_SIZE = 0x08;
const CONTENT_CHECKSUM = 0x04;
const DICTIONARY = 0x01;
const STORED = 0x80000000;
const MIN_MATCH = 4;
/** One byte of a block makes so many at most. */
const RATIO = 255;

export const lz4: Codec = {
  name: 'lz4',
  decompress(bytes, limit) {
    const out = new Output(bytes.length * 4, limit);
    let at = 0;
    do at = frame(bytes, at, out); while (at < bytes.length);
    return out.finish();
  },
};

/** Decodes the frame at `at`; returns where it ends. */
function frame(b: Buffer, at: number, out: Output): number {
  need(b, at, 7);
  const flags = b[at + 4] as number;
  const size = (b[at + 5] as number) >>> 4;
  if (b.readUInt32LE(at) !== MAGIC || (flags & VERSION_BITS) !== VERSION || size < 4 || size > 7) throw new Error('its header is none');
  if (flags & DICTIONARY) throw new Error('it needs a dictionary');
  const maxBlock = 1 << (2 * size + 8);
  const start = out.length;
  const sized = flags & CONTENT_SIZE ? 8 : 0;
  const end = blocks(b, at + 7 + sized, flags, maxBlock, out);
  if (sized > 0 && b.readBigUInt64LE(at + 6) !== BigInt(out.length - start)) throw new Error('its size is not the one in its header');
  return end + need(b, end, flags & CONTENT_CHECKSUM ? 4 : 0);
}

/** Decodes the blocks of a frame from `at` on; returns where their end mark ends. */
function blocks(b: Buffer, at: number, flags: number, maxBlock: number, out: Output): number {
  const start = out.length;
  for (let p = at; ;) {
    need(b, p, 4);
    const word = b.readUInt32LE(p);
    p += 4;
    if (word === 0) return p;
    const size = need(b, p, word % STORED);
    if (word < STORED) block(b, p, p + size, flags & INDEPENDENT ? out.length : start, maxBlock, out);
    else if (size <= maxBlock) out.append(b, p, size);
    else throw new Error('a block is longer than it may be');
    p += size + (flags & BLOCK_CHECKSUMS ? 4 : 0);
  }
}

/**
 * Decodes the block [at, end) of `b`: sequences of {token: 4 bits literals, 4 bits match; [more literals]; literals; u16 offset;
 * [more match]}, the last of literals only. Matches do not begin before `floor`. Hot.
 */
function block(b: Buffer, at: number, end: number, floor: number, maxBlock: number, out: Output): void {
  const last = out.reserve(Math.min(maxBlock, (end - at) * RATIO));
  const { bytes: to, view } = out;
  const from = viewOf(b);
  let q = out.length;
  let p = at;
  for (;;) {
    if (p >= end) throw new Error('a block is cut short');
    const token = b[p++] as number;
    let n = token >>> 4;
    let more = 255;
    // behind the end there are zeros
    if (n === 15) for (; more === 255; n += more) more = (b[p++] as number) | 0;
    if (n > end - p) throw new Error('a block is cut short');
    if (n > last - q) throw out.overrun(last);
    copyLiterals(b, from, p, to, view, q, n);
    p += n;
    q += n;
    if (p === end) break;
    const offset = (b[p] as number) | (b[p + 1] as number) << 8;
    p += 2;
    n = (token & 15) + MIN_MATCH;
    if (n === 15 + MIN_MATCH) for (more = 255; more === 255; n += more) more = (b[p++] as number) | 0;
    if (offset === 0 || offset > q - floor) throw new Error('a match begins before the data');
    if (n > last - q) throw out.overrun(last);
    copyMatch(to, view, q, offset, n);
    q += n;
  }
  out.length = q;
}
