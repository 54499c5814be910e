import type { Batch } from './batch.ts';
import type { Output } from './operator.ts';
import { withoutRows } from './pick-rows.ts';
import { copyLead, originalOf } from './replayed.ts';

/** Name of the value beside the groups of a grouping that says what it has counted when it was built again; a text of `Counted`. */
export const COUNTED = 'counted';

/** Records that a grouping was built again from: [first, end) of each partition of a topic. */
export interface Counted {
  readonly pipeline: string;
  readonly topic: string;
  readonly ranges: readonly (readonly [partition: number, first: number, end: number])[];
}

/**
 * Stands before a grouping that was built again: what was a dead letter then has been counted where it lies, so that a copy of it, which
 * `pipe dlq replay` has sent or will send, is left out; `left` is told how many. Groupings that were not built again count the copy.
 */
export class CountedBefore implements Output {
  readonly #next: Output;
  readonly #lead: string;
  readonly #ranges: ReadonlyMap<number, readonly [first: number, end: number]>;
  readonly #left: (rows: number) => void;

  constructor(next: Output, counted: Counted, left: (rows: number) => void) {
    this.#next = next;
    this.#lead = copyLead(counted.pipeline, counted.topic);
    this.#ranges = new Map(counted.ranges.map(([partition, first, end]) => [partition, [first, end]]));
    this.#left = left;
  }

  push(b: Batch): void {
    const copies = this.#copies(b);
    if (copies.length === 0) return this.#next.push(b);
    this.#left(copies.length);
    if (copies.length < b.length) this.#next.push(withoutRows(b, copies));
  }

  watermark(ms: number): void { this.#next.watermark(ms); }
  finish(): void { this.#next.finish(); }

  #copies(b: Batch): number[] {
    const found: number[] = [];
    if (b.origin === null) return found;
    const { records, rows } = b.origin;
    for (let i = 0; i < b.length; i++) {
      const headers = records.headers(rows[i] as number);
      if (headers.length === 0) continue;
      const original = originalOf(headers, this.#lead);
      const range = original === null ? undefined : this.#ranges.get(original.partition);
      if (original !== null && range !== undefined && original.offset >= range[0] && original.offset < range[1]) found.push(i);
    }
    return found;
  }
}
