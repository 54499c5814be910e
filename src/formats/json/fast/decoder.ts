import { newBatch, perColumn, type Batch } from '../../../engine/batch.ts';
import type { RecordBatch } from '../../../engine/records.ts';
import type { Schema } from '../../../sql/types.ts';
import type { BadRecord, DecodeColumn, Decoder } from '../../format.ts';
import { RecordReader } from '../record.ts';
import { unescape } from '../text.ts';
import { generateScan, type Scan, type ScanHost } from './generate.ts';
import { TextCells } from './text-cells.ts';
import type { Target } from './target.ts';

/** The decoder for these columns, or null where there are too many for generated code. `maxRecordBytes` is the longest record that is read. */
export function scanDecoder(columns: readonly DecodeColumn[], maxRecordBytes: number): ScanDecoder | null {
  const reader = new RecordReader(columns, maxRecordBytes);
  const targets = reader.slots.map((slot, name): Target => ({ slot, name, text: slot.column.bytes === true && slot.column.field.type.k === 'string' ? new TextCells() : null }));
  const generated = generateScan(targets, reader.scan, maxRecordBytes);
  return generated === null ? null : new ScanDecoder(columns, reader, targets, generated.scan);
}

/** Records through a loop that is generated for the wanted columns; what that does not understand at once goes, record by record, the plain way. */
class ScanDecoder implements Decoder, ScanHost {
  readonly #schema: Schema;
  readonly #reader: RecordReader;
  readonly #targets: readonly Target[];
  readonly #scan: Scan;
  readonly #keys: ReadonlyMap<string, number>;
  #rows = new Int32Array(0);
  /** Rows of the last batch, whose null maps may hold ones. */
  #used = 0;
  #records: RecordBatch | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bad: BadRecord = () => undefined;

  constructor(columns: readonly DecodeColumn[], reader: RecordReader, targets: readonly Target[], scan: Scan) {
    this.#schema = columns.map(c => c.field);
    this.#reader = reader;
    this.#targets = targets;
    this.#scan = scan;
    this.#keys = new Map([...new Set(columns.map(c => c.key))].map((key, i) => [key, i]));
  }

  decode(records: RecordBatch, from: number, to: number, bad: BadRecord): Batch {
    const { data } = records;
    this.#begin(to - from);
    if (this.#records?.data !== data) this.#view = new DataView(data.buffer, data.byteOffset, data.length);
    this.#records = records;
    this.#bad = bad;
    const rows = this.#scan(data, this.#view, records.valueStart, records.valueEnd, from, to, this.#rows, this);
    this.#used = rows;
    const nulls = perColumn(this.#targets, ({ slot }) => (slot.anyNull ? slot.nulls : null));
    const cols = perColumn(this.#targets, ({ slot, text }, j) => (text === null ? slot.cells.column : text.column(data, rows, nulls[j] ?? null)));
    return newBatch(this.#schema, rows, cols, nulls, null, { records, rows: this.#rows });
  }

  /** Null maps are all 0 but where the last batch had NULLs. */
  #begin(rows: number): void {
    for (const { slot, text } of this.#targets) {
      if (slot.anyNull) slot.nulls.fill(0, 0, this.#used);
      slot.anyNull = false;
      text?.begin();
    }
    if (rows <= this.#rows.length) return;
    const capacity = Math.max(rows, 2 * this.#rows.length);
    this.#rows = new Int32Array(capacity);
    for (const { slot, text } of this.#targets) {
      slot.reserve(capacity);
      text?.reserve(capacity);
    }
  }

  plain(i: number, row: number): number {
    const { slots, scan } = this.#reader;
    for (const slot of slots) slot.nulls[row] = 1;
    const problem = this.#reader.read(this.#records as RecordBatch, i, row);
    scan.nonAscii = false;
    if (problem !== null) {
      for (const slot of slots) slot.nulls[row] = 0;
      this.#bad(i, problem.code, problem.message);
      return 0;
    }
    for (const { slot, text } of this.#targets) if (text !== null && slot.nulls[row] === 0) text.put(row, slot.cells.values[row] as string);
    this.#rows[row] = i;
    return 1;
  }

  isUtf8(i: number): boolean {
    const records = this.#records as RecordBatch;
    return this.#reader.isUtf8(records, records.valueStart[i] as number, records.valueEnd[i] as number);
  }

  named(start: number, end: number): number {
    return this.#keys.get(unescape((this.#records as RecordBatch).data, start, end)) ?? this.#keys.size;
  }
}
