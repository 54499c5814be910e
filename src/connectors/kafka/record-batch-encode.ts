import type { RecordBatch } from '../../engine/records.ts';
import { FIRST_TIME_AT, HEAD_END, intSize, LAST_TIME_AT, longSize, MAGIC as BLOCK_MAGIC, putInt, putLong, ROWS_AT } from '../../engine/block-layout.ts';
import { copyBytes } from '../../engine/bytes.ts';
import { crc32c } from './crc32c.ts';
import {
  AFTER_LENGTH, ATTRIBUTES_AT, BASE_SEQUENCE_AT, BASE_TIMESTAMP_AT, COUNT_AT, CRC_AT, LAST_DELTA_AT, LENGTH_AT, MAGIC, MAGIC_AT, MAX_TIMESTAMP_AT, PRODUCER_EPOCH_AT, PRODUCER_ID_AT,
  RECORDS_AT, TRANSACTIONAL,
} from './record-batch.ts';

/** Below the broker's default limit of 1 MiB (max.message.bytes). */
export const BATCH_BYTES = 900_000;
const NO_SEQUENCE = -1;

export interface BatchProducer {
  /** -1n for none. */
  readonly producerId: bigint;
  readonly epoch: number;
  readonly transactional: boolean;
}

export const NO_PRODUCER: BatchProducer = { producerId: -1n, epoch: -1, transactional: false };

export interface EncodedBatch {
  readonly batch: Buffer;
  readonly records: number;
}

let scratch = Buffer.allocUnsafeSlow(1 << 20);

/** Sequence numbers go from 2^31 - 1 on to 0. */
export const nextSequence = (s: number, n: number): number => (s > 0x7fffffff - n ? n - (0x7fffffff - s) - 1 : s + n);

/**
 * A block as it lies, with the header of a batch in the room before its records: no byte of them moves. Null where it cannot be sent so:
 * it is larger than `limit`, or of an older layout.
 */
export function batchOfBlock(block: Buffer, p: BatchProducer, sequence: number, limit = BATCH_BYTES): EncodedBatch | null {
  const batch = block.subarray(HEAD_END);
  if (batch.length > limit || block.readUInt32LE(0) !== BLOCK_MAGIC) return null;
  const records = block.readUInt32LE(ROWS_AT);
  writeHeader(batch, records, block.readDoubleLE(FIRST_TIME_AT), block.readDoubleLE(LAST_TIME_AT), p, sequence);
  return { batch, records };
}

/** Records of one partition from row `from` on as ONE record batch, as many as `limit` bytes hold and at least one; `sequence` is the first one's, or null. */
export function encodeBatch(records: RecordBatch, from: number, p: BatchProducer, sequence: number | null, limit = BATCH_BYTES): EncodedBatch {
  const { timestamps } = records;
  const base = timestamps[from] as number;
  let max = base;
  let at = RECORDS_AT;
  let row = from;
  for (; row < records.length && (row === from || at < limit); row++) {
    const time = timestamps[row] as number;
    const end = writeRecord(records, row, at, time - base, row - from);
    if (end > limit && row > from) break;
    at = end;
    if (time > max) max = time;
  }
  const batch = Buffer.allocUnsafeSlow(at);
  scratch.copy(batch, RECORDS_AT, RECORDS_AT, at);
  writeHeader(batch, row - from, base, max, p, sequence);
  return { batch, records: row - from };
}

function writeHeader(b: Buffer, count: number, base: number, max: number, p: BatchProducer, sequence: number | null): void {
  b.fill(0, 0, RECORDS_AT);
  b.writeInt32BE(b.length - AFTER_LENGTH, LENGTH_AT);
  b.writeInt32BE(-1, AFTER_LENGTH);
  b[MAGIC_AT] = MAGIC;
  b.writeInt16BE(p.transactional ? TRANSACTIONAL : 0, ATTRIBUTES_AT);
  b.writeInt32BE(count - 1, LAST_DELTA_AT);
  b.writeBigInt64BE(BigInt(base), BASE_TIMESTAMP_AT);
  b.writeBigInt64BE(BigInt(max), MAX_TIMESTAMP_AT);
  b.writeBigInt64BE(p.producerId, PRODUCER_ID_AT);
  b.writeInt16BE(p.epoch, PRODUCER_EPOCH_AT);
  b.writeInt32BE(sequence ?? NO_SEQUENCE, BASE_SEQUENCE_AT);
  b.writeInt32BE(count, COUNT_AT);
  b.writeUInt32BE(crc32c(b, ATTRIBUTES_AT, b.length), CRC_AT);
}

/** Writes one record into the scratch at `at`; gives its end. */
function writeRecord(r: RecordBatch, row: number, at: number, timeDelta: number, offsetDelta: number): number {
  const keyFrom = r.keyStart[row] as number;
  const keyLength = keyFrom < 0 ? -1 : (r.keyEnd[row] as number) - keyFrom;
  const valueFrom = r.valueStart[row] as number;
  const valueLength = valueFrom < 0 ? -1 : (r.valueEnd[row] as number) - valueFrom;
  const headers = r.headers(row);
  const headerBytes = headers.length === 0 ? null : encodeHeaders(headers);
  const size = 1 + longSize(timeDelta) + intSize(offsetDelta) + intSize(keyLength) + Math.max(keyLength, 0) + intSize(valueLength) + Math.max(valueLength, 0) + (headerBytes?.length ?? 1);
  reserve(at + size + 5, at);
  const b = scratch;
  let p = putInt(b, at, size);
  b[p++] = 0;
  p = putLong(b, p, timeDelta);
  p = putInt(b, p, offsetDelta);
  p = putInt(b, p, keyLength);
  if (keyLength > 0) { copyBytes(r.data, keyFrom, keyFrom + keyLength, b, p); p += keyLength; }
  p = putInt(b, p, valueLength);
  if (valueLength > 0) { copyBytes(r.data, valueFrom, valueFrom + valueLength, b, p); p += valueLength; }
  if (headerBytes === null) b[p++] = 0;
  else p += headerBytes.copy(b, p);
  return p;
}

function reserve(needed: number, used: number): void {
  if (needed <= scratch.length) return;
  const bigger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, needed));
  scratch.copy(bigger, 0, 0, used);
  scratch = bigger;
}

function encodeHeaders(headers: readonly { readonly key: string; readonly value: Buffer | null }[]): Buffer {
  const head = Buffer.alloc(5);
  const int = (v: number): Buffer => Buffer.from(head.subarray(0, putInt(head, 0, v)));
  const parts = [int(headers.length)];
  for (const { key, value } of headers) {
    const name = Buffer.from(key);
    parts.push(int(name.length), name, int(value === null ? -1 : value.length));
    if (value !== null) parts.push(value);
  }
  return Buffer.concat(parts);
}
