import { newRecords, type Header, type RecordBatch } from '../../engine/records.ts';
import { PipeError } from '../../errors.ts';
import { codecOf } from './codecs/index.ts';
import type { AbortedTransaction } from './protocol-fetch.ts';
import { BASE_TIMESTAMP_AT, CODEC_BITS, damaged, LOG_APPEND_TIME, MAX_TIMESTAMP_AT, readLong, RECORDS_AT } from './record-batch.ts';
import { walkBatches, type WantedBatch } from './record-batch-walk.ts';
import { VarintReader } from './varint-reader.ts';

/** A compressed batch that would become larger, with those fetched together with it, is taken for damaged. */
const MAX_UNZIPPED = 512 << 20;
/** Length, attributes, time, offset, lengths of key and value, headers: a byte each. */
const MIN_RECORD = 7;
const NO_HEADERS: readonly Header[] = [];

/** One record batch of a fetch whose records are given out: its records are bytes [start, end) of `data`. */
interface Section {
  readonly base: number;
  readonly count: number;
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  data: Buffer;
  start: number;
  end: number;
}

/**
 * Turns what was fetched of one partition into positions. Control batches and aborted transactions are left out, but positions go
 * beyond them. The arrays are reused by the next call.
 */
export class PartitionDecoder {
  readonly #topic: string;
  readonly #partition: number;
  #capacity = 0;
  #valueStart = new Int32Array(0);
  #valueEnd = new Int32Array(0);
  #keyStart = new Int32Array(0);
  #keyEnd = new Int32Array(0);
  #headersAt = new Int32Array(0);
  #offsets = new Float64Array(0);
  #timestamps = new Float64Array(0);
  #length = 0;
  #next = 0;

  constructor(topic: string, partition: number) {
    this.#topic = topic;
    this.#partition = partition;
  }

  /**
   * Records from offset `from` on; a batch at the end that was cut short is left for the next fetch. The codecs of what was fetched were
   * loaded. Throws system.source.corrupt_batch and system.source.codec.
   */
  decode(fetched: Buffer, from: number, aborted: readonly AbortedTransaction[]): RecordBatch {
    const { wanted, next } = walkBatches(fetched, from, aborted, true, (base, what) => this.#damaged(base, what));
    this.#next = next;
    const sections = this.#sections(fetched, wanted);
    const data = oneBuffer(fetched, sections);
    this.#reserve(sections.reduce((n, s) => n + s.count, 0));
    this.#length = 0;
    for (const s of sections) this.#records(data, s, from);
    return this.#result(data);
  }

  #sections(fetched: Buffer, wanted: readonly WantedBatch[]): Section[] {
    let room = MAX_UNZIPPED;
    return wanted.map(b => {
      const section = this.#section(fetched, b, room);
      if (section.data !== fetched) room -= section.data.length;
      return section;
    });
  }

