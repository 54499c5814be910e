import { openBlock, sliceRecords } from '../../engine/block.ts';
import { newRecords, PACK_BYTES, PACK_RECORDS, PackedRecords, type PackedPart, type Place, type RecordBatch } from '../../engine/records.ts';
import { join, joinSmall } from './join.ts';

export const BLOCK_FORM = 'block';

/** The records of blocks that follow one another. Throws system.source.corrupt_batch. */
export function unpackBlocks(parts: readonly PackedPart[], topic: string, partition: number): RecordBatch {
  const blocks = parts.map(p => openBlock(p.data, topic, partition, p.base, p.at));
  return blocks.length === 1 ? (blocks[0] as RecordBatch) : join(blocks);
}

/** A block that is left where it is. */
class PlacedBlock implements PackedPart {
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
  readonly #batches: RecordBatch[] = [];
  #open: RecordBatch[] = [];
  #placed: PlacedBlock[] = [];
  #placedBytes = 0;
  /** Records so far. */
  records = 0;
  /** Bytes of their blocks. */
  bytes = 0;
  /** Behind the last of them. */
  next: number;

  /** Records from offset `next` on. */
  constructor(topic: string, partition: number, next: number) {
    this.#topic = topic;
    this.#partition = partition;
    this.next = next;
  }

  /** False where the block does not hold the next record. Throws system.source.corrupt_batch. */
  add(data: Buffer, base: number, at: number | null): boolean {
    const block = openBlock(data, this.#topic, this.#partition, base, at);
    const { next } = this;
    if (base > next || block.next <= next) return false;
    this.#flushPlaced();
    this.#open.push(base < next ? sliceRecords(block, next - base, block.length) : block);
    this.#added(block.next, data.length);
    return true;
  }

  /** The same of one that is left at its place, of so many records and about so many bytes; `read` is for who looks at it in this thread. */
  leave(place: Place, base: number, records: number, at: number | null, bytes: number, read: () => Buffer): boolean {
    if (base !== this.next || records <= 0) return false;
    this.#flushOpen();
    if (this.#placedBytes + bytes > PACK_BYTES || base + records - (this.#placed[0]?.base ?? base) > PACK_RECORDS) this.#flushPlaced();
    this.#placed.push(new PlacedBlock(place, base, at, read));
    this.#placedBytes += bytes;
    this.#added(base + records, bytes);
    return true;
  }

  batches(): RecordBatch[] {
    this.#flushOpen();
    this.#flushPlaced();
    return this.#batches;
  }

  #added(next: number, bytes: number): void {
    this.records += next - this.next;
    this.bytes += bytes;
    this.next = next;
  }

  #flushOpen(): void {
    for (const b of joinSmall(this.#open)) this.#batches.push(newRecords(b));
    this.#open = [];
  }

  #flushPlaced(): void {
    const [first] = this.#placed;
    if (first === undefined) return;
    const { next } = this;
    this.#batches.push(new PackedRecords({ topic: this.#topic, partition: this.#partition, length: next - first.base, next }, { form: BLOCK_FORM, parts: this.#placed, unpack: unpackBlocks }));
    this.#placed = [];
    this.#placedBytes = 0;
  }
}
