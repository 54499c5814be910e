import { PipeError } from '../errors.ts';

/**
 * Records of one partition of one topic in offset order, as ranges of one buffer: nothing is allocated per record.
 * What sources give, what decoders read. Valid until the source's next poll unless copied.
 */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  readonly data: Buffer;
  /** [valueStart, valueEnd) in `data`; valueStart -1 is a null value (tombstone). */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** [keyStart, keyEnd) in `data`; keyStart -1 is a null key. */
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly offsets: Float64Array;
  /** Record timestamps, epoch ms. */
  readonly timestamps: Float64Array;
  headers(row: number): readonly Header[];
  /** How many pipelines of this process are given this very batch; 1 when absent. */
  readonly readers?: number;
  /** The same records as their log keeps them, where the source was asked for that; all other fields are made of it when they are looked at. */
  readonly packed?: Packed;
  /** Where to go on after this batch; beyond the last offset + 1 when control or aborted records follow. A batch may hold 0 records and only move this. */
  readonly next: number;
}

/** A batch as sources give it: all have one shape, on which hot loops rely. `more` is what the batch at hand does not say of itself. */
export const newRecords = (r: RecordBatch, more: Pick<RecordBatch, 'readers'> = {}): RecordBatch => ({
  topic: r.topic, partition: r.partition, length: r.length, data: r.data, valueStart: r.valueStart, valueEnd: r.valueEnd, keyStart: r.keyStart, keyEnd: r.keyEnd,
  offsets: r.offsets, timestamps: r.timestamps, headers: r.headers, readers: more.readers ?? r.readers ?? 1, next: r.next,
});

/** Bytes and records that are packed together, about: what is done for each pack, messages between threads above all, is worth it then. */
export const PACK_BYTES = 768 << 10;
export const PACK_RECORDS = 16_384;

/** Records as their log keeps them: who has another thread for them unpacks them there, for `form` says how (connectors/unpack.ts). */
export interface Packed {
  readonly form: string;
  readonly parts: readonly PackedPart[];
  /** What `form` stands for. */
  readonly unpack: Unpack;
}

export interface PackedPart {
  /** Read when it is looked at where it has a place. Throws system.source.offset_lost. */
  readonly data: Buffer;
  /** Where another thread finds it. */
  readonly place?: Place;
  /** Offset of its first record. */
  readonly base: number;
  /** Time of all its records, epoch ms, where that is not in the data. */
  readonly at: number | null;
}

/** A partition of a log that any thread of this process can read. */
export interface Place {
  /** Of the file. */
  readonly path: string;
  /** Key of the partition in it. */
  readonly tp: number;
}

/** Throws system.source.corrupt_batch. */
export type Unpack = (parts: readonly PackedPart[], topic: string, partition: number) => RecordBatch;

/** What another thread opens packed records with. */
export interface Unpacker {
  /** Loads what these parts need; null when there is nothing to wait for, which there never is where this is absent. */
  ready?(parts: readonly PackedPart[]): Promise<void> | null;
  /** What lies at a place from offset `base` on, once that is ready. Throws system.source.offset_lost, topic_missing. */
  read?(place: Place, base: number, topic: string, partition: number): Buffer;
  readonly unpack: Unpack;
}

/** `length` records that are unpacked when somebody looks at them, and as often as that is in another thread. */
export class PackedRecords implements RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  readonly next: number;
  packed: Packed;
  readonly readers: number;
  #records: RecordBatch | null = null;

  constructor(r: Pick<RecordBatch, 'topic' | 'partition' | 'length' | 'next' | 'readers'>, packed: Packed) {
    this.topic = r.topic;
    this.partition = r.partition;
    this.length = r.length;
    this.next = r.next;
    this.readers = r.readers ?? 1;
    this.packed = packed;
  }

  get data(): Buffer { return this.#open().data; }
  get valueStart(): Int32Array { return this.#open().valueStart; }
  get valueEnd(): Int32Array { return this.#open().valueEnd; }
  get keyStart(): Int32Array { return this.#open().keyStart; }
  get keyEnd(): Int32Array { return this.#open().keyEnd; }
  get offsets(): Float64Array { return this.#open().offsets; }
  get timestamps(): Float64Array { return this.#open().timestamps; }
  headers(row: number): readonly Header[] { return this.#open().headers(row); }

  /** They are to outlive the next poll of their reader, which uses its memory again. */
  keep(): void {
    this.packed = { ...this.packed, parts: this.packed.parts.map(p => (p.place === undefined ? { ...p, data: Buffer.from(p.data) } : p)) };
    this.#records = null;
  }

  #open(): RecordBatch { return this.#records ??= asMany(this.packed.unpack(this.packed.parts, this.topic, this.partition), this.length); }
}

/** Unpacked records, which must be as many as their log has said. Throws system.source.corrupt_batch. */
export function asMany(r: RecordBatch, length: number): RecordBatch {
  if (r.length === length) return r;
  throw new PipeError('system.source.corrupt_batch', `there are ${r.length} records at offset ${r.next - r.length} of ${r.topic}/${r.partition} where its log says ${length}`, { hint: 'restore a copy of the log' });
}

/** The same for one of several pipelines that are given it. */
export const sharedBy = (r: RecordBatch, readers: number): RecordBatch =>
  r.packed === undefined ? newRecords(r, { readers }) : new PackedRecords({ topic: r.topic, partition: r.partition, length: r.length, next: r.next, readers }, r.packed);

/** Bytes of keys and values of records [from, to). */
export const bytesOf = (r: RecordBatch, from: number, to: number): number => lengths(r.keyStart, r.keyEnd, from, to) + lengths(r.valueStart, r.valueEnd, from, to);

/** Bytes of ranges [from, to); an absent one is [-1, -1). */
function lengths(starts: Int32Array, ends: Int32Array, from: number, to: number): number {
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += (ends[i] as number) - (starts[i] as number);
  return bytes;
}

export interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}
