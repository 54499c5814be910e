import { RunAccounting } from '../engine/accounting.ts';
import type { Batch } from '../engine/batch.ts';
import type { PartOptions } from '../engine/ports.ts';
import type { RecordBatch } from '../engine/records.ts';
import type { Code, Span } from '../errors.ts';

/** A record or row that is in no result. */
export interface BadRow {
  readonly code: Code;
  readonly message: string;
  readonly source: string | null;
  /** Operator or sink. */
  readonly operator: string | null;
  /** Place in the SQL that failed. */
  readonly at: Span | null;
}

/** The books of a run, which also tell a test what is entered: where a file says `skip`, nothing else would know. */
export class WatchedAccounting extends RunAccounting {
  readonly #seen: (b: BadRow) => void;

  constructor(o: PartOptions, seen: (b: BadRow) => void) {
    super(o);
    this.#seen = seen;
  }

  override undecodable(source: string, records: RecordBatch, i: number, code: Code, message: string): void {
    this.#seen({ code, message, source, operator: null, at: null });
    super.undecodable(source, records, i, code, message);
  }

  override future(source: string, b: Batch, i: number): void {
    this.#seen({ code: 'user.data.future_event', message: 'the event time is more than max_future ahead of the record', source, operator: null, at: null });
    super.future(source, b, i);
  }

  override late(operator: string, b: Batch, i: number): void {
    this.#seen({ code: 'user.data.late', message: 'all windows of the row are closed', source: null, operator, at: null });
    super.late(operator, b, i);
  }

  override failed(operator: string, b: Batch, i: number, code: Code, message: string, at: Span | null): void {
    this.#seen({ code, message, source: null, operator, at });
    super.failed(operator, b, i, code, message, at);
  }
}
