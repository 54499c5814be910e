import type { Code, Span } from '../errors.ts';
import type { DeadLetter, OutBlock } from '../state/store.ts';
import type { Batch } from './batch.ts';
import type { Accounting, Tallies } from './ports.ts';
import type { RunCounts } from './progress.ts';
import type { RecordBatch } from './records.ts';

/**
 * The books of a backfill. What was bad when it was first read is in the state's books already; only what nobody has reported yet is: records
 * and rows without a dead letter of their own, and late rows of groupings that are new. Policies are those of a run.
 */
export class BackfillAccounting implements Accounting {
  readonly #books: Accounting;
  readonly #known: ReadonlySet<string>;
  readonly #rebuilt: ReadonlySet<string>;
  readonly #fresh: ReadonlySet<string>;

  /** `known`: places of dead letters; `rebuilt` and `fresh`: operators that are built again, and those of them that were not there before. */
  constructor(books: Accounting, known: ReadonlySet<string>, rebuilt: ReadonlySet<string>, fresh: ReadonlySet<string>) {
    this.#books = books;
    this.#known = known;
    this.#rebuilt = rebuilt;
    this.#fresh = fresh;
  }

  read(source: string, n: number): void { this.#books.read(source, n); }
  filtered(operator: string, n: number): void { this.#books.filtered(operator, n); }
  rowsOut(sink: string, n: number): void { this.#books.rowsOut(sink, n); }

  undecodable(source: string, records: RecordBatch, i: number, code: Code, message: string): void {
    if (!this.#isKnown(records, i)) this.#books.undecodable(source, records, i, code, message);
  }

  future(source: string, b: Batch, i: number): void {
    if (!this.#isKnownRow(b, i)) this.#books.future(source, b, i);
  }

  late(operator: string, b: Batch, i: number): void {
    if (this.#fresh.has(operator) && !this.#isKnownRow(b, i)) this.#books.late(operator, b, i);
  }

  failed(part: string, b: Batch, i: number, code: Code, message: string, at: Span | null): void {
    if (this.#rebuilt.has(part) && !this.#isKnownRow(b, i)) this.#books.failed(part, b, i, code, message, at);
  }

  counts(): RunCounts { return this.#books.counts(); }
  counters(): ReadonlyMap<string, number> { return this.#books.counters(); }
  takeDeadLetters(): readonly DeadLetter[] { return this.#books.takeDeadLetters(); }
  takeBlocks(): readonly OutBlock[] { return this.#books.takeBlocks(); }
  bytes(): number { return this.#books.bytes(); }
  lastProblem(): string | null { return this.#books.lastProblem(); }
  tallies(): Tallies { return this.#books.tallies(); }

  #isKnown(r: RecordBatch, i: number): boolean { return this.#known.size > 0 && this.#known.has(`${r.topic}/${r.partition}/${r.offsets[i]}`); }
  #isKnownRow(b: Batch, i: number): boolean { return b.origin !== null && this.#isKnown(b.origin.records, b.origin.rows[i] as number); }
}
