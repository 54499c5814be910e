import type { DecodeColumn } from '../format.ts';
import { Cells, type ReadValue } from './column.ts';
import type { JsonScanner } from './scan.ts';
import { readerOf } from './values.ts';

/** One wanted column while decoding. All slots have one shape, so that the hot loop sees one kind of object. */
export class Slot {
  readonly column: DecodeColumn;
  readonly key: string;
  readonly bytes: Buffer;
  readonly cells: Cells;
  readonly read: ReadValue;
  /** 1 until a value was read. */
  nulls = new Uint8Array(0);
  /** Some row of the batch is NULL. */
  anyNull = false;
  /** Where the value stands that is not of the column's type, or -1. */
  misfit = -1;
  misfitEnd = -1;
  /** Another column of the same key. */
  next: Slot | null = null;

  constructor(column: DecodeColumn, scan: JsonScanner) {
    this.column = column;
    this.key = column.key;
    this.bytes = Buffer.from(column.key, 'utf8');
    this.cells = new Cells(column.field.type);
    this.read = readerOf(column, this.cells, scan);
  }

  reserve(rows: number): void {
    this.cells.reserve(rows);
    this.nulls = new Uint8Array(rows);
  }
}
