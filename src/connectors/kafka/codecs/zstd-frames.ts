import { need, tooLarge } from './damage.ts';

/*
 * Zstandard frames (RFC 8878, section 3.1): u32 magic, u8 flags, [u8 window], [u8 to u32 dictionary], [u8 to u64 content size],
 * blocks of {u24: last, type 2 bits, size 21 bits; bytes}, [u32 checksum].
 */
const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const CHECKSUM = 0x04;
const DICTIONARY_BITS = 0x03;
const MAX_BLOCK = 128 << 10;
/** In a batch; writers make one. Each costs time, however small it is. */
const MAX_FRAMES = 1000;
const RLE = 1;
const COMPRESSED = 2;

export interface Frames {
  /** Each frame of data; skippable ones are left out. */
  readonly frames: readonly Buffer[];
  /** Bytes that all of them become at most, and never more than the limit: so much is to be allocated. */
  readonly bound: number;
}

/** The frames in `b`, by their headers alone. Throws where they are cut short, need a dictionary, or cannot stay within `limit` bytes. */
export function zstdFrames(b: Buffer, limit: number): Frames {
  const frames: Buffer[] = [];
  let least = 0;
  let most = 0;
  for (let p = 0; p < b.length || p === 0;) {
    need(b, p, 8);
    if (b.readUInt32LE(p) >>> 4 === SKIPPABLE) {
      p += 8 + need(b, p + 8, b.readUInt32LE(p + 4));
      continue;
    }
    const { at, size, checksum } = header(b, p);
    const blocks = walk(b, at);
    least += size ?? blocks.least;
    most += Math.min(size ?? blocks.most, blocks.most);
    const end = blocks.end + need(b, blocks.end, checksum);
    if (frames.length === MAX_FRAMES) throw new Error(`it has more than ${MAX_FRAMES} frames`);
    frames.push(b.subarray(p, end));
    p = end;
  }
  if (least > limit) throw tooLarge(limit);
  return { frames, bound: Math.min(most, limit) };
}

/** Where the blocks begin, the size of the content in bytes or null where it is not said, and bytes of the checksum. */
function header(b: Buffer, p: number): { readonly at: number; readonly size: number | null; readonly checksum: number } {
  const flags = b[p + 4] as number;
  if (b.readUInt32LE(p) !== MAGIC || flags & RESERVED) throw new Error('no frame begins where one should');
  const single = (flags & SINGLE_SEGMENT) !== 0;
  const dictionary = [0, 1, 2, 4][flags & DICTIONARY_BITS] as number;
  const sizeAt = p + 5 + (single ? 0 : 1) + dictionary;
  const width = [single ? 1 : 0, 2, 4, 8][flags >>> 6] as number;
  need(b, sizeAt, width);
  for (let i = sizeAt - dictionary; i < sizeAt; i++) if (b[i] !== 0) throw new Error('it needs a dictionary');
  const size = width === 0 ? null : width === 8 ? Number(b.readBigUInt64LE(sizeAt)) : b.readUIntLE(sizeAt, width) + (width === 2 ? 256 : 0);
  return { at: sizeAt + width, size, checksum: flags & CHECKSUM ? 4 : 0 };
}

/** The blocks of a frame: where they end, and the least and the most bytes that they become. */
function walk(b: Buffer, at: number): { readonly end: number; readonly least: number; readonly most: number } {
  let least = 0;
  let most = 0;
  for (let p = at; ;) {
    need(b, p, 3);
    const word = b.readUIntLE(p, 3);
    const type = (word >>> 1) & 3;
    const size = word >>> 3;
    if (type > COMPRESSED || size > MAX_BLOCK) throw new Error('the header of a block is none');
    if (type !== COMPRESSED) least += size;
    most += type === COMPRESSED ? MAX_BLOCK : size;
    p += 3;
    p += need(b, p, type === RLE ? 1 : size);
    if (word & 1) return { end: p, least, most };
  }
}
