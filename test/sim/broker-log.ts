import { crc32c } from '../../src/connectors/kafka/crc32c.ts';

/** What the partition has of a producer: its epoch, the sequence that must come next, and the last batches, to know them again. */
interface Producer {
  epoch: number;
  next: number;
  last: { readonly sequence: number; readonly base: number }[];
}

export interface StoredBatch {
  readonly base: number;
  readonly count: number;
  readonly bytes: Buffer;
  readonly producer: bigint;
  readonly control: boolean;
  /** Of a transaction that is not decided in this partition. */
  open: boolean;
  aborted: boolean;
}

export interface StoredRecord {
  readonly key: string | null;
  readonly value: string;
}

const NONE = 0;
const CORRUPT_MESSAGE = 2;
const OUT_OF_ORDER = 45;
const INVALID_EPOCH = 47;

/** One partition: batches, producer states, open and aborted transactions. As UnifiedLog and ProducerStateManager of Kafka 4.1 do it. */
export class PartitionLog {
  readonly batches: StoredBatch[] = [];
  end = 0;
  readonly aborted: { readonly producer: bigint; readonly first: number; readonly last: number }[] = [];
  readonly #open = new Map<bigint, number>();
  readonly #producers = new Map<bigint, Producer>();

  /** First offset that a read_committed reader does not see. */
  get stable(): number {
    let least = this.end;
    for (const first of this.#open.values()) if (first < least) least = first;
    return least;
  }

  /** Epoch of a producer as this log knows it; -1 for none. */
  epochOf(producer: bigint): number { return this.#producers.get(producer)?.epoch ?? -1; }

  /** One batch as it came; an error code, or 0 also for one that is here already. */
  append(bytes: Buffer): number {
    if (crc32c(bytes, 21, bytes.length) !== bytes.readUInt32BE(17)) return CORRUPT_MESSAGE;
    const count = bytes.readInt32BE(57);
    const producer = bytes.readBigInt64BE(43);
    const epoch = bytes.readInt16BE(51);
    const sequence = bytes.readInt32BE(53);
    const transactional = (bytes.readInt16BE(21) & 16) !== 0;
    if (producer >= 0n) {
      const known = this.#producers.get(producer);
      if (known !== undefined && epoch < known.epoch) return INVALID_EPOCH;
      if (known !== undefined && epoch === known.epoch && known.last.some(l => l.sequence === sequence)) return NONE;
      const expected = known === undefined || epoch > known.epoch ? 0 : known.next;
      if (sequence !== expected) return OUT_OF_ORDER;
      const now = known ?? { epoch, next: 0, last: [] };
      if (epoch > now.epoch) now.last = [];
      now.epoch = epoch;
      now.next = sequence + count;
      now.last = [...now.last.slice(-4), { sequence, base: this.end }];
      this.#producers.set(producer, now);
    }
    if (transactional && !this.#open.has(producer)) this.#open.set(producer, this.end);
    const stored = Buffer.from(bytes);
    stored.writeBigInt64BE(BigInt(this.end), 0);
    this.batches.push({ base: this.end, count, bytes: stored, producer, control: false, open: transactional, aborted: false });
    this.end += count;
    return NONE;
  }

  /** The control record that ends a transaction; the records that it decides on. */
  mark(producer: bigint, epoch: number, commit: boolean): StoredBatch[] {
    const decided = this.batches.filter(b => b.open && b.producer === producer);
    for (const b of decided) { b.open = false; b.aborted = !commit; }
    const known = this.#producers.get(producer);
    if (known === undefined) this.#producers.set(producer, { epoch, next: 0, last: [] });
    else if (epoch > known.epoch) { known.epoch = epoch; known.next = 0; known.last = []; }
    const first = this.#open.get(producer);
    this.#open.delete(producer);
    if (!commit && first !== undefined) this.aborted.push({ producer, first, last: this.end });
    this.batches.push({ base: this.end, count: 1, bytes: controlBatch(this.end, producer, epoch, commit), producer, control: true, open: false, aborted: false });
    this.end++;
    return decided;
  }
}

/** A record batch of one control record: key {i16 version, i16 type}, value {i16 version, i32 coordinator epoch}. */
function controlBatch(base: number, producer: bigint, epoch: number, commit: boolean): Buffer {
  const record = Buffer.from([0, 0, 0, 8, 0, 0, 0, commit ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0]);
  const b = Buffer.alloc(61 + 1 + record.length);
  b.writeBigInt64BE(BigInt(base), 0);
  b.writeInt32BE(b.length - 12, 8);
  b.writeInt32BE(-1, 12);
  b[16] = 2;
  b.writeInt16BE(16 | 32, 21);
  b.writeBigInt64BE(producer, 43);
  b.writeInt16BE(epoch, 51);
  b.writeInt32BE(-1, 53);
  b.writeInt32BE(1, 57);
  b[61] = record.length * 2;
  record.copy(b, 62);
  b.writeUInt32BE(crc32c(b, 21, b.length), 17);
  return b;
}

/** Keys and values of a batch as text. */
export function recordsOf(b: StoredBatch): StoredRecord[] {
  const { bytes } = b;
  let p = 61;
  const int = (): number => {
    let v = 0;
    let scale = 1;
    let byte: number;
    do { byte = bytes[p++] as number; v += (byte & 127) * scale; scale *= 128; } while (byte > 127);
    return v % 2 === 0 ? v / 2 : -(v + 1) / 2;
  };
  const text = (): string | null => {
    const length = int();
    if (length < 0) return null;
    p += length;
    return bytes.toString('utf8', p - length, p);
  };
  return Array.from({ length: b.count }, () => {
    const length = int();
    const end = p + length;
    p++;
    int();
    int();
    const key = text();
    const value = text() ?? '';
    p = end;
    return { key, value };
  });
}
