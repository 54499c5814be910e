import type { Span } from '../../errors.ts';
import type { Definition } from '../../registry.ts';

/** A window with its sizes in ms over a time column. Windows are [start, end), aligned to 1970-01-01T00:00:00Z. */
export interface WindowDef extends Definition {
  readonly syntax: string;
  /** Names of the interval arguments in SQL order, as in `SIZE => INTERVAL ..`. */
  readonly args: readonly string[];
  /** Why these sizes are refused, or null. */
  check(ms: readonly number[]): string | null;
  /** End of the last window that holds time t (ms): a row for which it is late is late for all. */
  newest(t: number, ms: readonly number[]): number;
  /** Calls `body` once for each window that holds t. */
  each(t: number, ms: readonly number[], body: (start: number, end: number) => void): void;
  /** Set where windows follow each other without overlap: the size of all of them. A loop keeps the window of its last row at hand then. */
  fixed?(ms: readonly number[]): number;
  /** The same two as JavaScript over the name `t`; sizes are spliced in as numbers. */
  newestJs(t: string, ms: readonly number[]): string;
  eachJs(t: string, ms: readonly number[], body: (start: string, end: string) => string): string;
}

export const defineWindow = (d: WindowDef): WindowDef => d;

export interface WindowSpec {
  readonly def: WindowDef;
  readonly ms: readonly number[];
  /** Index of the time column in the input. */
  readonly time: number;
  /** The call, as written. */
  readonly at?: Span;
}
