import type { Codec } from './codec.ts';
import { copyLiterals, copyMatch, SLACK, viewOf } from './copy.ts';
import { need, tooLarge } from './damage.ts';

/*
 * Snappy (https://github.com/google/snappy/blob/main/format_description.txt) as one raw block, as librdkafka writes it, or in the framing of
 * Kafka's Java client (https://github.com/xerial/snappy-java, SnappyOutputStream): 0x82 'SNAPPY' 0, i32 version, i32 compatible version,
 * then {i32 length, raw block} up to the end. The versions are ignored, as some writers have them little-endian.
 */
const FRAMED = Buffer.from('\x82SNAPPY\0', 'latin1');
const FRAMES_AT = 16;
/** Three bytes make 64 at most. */
const RATIO = 22;

/** A raw block: its elements are bytes [at, end), and make `size` bytes. */
interface Block {
  readonly at: number;
  readonly end: number;
  readonly size: number;
}

export const snappy: Codec = {
  name: 'snappy',
  decompress(bytes, limit) {
    const blocks = bytes.subarray(0, FRAMED.length).equals(FRAMED) ? framed(bytes) : [blockAt(bytes, 0, bytes.length)];
    const size = blocks.reduce((n, b) => n + b.size, 0);
    if (size > limit) throw tooLarge(limit);
    const to = Buffer.allocUnsafeSlow(size + SLACK);
    let q = 0;
    for (const b of blocks) q = elements(bytes, b, to, q);
    return to.subarray(0, size);
  },
};

function framed(b: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let p = FRAMES_AT; p < b.length;) {
    const at = p + need(b, p, 4);
    const end = at + need(b, at, b.readUInt32BE(p));
    blocks.push(blockAt(b, at, end));
    p = end;
  }
  return blocks;
}

/** A block begins with the size of what it makes, as a varint. */
function blockAt(b: Buffer, at: number, end: number): Block {
  let size = 0;
  let p = at;
  for (let scale = 1; ; scale *= 128) {
    if (p === end || scale > 2 ** 28) throw new Error('the size of a block is none');
    const byte = b[p++] as number;
    size += (byte & 127) * scale;
    if (byte < 128) break;
  }
  if (size > (end - p) * RATIO) throw new Error('a block is shorter than its size');
  return { at: p, end, size };
}

/**
 * Decodes a block to `q` on; returns where it ends. The two low bits of an element's first byte are its kind:
 * 0 literals (6 bits length - 1, from 60 on in 1 to 4 bytes that follow), 1 to 3 a match with an offset of 11, 16 or 32 bits. Hot.
 */
function elements(b: Buffer, block: Block, to: Buffer, begin: number): number {
  const { end } = block;
  const last = begin + block.size;
  const from = viewOf(b);
  const view = viewOf(to);
  let q = begin;
  for (let p = block.at; p < end;) {
    const tag = b[p++] as number;
    let n = (tag >>> 2) + 1;
    if ((tag & 3) === 0) {
      if (n > 60) {
        const width = n - 60;
        if (width > end - p) throw new Error('a block is cut short');
        n = b.readUIntLE(p, width) + 1;
        p += width;
      }
      if (n > end - p) throw new Error('a block is cut short');
      if (n > last - q) throw new Error('a block is longer than its size');
      copyLiterals(b, from, p, to, view, q, n);
      p += n;
    } else {
      let offset: number;
      if ((tag & 3) === 1) { n = ((tag >>> 2) & 7) + 4; offset = tag >>> 5 << 8 | (b[p++] as number); }
      else if ((tag & 3) === 2) { offset = (b[p] as number) | (b[p + 1] as number) << 8; p += 2; }
      else { offset = p + 4 > end ? 0 : b.readUInt32LE(p); p += 4; }
      if (p > end) throw new Error('a block is cut short');
      if (offset === 0 || offset > q - begin) throw new Error('a match begins before the data');
      if (n > last - q) throw new Error('a block is longer than its size');
      copyMatch(to, view, q, offset, n);
    }
    q += n;
  }
  if (q !== last) throw new Error('a block is shorter than its size');
  return q;
}
