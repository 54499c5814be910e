import type { JobReport } from '../observe/job.ts';
import type { PlanReport } from '../observe/plan.ts';

/** What the HTTP interface answers (`/api/v1`): server and page share it, so it needs nothing of Node. Times are epoch ms. */
export interface Info {
  readonly version: string;
  readonly root: string;
  readonly data_dir: string;
  /** Whether anything may be changed. */
  readonly actions: boolean;
  /** Whether this is the process that runs the jobs: only that one can pause them. */
  readonly own: boolean;
  readonly logs: readonly LogInfo[];
  readonly pipelines: readonly string[];
}

/** An answer as it is sent; events are sent without. */
export type V1<T> = T & { readonly v: 1 };

export interface LogInfo {
  /** null as long as it cannot be reached. */
  readonly id: string | null;
  readonly kind: 'embedded' | 'kafka';
  readonly label: string;
  readonly error: string | null;
}

/** The body of an answer that is none. */
export interface ProblemAnswer {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Where in the SQL of the request, as [start, end) in UTF-16 units; null elsewhere. */
  readonly at: readonly [number, number] | null;
}

export interface Jobs {
  readonly at: number;
  readonly jobs: readonly JobReport[];
}

export interface JobAnswer {
  readonly job: JobReport;
  readonly plan: PlanReport | null;
}

export interface Topics {
  readonly topics: readonly Topic[];
}

export interface Topic {
  readonly log: string;
  readonly name: string;
  readonly partitions: readonly { readonly partition: number; readonly begin: number; readonly end: number; readonly bytes: number | null }[];
  /** Offsets between begin and end: on Kafka the markers of transactions count, too. */
  readonly records: number;
  readonly bytes: number | null;
  /** What a filter may name. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Whether a pipeline declares it. */
  readonly declared: boolean;
}

/** Bytes that are no UTF-8 come in base64, and then there is no text. */
export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly key_base64?: string;
  readonly value: string | null;
  readonly value_base64?: string;
  readonly headers: readonly { readonly key: string; readonly value: string | null; readonly value_base64?: string }[];
  /** Bytes of key and value as they are in the topic. */
  readonly size: number;
  /** Some of it was left out. */
  readonly truncated: boolean;
}

export interface Records {
  readonly records: readonly TopicRecord[];
  /** Where to go on, by partition. */
  readonly next: Readonly<Record<string, number>>;
  readonly order: 'newest' | 'oldest';
  readonly scanned: number;
  /** There is no more in this direction, as of now. */
  readonly done: boolean;
  /** The filter took too long and is to be asked again from `next`. */
  readonly filter_stopped: boolean;
  /** Records on which the filter failed. */
  readonly failed: number;
}

export interface States {
  readonly states: readonly SavedState[];
}

export interface SavedState extends StateTables {
  readonly id: string;
  readonly pipeline: string;
  readonly log: string;
  readonly file: string;
  readonly bytes: number;
}

/** Of one state file: its tables, or why it cannot be read. */
export interface StateTables {
  readonly epoch: number | null;
  readonly error: ProblemAnswer | null;
  readonly tables: readonly StateTable[];
}

export interface StateTable {
  readonly name: string;
  readonly operator: string | null;
  readonly columns: readonly string[];
  /** What a look-up takes; empty: the table has none. */
  readonly keys: readonly string[];
  /** null: too many to count. */
  readonly rows: number | null;
}

export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Whether there are more rows, or a value was cut. */
  readonly truncated: boolean;
  /** What a query took. */
  readonly ms?: number;
}

export interface DeadCodes {
  readonly codes: readonly DeadCode[];
  readonly replayed: number;
  /** Topics that get dead letters, too. */
  readonly topics: readonly string[];
  /** There are more in topics than were read. */
  readonly partial: boolean;
}

export interface DeadCode {
  readonly code: string;
  readonly n: number;
  readonly first: number;
  readonly last: number;
  readonly message: string | null;
  readonly means: string | null;
  readonly hint: string | null;
}

export interface DeadLetters {
  readonly letters: readonly DeadLetter[];
  readonly next: number | null;
}

export interface DeadLetter {
  readonly id: string;
  readonly at: number;
  readonly code: string;
  readonly message: string | null;
  readonly place: string | null;
  readonly source: string;
  readonly operator: string | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number | null;
  readonly key: string | null;
  readonly key_base64?: string;
  readonly value: string | null;
  readonly value_base64?: string;
  readonly size: number | null;
  readonly truncated: boolean;
  /** Why it cannot be sent again. */
  readonly unfit: 'not_kept' | 'cut' | 'no_record' | 'other_source' | null;
}

export interface Replayed {
  readonly records: number;
  readonly topics: Readonly<Record<string, number>>;
  /** Why others were not sent, and how many. */
  readonly refused: Readonly<Record<string, number>>;
  readonly late: number;
}
