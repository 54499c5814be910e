import type { TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';

export interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** Left out by -t. */
  readonly skipped: number;
  readonly ms: number;
}

/** Shows what the tests of a run came to. */
export interface Reporter {
  /** A file without tests. */
  empty(s: Suite): void;
  result(s: Suite, r: TestResult): void;
  end(t: Totals): void;
}
