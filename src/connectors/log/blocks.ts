import { openBlocks, sliceRecords } from '../../engine/block.ts';
import { ArrayStock } from '../../engine/record-arrays.ts';
import { newRecords, PACK_BYTES, PACK_RECORDS, PackedRecords, type PackedPart, type Place, type RecordBatch, type Unpack } from '../../engine/records.ts';
import type { PipeError } from '../../errors.ts';
import { missingRecord } from './lost.ts';

export const BLOCK_FORM = 'block';

/** Blocks below this many bytes are opened together: what is done per batch is not done per record. */
const SMALL_BYTES = 64 << 10;

const unpackBlocks: Unpack = (parts, topic, partition) => openBlocks(parts, topic, partition, new ArrayStock());

/** For one who looks at no records after those that came next: the arrays are used again. What it makes throws system.source.corrupt_batch. */
export function unpackBlocksInTurn(): Unpack {
  const stock = new ArrayStock();
  return (parts, topic, partition) => {
    stock.again();
    return openBlocks(parts, topic, partition, stock);
  };
}

/** A block that is left where it is. */
class LeftBlock implements PackedPart {
  readonly place: Place;
  readonly base: number;
  readonly at: number | null;
  readonly #read: () => Buffer;

  constructor(place: Place, base: number, at: number | null, read: () => Buffer) {
    this.place = place;
    this.base = base;
    this.at = at;
    this.#read = read;
  }

  get data(): Buffer { return this.#read(); }
}

/** Collects the blocks of one partition in their order, as batches of a source: many small blocks become one batch. */
export class Blocks {
  readonly #topic: string;
  readonly #partition: number;
  readonly #stock: ArrayStock;
  readonly #batches: RecordBatch[] = [];
  #small: PackedPart[] = [];
  #left: LeftBlock[] = [];
  #leftBytes = 0;
  /** Records so far. */
  records = 0;
  /** Bytes of their blocks. */
  bytes = 0;
  /** Behind the last of them. */
  next: number;

  /** Records from offset `next` on, in arrays of the stock. */
  constructor(topic: string, partition: number, next: number, stock: ArrayStock) {
    this.#topic = topic;
    this.#partition = partition;
    this.next = next;
    this.#stock = stock;
  }

  /** A block, of so many records. Throws system.source.corrupt_batch, also where it does not hold the next record. */
  add(block: PackedPart, records: number): void {
    const { next } = this;
    if (block.base > next || block.base + records <= next) throw this.#gap();
    this.#flushLeft();
    if (block.base === next && block.data.length < SMALL_BYTES) this.#small.push(block);
    else {
      this.#flushSmall();
      this.#open([block], next, block.base + records);
    }
    this.#added(block.base + records, block.data.length);
  }

  /** The same of one that is left at its place, of so many bytes; `read` is for who looks at it in this thread. */
  leave(place: Place, base: number, records: number, at: number | null, bytes: number, read: () => Buffer): void {
    if (base !== this.next || records <= 0) throw this.#gap();
    this.#flushSmall();
    if (this.#leftBytes + bytes > PACK_BYTES || base + records - (this.#left[0]?.base ?? base) > PACK_RECORDS) this.#flushLeft();
    this.#left.push(new LeftBlock(place, base, at, read));
    this.#leftBytes += bytes;
    this.#added(base + records, bytes);
  }

  /** At least one. Throws system.source.corrupt_batch. */
  batches(): RecordBatch[] {
    if (this.records === 0) throw this.#gap();
    this.#flushSmall();
    this.#flushLeft();
    return this.#batches;
  }

  #added(next: number, bytes: number): void {
    this.records += next - this.next;
    this.bytes += bytes;
    this.next = next;
  }

  #flushSmall(): void {
    const [first] = this.#small;
    if (first !== undefined) this.#open(this.#small, first.base, this.next);
    this.#small = [];
  }

  /** Records that stood before the next one are left out. */
  #open(blocks: readonly PackedPart[], from: number, end: number): void {
    const b = openBlocks(blocks, this.#topic, this.#partition, this.#stock);
    if (b.next !== end) throw this.#gap(Math.min(b.next, end));
    const [{ base }] = blocks as readonly [PackedPart];
    this.#batches.push(newRecords(sliceRecords(b, Math.max(0, from - base), b.length)));
  }

  #flushLeft(): void {
    const [first] = this.#left;
    if (first === undefined) return;
    const { next } = this;
    this.#batches.push(new PackedRecords({ topic: this.#topic, partition: this.#partition, length: next - first.base, next }, { form: BLOCK_FORM, parts: this.#left, unpack: unpackBlocks }));
    this.#left = [];
    this.#leftBytes = 0;
  }

  #gap(offset = this.next): PipeError { return missingRecord(this.#topic, this.#partition, offset); }
}
