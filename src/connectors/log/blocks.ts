import { BYTES_AT, MAGIC, RECORDS_AT, ROWS_AT } from '../../engine/block-layout.ts';
import { openBlock, sliceRecords } from '../../engine/block.ts';
import { newRecords, PackedRecords, type PackedPart, type RecordBatch } from '../../engine/records.ts';
import { join, joinSmall, SMALL_BYTES } from './join.ts';

export const BLOCK_FORM = 'block';

/** The records of blocks that follow one another. Throws system.source.corrupt_batch. */
export function unpackBlocks(parts: readonly PackedPart[], topic: string, partition: number): RecordBatch {
  const blocks = parts.map(p => openBlock(p.data, topic, partition, p.base, p.at));
  return blocks.length === 1 ? (blocks[0] as RecordBatch) : join(blocks);
}

/** Collects the blocks of one partition in their order, as batches of a source: many small blocks become one batch. */
export class Blocks {
  readonly #topic: string;
  readonly #partition: number;
  readonly #packed: boolean;
  readonly #batches: RecordBatch[] = [];
  #open: RecordBatch[] = [];
  #parts: PackedPart[] = [];
  #partBytes = 0;
  /** Records so far. */
  records = 0;
  /** Bytes of their blocks. */
  bytes = 0;
  /** Behind the last of them. */
  next: number;

  /** Records from offset `next` on; `packed`: where it can be, each block is left as it is. */
  constructor(topic: string, partition: number, next: number, packed: boolean) {
    this.#topic = topic;
    this.#partition = partition;
    this.#packed = packed;
    this.next = next;
  }

  /** False where the block does not hold the next record. Throws system.source.corrupt_batch. */
  add(data: Buffer, base: number, at: number | null): boolean {
    const { next } = this;
    const rows = this.#packed && base === next ? rowsOf(data) : null;
    if (rows === null ? !this.#addOpen(data, base, at) : !this.#addPacked(data, base, at, rows)) return false;
    this.records += this.next - next;
    this.bytes += data.length;
    return true;
  }

  batches(): RecordBatch[] {
    this.#flushOpen();
    this.#flushPacked();
    return this.#batches;
  }

  #addOpen(data: Buffer, base: number, at: number | null): boolean {
    const block = openBlock(data, this.#topic, this.#partition, base, at);
    const { next } = this;
    if (base > next || block.next <= next) return false;
    this.#flushPacked();
    this.#open.push(base < next ? sliceRecords(block, next - base, block.length) : block);
    this.next = block.next;
    return true;
  }

  #addPacked(data: Buffer, base: number, at: number | null, rows: number): boolean {
    this.#flushOpen();
    if (data.length >= SMALL_BYTES || this.#partBytes >= SMALL_BYTES) this.#flushPacked();
    this.#parts.push({ data, base, at });
    this.#partBytes += data.length;
    this.next = base + rows;
    return rows > 0;
  }

  #flushOpen(): void {
    for (const b of joinSmall(this.#open)) this.#batches.push(newRecords(b, { own: true }));
    this.#open = [];
  }

  #flushPacked(): void {
    const [first] = this.#parts;
    if (first === undefined) return;
    const { next } = this;
    this.#batches.push(new PackedRecords({ topic: this.#topic, partition: this.#partition, length: next - first.base, next, own: true }, { form: BLOCK_FORM, parts: this.#parts, unpack: unpackBlocks }));
    this.#parts = [];
    this.#partBytes = 0;
  }
}

/** Records of a block by its head, which is looked at when it is unpacked; null where it says nothing, or is of an older kind. */
function rowsOf(data: Buffer): number | null {
  if (data.length < RECORDS_AT || data.readUInt32LE(0) !== MAGIC || data.length !== RECORDS_AT + data.readUInt32LE(BYTES_AT)) return null;
  return data.readUInt32LE(ROWS_AT);
}
