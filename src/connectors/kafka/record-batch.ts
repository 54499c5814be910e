import { PipeError } from '../../errors.ts';

/*
 * Header of a record batch, format 2 (https://kafka.apache.org/documentation/#recordbatch):
 * 0 i64 base offset   8 i32 length from 12 on   12 i32 leader epoch   16 i8 magic   17 u32 crc32c of 21 on   21 i16 attributes
 * 23 i32 last offset delta   27 i64 base timestamp   35 i64 max timestamp   43 i64 producer id   51 i16 producer epoch
 * 53 i32 base sequence   57 i32 records   61 records, or these compressed
 */
export const LENGTH_AT = 8;
export const AFTER_LENGTH = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const LAST_DELTA_AT = 23;
export const BASE_TIMESTAMP_AT = 27;
export const MAX_TIMESTAMP_AT = 35;
export const PRODUCER_ID_AT = 43;
export const PRODUCER_EPOCH_AT = 51;
export const BASE_SEQUENCE_AT = 53;
export const COUNT_AT = 57;
export const RECORDS_AT = 61;

export const MAGIC = 2;
export const CODEC_BITS = 7;
export const LOG_APPEND_TIME = 8;
export const TRANSACTIONAL = 16;
export const CONTROL = 32;

export const damaged = (topic: string, partition: number, offset: number, what: string): PipeError =>
  new PipeError('system.source.corrupt_batch', `the record batch at offset ${offset} of ${topic}/${partition} is damaged: ${what}`);

/** An int64 below 2^53 in absolute value, such as an offset or a time. */
export const readLong = (b: Buffer, at: number): number => b.readInt32BE(at) * 4294967296 + b.readUInt32BE(at + 4);

/** Where to fetch on: behind the last whole batch, by the headers alone; `from` where there is none. */
export function offsetAfter(fetched: Buffer, from: number): number {
  let next = from;
  for (const at of wholeBatches(fetched)) next = Math.max(next, readLong(fetched, at) + fetched.readInt32BE(at + LAST_DELTA_AT) + 1);
  return next;
}

/** Numbers of the codecs of all whole batches, 0 for none, by the headers alone. */
export function codecIds(fetched: Buffer): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const at of wholeBatches(fetched)) ids.add(fetched.readInt16BE(at + ATTRIBUTES_AT) & CODEC_BITS);
  return ids;
}

/** Where each begins; one that is cut short or damaged ends it. */
function* wholeBatches(fetched: Buffer): Generator<number> {
  for (let at = 0; at + RECORDS_AT <= fetched.length;) {
    const end = at + AFTER_LENGTH + fetched.readInt32BE(at + LENGTH_AT);
    if (end > fetched.length || end < at + RECORDS_AT) return;
    yield at;
    at = end;
  }
}
