import type { RunCounts } from '../engine/progress.ts';

/**
 * What a run says of one pipeline: the live file of the data folder, and what dashboard, status, `explain --live` and metrics read.
 * Times are epoch ms, `null` where there is none yet; durations are named by their unit. Append-only.
 */
export interface JobReport {
  readonly v: 1;
  readonly pipeline: string;
  /** Absolute path of its YAML file. */
  readonly file: string;
  readonly log: { readonly kind: 'embedded' | 'kafka'; readonly id: string; readonly label: string };
  /** Absolute path of its state file. */
  readonly state_file: string;
  readonly pid: number;
  /** Of pipe. */
  readonly version: string;
  readonly started_at: number;
  /** When this was written. */
  readonly at: number;
  readonly state: JobState;
  /** What ended it, where `state` is `failed`. */
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly following: boolean;
  /** Its broker does not answer. */
  readonly away: boolean;
  /** Starts that went on from saved state, since that began. */
  readonly restarts: number;
  /** Of this run. */
  readonly run: RunCounts;
  /** Since the state began. */
  readonly totals: RunCounts;
  /** Records in and rows out a second: means over the last two seconds. */
  readonly rate: { readonly in: number; readonly out: number };
  /** The same for each second of the last ten minutes, oldest first; the last value belongs to `at`. */
  readonly history: { readonly every_ms: number; readonly in: readonly number[]; readonly out: readonly number[] };
  /** Records that are there and not processed yet. */
  readonly lag: number;
  /** Until the lag is worked off at the present rate, seconds; null: caught up, or no rate yet. */
  readonly backlog_s: number | null;
  /** The last one committed. */
  readonly epoch: number;
  readonly last_commit_at: number | null;
  /** Groups held by all operators (at most, where disk_bytes is not 0: one counts in each run on disk that it is in), their bytes in memory by the operators' own estimate, and on disk only. */
  readonly keys: number;
  readonly memory_bytes: number;
  readonly disk_bytes: number;
  readonly sources: readonly SourceReport[];
  readonly operators: readonly OperatorReport[];
  readonly sinks: readonly SinkReport[];
  /** Records and rows that became no result, in this run, most first: late, future and bad ones. */
  readonly dead: readonly { readonly code: string; readonly n: number }[];
  /** Newest first, at most 20. */
  readonly problems: readonly { readonly at: number; readonly code: string; readonly message: string; readonly where: string | null }[];
  /** From a record's timestamp to the delivery of the epoch that counts it: of the first record of each slice that was read. */
  readonly latency: HistogramReport;
  /** From the end of a window to the moment when its rows went out: of each window that closed with rows. */
  readonly window_close: HistogramReport;
  /** What a commit of the state took, and what a delivery to the log took. */
  readonly commit: HistogramReport;
  readonly delivery: HistogramReport;
}

/** `stopped`: it was to read to the end and was stopped before, or its output was closed. `crashed` is said by who reads the file: its process is gone without a last word. */
export type JobState = 'starting' | 'running' | 'paused' | 'draining' | 'done' | 'stopped' | 'failed' | 'crashed';

/** States of which only a process that lives can speak. */
export const ALIVE: readonly JobState[] = ['starting', 'running', 'paused', 'draining'];

/** `<pipeline>@<log>`: also how state files are named. */
export const jobId = (pipeline: string, logId: string): string => `${pipeline}@${logId.replace(/[^\w.-]/g, '_')}`;

export interface SourceReport {
  /** In the plan. */
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  /** Read and processed in this run; `bytes` are those of keys and values. */
  readonly records: number;
  readonly bytes: number;
  /** Since the report before. */
  readonly per_s: number;
  /** Share of the last second spent decoding, 0 to 1; null where threads do it. */
  readonly busy: number | null;
  readonly event_time: boolean;
  readonly watermark: number | null;
  readonly lag: number;
  /** The live partition with the lowest event time: it holds the watermark back. */
  readonly holder: number | null;
  readonly partitions: readonly PartitionReport[];
}

export interface PartitionReport {
  readonly partition: number;
  /** Next offset to process, and the end of the partition. */
  readonly position: number;
  readonly end: number;
  readonly max_event_time: number | null;
  /** `idle`: quiet for so long that it does not hold the others; `done`: read to its end. */
  readonly state: 'live' | 'idle' | 'done';
}

export interface OperatorReport {
  /** In the plan. */
  readonly id: string;
  /** Rows of this run; null where threads do the work and tell sums only. */
  readonly rows_in: number | null;
  readonly rows_out: number | null;
  /** Since the report before. */
  readonly in_per_s: number | null;
  readonly out_per_s: number | null;
  readonly filtered: number;
  readonly late: number;
  readonly failed: number;
  /** Share of the last second, 0 to 1, and ms of this run. */
  readonly busy: number | null;
  readonly busy_ms: number | null;
  /** It has come so far, epoch ms. */
  readonly watermark: number | null;
  /** Groups that it holds, at most where disk_bytes is not 0; null: it has no state. */
  readonly keys: number | null;
  readonly memory_bytes: number;
  readonly disk_bytes: number;
  /** How many windows are open, and the first 50 to close; null where threads hold them. */
  readonly open_windows: number | null;
  readonly windows: readonly { readonly start: number; readonly end: number; readonly keys: number }[];
}

export interface SinkReport {
  readonly name: string;
  readonly topic: string;
  /** Of this run: rows that were written. */
  readonly rows: number;
  /** Since the report before. */
  readonly per_s: number;
  /** Written to its topic, before compression. */
  readonly bytes: number;
  readonly busy: number | null;
}

/** As Prometheus counts: `counts[i]` observations were at most `le[i]` seconds and more than `le[i - 1]`; the last count has no upper bound. */
export interface HistogramReport {
  readonly le: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}