  /** `room`: bytes that a compressed batch may become. */
  #section(fetched: Buffer, { at, end, base, attributes, count }: WantedBatch, room: number): Section {
    const start = at + RECORDS_AT;
    const unzipped = this.#unzip(fetched.subarray(start, end), attributes, base, room);
    const size = unzipped?.length ?? end - start;
    if (count < 0 || count * MIN_RECORD > size) throw this.#damaged(base, `${size} bytes are not ${count} records`, attributes);
    return {
      base, attributes, count, baseTimestamp: readLong(fetched, at + BASE_TIMESTAMP_AT), maxTimestamp: readLong(fetched, at + MAX_TIMESTAMP_AT),
      ...(unzipped === null ? { data: fetched, start, end } : { data: unzipped, start: 0, end: size }),
    };
  }

  /** Null where the records are not compressed. */
  #unzip(bytes: Buffer, attributes: number, base: number, room: number): Buffer | null {
    const id = attributes & CODEC_BITS;
    if (id === 0) return null;
    const codec = codecOf(id);
    if (codec === null) {
      throw new PipeError('system.source.codec', `the record batch at offset ${base} of ${this.#topic}/${this.#partition} is compressed with codec ${id}, which is not known`, {
        hint: 'gzip, snappy, lz4, zstd and none are read',
      });
    }
    try {
      return codec.decompress(bytes, Math.max(room, 1));
    } catch (error) {
      throw this.#damaged(base, (error as Error).message, attributes);
    }
  }

  /** Hot: nothing is allocated per record. */
  #records(b: Buffer, s: Section, from: number): void {
    const { base, count, end, baseTimestamp } = s;
    const appendTime = (s.attributes & LOG_APPEND_TIME) !== 0 ? s.maxTimestamp : null;
    const valueStart = this.#valueStart;
    const valueEnd = this.#valueEnd;
    const keyStart = this.#keyStart;
    const keyEnd = this.#keyEnd;
    const headersAt = this.#headersAt;
    const offsets = this.#offsets;
    const timestamps = this.#timestamps;
    let row = this.#length;
    let p = s.start;
    let byte = 0;
    let v = 0;
    let shift = 0;
    for (let i = 0; i < count; i++) {
      v = 0; shift = 0;
      do { byte = b[p++] as number; v |= (byte & 127) << shift; shift += 7; } while (byte > 127);
      const recordEnd = p + ((v >>> 1) ^ -(v & 1));
      p++;
      byte = b[p++] as number;
      let time = byte & 127;
      if (byte > 127) {
        // up to 64 bits: beyond 2^31 in arithmetic, not in bits
        let scale = 128;
        do { byte = b[p++] as number; time += (byte & 127) * scale; scale *= 128; } while (byte > 127);
      }
      time = time % 2 === 0 ? time / 2 : -(time + 1) / 2;
      v = 0; shift = 0;
      do { byte = b[p++] as number; v |= (byte & 127) << shift; shift += 7; } while (byte > 127);
      const offset = base + ((v >>> 1) ^ -(v & 1));
      v = 0; shift = 0;
      do { byte = b[p++] as number; v |= (byte & 127) << shift; shift += 7; } while (byte > 127);
      const keyLength = (v >>> 1) ^ -(v & 1);
      if (keyLength < 0) keyStart[row] = keyEnd[row] = -1;
      else { keyStart[row] = p; p += keyLength; keyEnd[row] = p; }
      v = 0; shift = 0;
      do { byte = b[p++] as number; v |= (byte & 127) << shift; shift += 7; } while (byte > 127);
      const valueLength = (v >>> 1) ^ -(v & 1);
      if (valueLength < 0) valueStart[row] = valueEnd[row] = -1;
      else { valueStart[row] = p; p += valueLength; valueEnd[row] = p; }
      if (!(p < recordEnd) || recordEnd > end) throw this.#damaged(base, `record ${i + 1} of ${count} is longer than it`, s.attributes);
      headersAt[row] = p;
      offsets[row] = offset;
      timestamps[row] = appendTime ?? baseTimestamp + time;
      if (offset >= from) row++;
      p = recordEnd;
    }
    this.#length = row;
  }

  #result(data: Buffer): RecordBatch {
    const n = this.#length;
    const headersAt = this.#headersAt;
    return newRecords({
      topic: this.#topic, partition: this.#partition, length: n, data, next: this.#next,
      valueStart: this.#valueStart.subarray(0, n), valueEnd: this.#valueEnd.subarray(0, n), keyStart: this.#keyStart.subarray(0, n), keyEnd: this.#keyEnd.subarray(0, n),
      offsets: this.#offsets.subarray(0, n), timestamps: this.#timestamps.subarray(0, n),
      headers: row => readHeaders(data, headersAt[row] as number) ?? this.#noHeaders(row),
    });
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#capacity = Math.max(rows, this.#capacity * 2);
    this.#valueStart = new Int32Array(this.#capacity);
    this.#valueEnd = new Int32Array(this.#capacity);
    this.#keyStart = new Int32Array(this.#capacity);
    this.#keyEnd = new Int32Array(this.#capacity);
    this.#headersAt = new Int32Array(this.#capacity);
    this.#offsets = new Float64Array(this.#capacity);
    this.#timestamps = new Float64Array(this.#capacity);
  }

  #noHeaders(row: number): never { throw this.#damaged(this.#offsets[row] as number, 'its headers are longer than the batch'); }

  /** Names the codec of the attributes, too. */
  #damaged(offset: number, what: string, attributes = 0): PipeError {
    const codec = codecOf(attributes & CODEC_BITS);
    return damaged(this.#topic, this.#partition, offset, codec === null ? what : `${codec.name}: ${what}`);
  }
}

/** All sections in one buffer: the fetched one as long as nothing was compressed. */
function oneBuffer(fetched: Buffer, sections: readonly Section[]): Buffer {
  const [first] = sections;
  if (first === undefined || sections.every(s => s.data === fetched)) return fetched;
  if (sections.length === 1) return first.data;
  const whole = Buffer.allocUnsafeSlow(sections.reduce((n, s) => n + s.end - s.start, 0));
  let at = 0;
  for (const s of sections) {
    s.data.copy(whole, at, s.start, s.end);
    s.data = whole;
    const length = s.end - s.start;
    s.start = at;
    at += length;
    s.end = at;
  }
  return whole;
}

/** Null where they are longer than the data. */
function readHeaders(b: Buffer, at: number): readonly Header[] | null {
  if (b[at] === 0) return NO_HEADERS;
  const c = new VarintReader(b, at, b.length);
  const headers: Header[] = [];
  for (let n = c.varint(); n > 0; n--) {
    const key = (c.bytes() ?? Buffer.alloc(0)).toString();
    headers.push({ key, value: c.bytes() });
    if (c.pos > b.length || (n > 1 && c.pos === b.length)) return null;
  }
  return headers;
}
