import type { PipeError, Span } from '../errors.ts';
import type { FileCoverage } from '../testing/coverage.ts';
import type { TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Left out by -t. */
  readonly skipped: number;
  readonly ms: number;
  /** null: not asked for. */
  readonly coverage: readonly FileCoverage[] | null;
}

/** Line of a place, from 1. */
export const lineOf = ({ source, start }: Span): number => source.position(start).line;

/** Shows what the tests of a run came to. */
export interface Reporter {
  /** A file without tests. */
  empty(s: Suite): void;
  /** A file of which no test could run; its problems are on stderr. */
  broken(file: string, problems: readonly PipeError[]): void;
  result(s: Suite, r: TestResult): void;
  end(t: Totals): void;
}
