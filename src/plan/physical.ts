import type { Span } from '../errors.ts';
import type { AggregateCall, Clause, Expr } from '../sql/bound.ts';
import type { Schema } from '../sql/types.ts';
import type { WindowSpec } from '../sql/windows/define.ts';

/** What runs: scans feed operators in topological order, operators feed sinks. Ids survive edits of unrelated parts of the file. */
export interface PhysicalPlan {
  readonly scans: readonly Scan[];
  readonly operators: readonly PhysicalOperator[];
  readonly sinks: readonly Write[];
}

/** Only the columns that somebody uses, in declared order; the time attribute is one of them when the source has event time. */
export interface Scan {
  readonly id: string;
  readonly source: string;
  readonly columns: readonly ScanColumn[];
  readonly schema: Schema;
  /** Index of the time attribute in `schema`, or null. */
  readonly time: number | null;
}

export interface ScanColumn {
  /** Declared column of the source. */
  readonly name: string;
  /** True: this column is the event time made from `name` (event_time.from). */
  readonly eventTime: boolean;
  /** Unit of the event time, or null where the column is a TIMESTAMP or no event time. */
  readonly unit: string | null;
}

/** A condition as written. `filter` of an operator joins its own by AND, from the left: ((a AND b) AND c). */
export interface Filter {
  readonly clause: Clause;
  readonly text: string;
}

export type PhysicalOperator = Stage | Aggregate;

/** Stateless: filter, then for each window (when given) project. Expressions are over the input's columns; with a window, three more: start, end, time. */
export interface Stage {
  readonly k: 'stage';
  readonly id: string;
  readonly input: string;
  readonly filter: Expr | null;
  readonly filters: readonly Filter[];
  readonly window: WindowSpec | null;
  readonly project: readonly Expr[];
  readonly schema: Schema;
  /** False for a stage over aggregated rows: what it drops are no records. */
  readonly overRecords: boolean;
  /** Words for explain: what the user wrote. */
  readonly texts: readonly string[];
  /** Which SQL text `at` of its expressions points into: a step's or sink's name. */
  readonly query: string;
}

/** Groups and folds. Output columns: keys, calls, then window_start, window_end, window_time when `window` is set. */
export interface Aggregate {
  readonly k: 'aggregate';
  readonly id: string;
  readonly input: string;
  readonly filter: Expr | null;
  readonly filters: readonly Filter[];
  /**
   * A window over a time column; 'input' = rows already carry their window (columns `start`, `end` of the input);
   * null = one group set for the whole input, final at its end.
   */
  readonly window: WindowSpec | { readonly k: 'input'; readonly start: number; readonly end: number } | null;
  readonly keys: readonly Expr[];
  /** Names for state columns and explain. */
  readonly keyNames: readonly string[];
  readonly calls: readonly AggregateCall[];
  readonly schema: Schema;
  readonly overRecords: boolean;
  /** What GROUP BY names, as written. */
  readonly by: readonly Span[];
  readonly query: string;
}

export interface Write {
  readonly sink: string;
  readonly input: string;
  readonly schema: Schema;
}
