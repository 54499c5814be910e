import type { Operator, Output } from './operator.ts';

/** Wired operators of one pipeline. */
export interface Graph {
  /** Where the decoded batches of each source go, by source name. */
  readonly inputs: ReadonlyMap<string, Output>;
  /** In topological order. */
  readonly operators: readonly Operator[];
}
