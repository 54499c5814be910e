import type { JobState } from '../observe/job.ts';

/** Where a running pipeline stands; read by the live view and the summary. Counts are totals of this run. */
export interface Progress {
  readonly name: string;
  readonly state: JobState;
  readonly counts: RunCounts;
  /** Records that are there and not processed yet. */
  readonly lag: number;
  readonly sources: readonly SourceProgress[];
  /** Groups held by all operators. */
  readonly keys: number;
  /** Bytes of state in memory, by the operators' own estimate. */
  readonly memory: number;
  /** Bytes of state that is on disk only. */
  readonly onDisk: number;
  /** The last bad record in words, or null. */
  readonly lastProblem: string | null;
}

export interface SourceProgress {
  readonly name: string;
  /** Epoch ms, -Infinity before there is one; null without event time. */
  readonly watermark: number | null;
  /** The live partition with the lowest event time, or null. */
  readonly holder: number | null;
  readonly lag: number;
}

/** Sums of one run. `late` and `failed` count per operator, `filtered` too; the others count records. */
export interface RunCounts {
  readonly records_in: number;
  readonly rows_out: number;
  readonly filtered: number;
  readonly late: number;
  readonly future: number;
  readonly undecodable: number;
  readonly failed: number;
}
