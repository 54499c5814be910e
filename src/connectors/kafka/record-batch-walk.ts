import type { PipeError } from '../../errors.ts';
import { crc32c } from './crc32c.ts';
import type { AbortedTransaction } from './protocol-fetch.ts';
import { AFTER_LENGTH, ATTRIBUTES_AT, CONTROL, COUNT_AT, CRC_AT, LAST_DELTA_AT, LENGTH_AT, MAGIC, MAGIC_AT, PRODUCER_ID_AT, readLong, RECORDS_AT, TRANSACTIONAL } from './record-batch.ts';
import { VarintReader } from './varint-reader.ts';

/** A record batch whose records are given out: bytes [at, end) of what was fetched. */
export interface WantedBatch {
  readonly at: number;
  readonly end: number;
  readonly base: number;
  readonly attributes: number;
  /** Records by its header. */
  readonly count: number;
}

export interface Walked {
  readonly wanted: readonly WantedBatch[];
  /** Where to go on: also beyond control batches and aborted transactions. */
  readonly next: number;
}

/**
 * The batches of one partition whose records from `from` on are wanted, by the algorithm of the Java client (CompletedFetch): per batch,
 * with a set of producers. A batch at the end that was cut short is left for the next fetch. `checked`: of all batches the checksum is
 * looked at; else of those that are left out, and whoever opens the others looks at theirs. Throws what `bad` makes of a damaged one.
 */
export function walkBatches(fetched: Buffer, from: number, aborted: readonly AbortedTransaction[], checked: boolean, bad: (base: number, what: string) => PipeError): Walked {
  const wanted: WantedBatch[] = [];
  const open = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const dead = new Set<bigint>();
  let begun = 0;
  let next = from;
  for (let at = 0; at + RECORDS_AT <= fetched.length;) {
    const end = at + AFTER_LENGTH + fetched.readInt32BE(at + LENGTH_AT);
    if (end > fetched.length) break;
    const base = readLong(fetched, at);
    checkHead(fetched, at, end, base, bad);
    if (checked) checkSum(fetched, at, end, base, bad);
    const attributes = fetched.readInt16BE(at + ATTRIBUTES_AT);
    const last = base + fetched.readInt32BE(at + LAST_DELTA_AT);
    for (; begun < open.length && (open[begun] as AbortedTransaction).firstOffset <= last; begun++) dead.add((open[begun] as AbortedTransaction).producerId);
    const control = (attributes & CONTROL) !== 0;
    const isWanted = !control && last >= from && !(attributes & TRANSACTIONAL && dead.size > 0 && dead.has(fetched.readBigInt64BE(at + PRODUCER_ID_AT)));
    if (isWanted) wanted.push({ at, end, base, attributes, count: fetched.readInt32BE(at + COUNT_AT) });
    else if (!checked) checkSum(fetched, at, end, base, bad);
    if (control && isAbortMarker(fetched, at + RECORDS_AT, end)) dead.delete(fetched.readBigInt64BE(at + PRODUCER_ID_AT));
    next = Math.max(next, last + 1);
    at = end;
  }
  return { wanted, next };
}

function checkHead(fetched: Buffer, at: number, end: number, base: number, bad: (base: number, what: string) => PipeError): void {
  const magic = fetched[at + MAGIC_AT] as number;
  if (magic !== MAGIC) throw bad(base, `message format ${magic} is not known`);
  if (end < at + RECORDS_AT) throw bad(base, 'it is too short');
}

function checkSum(fetched: Buffer, at: number, end: number, base: number, bad: (base: number, what: string) => PipeError): void {
  if (crc32c(fetched, at + ATTRIBUTES_AT, end) !== fetched.readUInt32BE(at + CRC_AT)) throw bad(base, 'its checksum is wrong');
}

/** The one record of a control batch has the key {i16 version, i16 type}; type 0 aborts, 1 commits. */
function isAbortMarker(b: Buffer, start: number, end: number): boolean {
  const c = new VarintReader(b, start, end);
  c.varint();
  c.pos++;
  c.varint();
  c.varint();
  const length = c.varint();
  return length >= 4 && c.pos + 4 <= end && b.readInt16BE(c.pos + 2) === 0;
}
