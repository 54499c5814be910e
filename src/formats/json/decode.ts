import { newBatch, perColumn, type Batch } from '../../engine/batch.ts';
import type { RecordBatch } from '../../engine/records.ts';
import type { Schema } from '../../sql/types.ts';
import type { BadRecord, DecodeColumn, Decoder } from '../format.ts';
import { RecordReader } from './record.ts';

/** Record by record through closures: the judge of the generated scanner, and what is left where no code may be generated. */
export class PlainDecoder implements Decoder {
  readonly #schema: Schema;
  readonly #reader: RecordReader;
  #rows: Int32Array = new Int32Array(0);

  constructor(columns: readonly DecodeColumn[], maxRecordBytes: number) {
    this.#schema = columns.map(c => c.field);
    this.#reader = new RecordReader(columns, maxRecordBytes);
  }

  decode(records: RecordBatch, from: number, to: number, bad: BadRecord): Batch {
    const { slots } = this.#reader;
    this.#begin(to - from);
    let row = 0;
    for (let i = from; i < to; i++) {
      const problem = this.#reader.read(records, i, row);
      if (problem === null) {
        this.#rows[row++] = i;
      } else {
        for (const slot of slots) slot.nulls[row] = 1;
        bad(i, problem.code, problem.message);
      }
    }
    return newBatch(this.#schema, row, perColumn(slots, s => s.cells.column), perColumn(slots, s => (s.anyNull ? s.nulls : null)), null, { records, rows: this.#rows });
  }

  #begin(rows: number): void {
    const { slots } = this.#reader;
    if (rows > this.#rows.length) {
      const capacity = Math.max(rows, 2 * this.#rows.length);
      this.#rows = new Int32Array(capacity);
      for (const slot of slots) slot.reserve(capacity);
    }
    for (const slot of slots) {
      slot.nulls.fill(1, 0, rows);
      slot.anyNull = false;
    }
  }
}
