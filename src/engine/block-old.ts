import { crc32 } from 'node:zlib';
import type { PipeError } from '../errors.ts';
import type { Header, RecordBatch } from './records.ts';

/*
 * The layout of blocks before 'pb02'; state files and logs may hold some.
 *
 *   0  u32 magic 'pb01'   4  u32 crc32 of the bytes from 8 on   8  u32 records   12  u32 bytes of payload   16  u32 bytes of headers
 *   20 u32 reserved   24 f64 timestamps[n]   i32 ends of keys[n]   i32 ends of values[n]   payload   headers
 *
 * Payload: key and value of each record, one after the other. An end of -1 - e marks NULL (e = where it would end).
 * All numbers are little-endian, as the views over them are. Headers: JSON per block, only where a record has any.
 */
export const OLD_MAGIC = 0x31306270;
const HEAD = 24;
const NO_HEADERS: readonly Header[] = [];

/** As openBlock. `bad` makes the error. */
export function openOldBlock(data: Buffer, topic: string, partition: number, base: number, timestamp: number | null, bad: (what: string) => PipeError): RecordBatch {
  if (data.length < HEAD) throw bad('no block begins here');
  const n = data.readUInt32LE(8);
  const payload = data.readUInt32LE(12);
  const headerBytes = data.readUInt32LE(16);
  if (data.length !== HEAD + 16 * n + payload + headerBytes) throw bad('its length is wrong');
  if (crc32(data.subarray(8)) !== data.readUInt32LE(4)) throw bad('its checksum is wrong');
  const aligned = data.byteOffset % 8 === 0 ? data : Buffer.from(new Uint8Array(data).buffer);
  const at = aligned.byteOffset + HEAD;
  const first = HEAD + 16 * n;
  const keyEnds = new Int32Array(aligned.buffer, at + 8 * n, n);
  const valueEnds = new Int32Array(aligned.buffer, at + 12 * n, n);
  const keyStart = new Int32Array(n);
  const keyEnd = new Int32Array(n);
  const valueStart = new Int32Array(n);
  const valueEnd = new Int32Array(n);
  const offsets = new Float64Array(n);
  let p = 0;
  for (let i = 0; i < n; i++) {
    const k = keyEnds[i] as number;
    const v = valueEnds[i] as number;
    offsets[i] = base + i;
    if (k < 0) keyStart[i] = keyEnd[i] = -1;
    else { keyStart[i] = first + p; keyEnd[i] = first + k; p = k; }
    if (v < 0) valueStart[i] = valueEnd[i] = -1;
    else { valueStart[i] = first + p; valueEnd[i] = first + v; p = v; }
  }
  const timestamps = timestamp === null ? new Float64Array(aligned.buffer, at, n) : new Float64Array(n).fill(timestamp);
  let headers: Map<number, Header[]> | null = null;
  return {
    topic, partition, length: n, data: aligned, keyStart, keyEnd, valueStart, valueEnd, offsets, timestamps, next: base + n,
    headers: row => {
      if (headerBytes === 0) return NO_HEADERS;
      headers ??= readHeaders(aligned.subarray(first + payload));
      return headers.get(row) ?? NO_HEADERS;
    },
  };
}

function readHeaders(bytes: Buffer): Map<number, Header[]> {
  const list = JSON.parse(bytes.toString()) as [number, [string, string | null][]][];
  return new Map(list.map(([row, hs]) => [row, hs.map(([key, value]) => ({ key, value: value === null ? null : Buffer.from(value, 'base64') }))]));
}
