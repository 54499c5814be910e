/*
 * A block holds the records of one topic and partition: what the outbox keeps and what the embedded log stores, byte for byte.
 *
 *   0  u32 magic 'pb02'   4  u32 crc32 of bytes 8 to 32 and of the records   8  u32 records   12 u32 bytes of records
 *   16 f64 time of the first record   24 f64 highest time   32 room of BATCH_HEAD bytes   93 records
 *
 * Numbers are little-endian. Records are those of Kafka's record batch, format 2 (https://kafka.apache.org/documentation/#record):
 *   varint length of what follows | 0 | varint time - time of the first | varint row | varint key length, key | varint value length, value |
 *   varint headers { varint key length, key, varint value length, value }
 * with varints zigzag and a length of -1 for NULL. So a block goes to Kafka as it lies: the header of the batch is written into the room.
 */
export const MAGIC = 0x32306270;
export const CRC_AT = 4;
export const ROWS_AT = 8;
export const BYTES_AT = 12;
export const FIRST_TIME_AT = 16;
export const LAST_TIME_AT = 24;
/** End of what the checksum covers of the head. */
export const HEAD_END = 32;
/** Bytes of the header of Kafka's record batch. */
const BATCH_HEAD = 61;
export const RECORDS_AT: number = HEAD_END + BATCH_HEAD;

/** Bytes of a varint of 32 bits. */
export function intSize(v: number): number {
  const z = ((v << 1) ^ (v >> 31)) >>> 0;
  return z < 128 ? 1 : z < 16384 ? 2 : z < 2097152 ? 3 : z < 268435456 ? 4 : 5;
}

/** Writes a varint of 32 bits; returns its end. */
export function putInt(b: Uint8Array, at: number, v: number): number {
  let z = ((v << 1) ^ (v >> 31)) >>> 0;
  let p = at;
  while (z > 127) { b[p++] = (z & 127) | 128; z >>>= 7; }
  b[p++] = z;
  return p;
}

/** Zigzag in arithmetic, because times differ by more than 2^31 ms. */
const zigzag = (v: number): number => (v < 0 ? -2 * v - 1 : 2 * v);

export function longSize(v: number): number {
  let n = 1;
  for (let z = zigzag(v); z >= 128; z = Math.floor(z / 128)) n++;
  return n;
}

/** Writes a varint of 64 bits that is a safe integer; returns its end. */
export function putLong(b: Uint8Array, at: number, v: number): number {
  let p = at;
  let z = zigzag(v);
  for (; z >= 128; z = Math.floor(z / 128)) b[p++] = (z % 128) | 128;
  b[p++] = z;
  return p;
}

/** A varint of up to 53 bits. */
export function getLong(b: Uint8Array, at: number): number {
  const first = b[at] as number;
  if (first < 128) return (first >> 1) ^ -(first & 1);
  const second = b[at + 1] as number;
  if (second < 128) return (((second << 7) | (first & 127)) >> 1) ^ -(first & 1);
  let z = 0;
  let p = at;
  for (let unit = 1; ; unit *= 128) {
    const byte = b[p++] as number;
    z += (byte & 127) * unit;
    if (!(byte > 127)) break;
  }
  return z % 2 === 0 ? z / 2 : -(z + 1) / 2;
}

/** The position after a varint. */
export function skipInt(b: Uint8Array, at: number): number {
  let p = at;
  while ((b[p] as number) > 127) p++;
  return p + 1;
}
