import { reprOf, type SqlType } from '../../sql/types.ts';
import type { Column } from '../../engine/batch.ts';

/** Where a reader puts its values: of the three arrays only the one of the column's repr grows. */
export class Cells {
  numbers = new Float64Array(0);
  bits = new Uint8Array(0);
  /** text, wide and bytes */
  values: unknown[] = [];
  readonly #type: SqlType;

  constructor(type: SqlType) { this.#type = type; }

  get column(): Column {
    const repr = reprOf(this.#type);
    return repr === 'f64' ? this.numbers : repr === 'bool' ? this.bits : this.values;
  }

  reserve(rows: number): void {
    const repr = reprOf(this.#type);
    if (repr === 'f64') this.numbers = new Float64Array(rows);
    else if (repr === 'bool') this.bits = new Uint8Array(rows);
    else this.values = new Array<unknown>(rows).fill(null);
  }
}

/**
 * Reads the value at `p` (never null) into row `row` and returns the position after it; -1 when it is not of the column's type
 * or no JSON: the caller finds out which.
 */
export type ReadValue = (b: Buffer, p: number, e: number, row: number) => number;
