import type { JobReport } from '../observe/job.ts';
import type { PlanReport } from '../observe/plan.ts';

/** What the HTTP interface answers (`/api/v1`), as far as the pages read it. Times are epoch ms. */
export interface Info {
  readonly version: string;
  readonly root: string;
  readonly data_dir: string;
  /** Whether anything may be changed. */
  readonly actions: boolean;
  /** Whether this is the process that runs the jobs: only that one can pause them. */
  readonly own: boolean;
  readonly logs: readonly { readonly id: string | null; readonly kind: 'embedded' | 'kafka'; readonly label: string; readonly error: string | null }[];
  readonly pipelines: readonly string[];
}

export interface Jobs {
  readonly at: number;
  readonly jobs: readonly JobReport[];
}

export interface JobAnswer {
  readonly job: JobReport;
  readonly plan: PlanReport | null;
}

export interface Topic {
  readonly log: string;
  readonly name: string;
  readonly partitions: readonly { readonly partition: number; readonly begin: number; readonly end: number; readonly bytes: number | null }[];
  readonly records: number;
  readonly bytes: number | null;
  /** What a filter may name. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Whether a pipeline declares it. */
  readonly declared: boolean;
}

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly key_base64?: string | undefined;
  readonly value: string | null;
  readonly value_base64?: string | undefined;
  readonly headers: readonly { readonly key: string; readonly value: string | null; readonly value_base64?: string | undefined }[];
  readonly size: number;
  readonly truncated: boolean;
}

export interface Records {
  readonly records: readonly TopicRecord[];
  /** Partition to the offset where the next page begins. */
  readonly next: Readonly<Record<string, number>>;
  readonly order: 'newest' | 'oldest';
  readonly scanned: number;
  readonly done: boolean;
  /** The filter took too long and is to be asked again from `next`. */
  readonly filter_stopped: boolean;
  /** Records on which the filter failed. */
  readonly failed: number;
}

export interface SavedState {
  readonly id: string;
  readonly pipeline: string;
  readonly log: string;
  readonly file: string;
  readonly epoch: number | null;
  readonly bytes: number;
  /** Why it cannot be read. */
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  readonly tables: readonly StateTable[];
}

export interface StateTable {
  readonly name: string;
  readonly operator: string | null;
  readonly columns: readonly string[];
  /** What a look-up takes; empty: the table has none. */
  readonly keys: readonly string[];
  readonly rows: number | null;
}

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  readonly truncated: boolean;
  readonly ms?: number | undefined;
}

export interface DeadCodes {
  readonly codes: readonly DeadCode[];
  readonly replayed: number;
  /** Topics that get dead letters, too. */
  readonly topics: readonly string[];
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

export interface Letters {
  readonly letters: readonly Letter[];
  readonly next: number | null;
}

export interface Letter {
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
  readonly key_base64?: string | undefined;
  readonly value: string | null;
  readonly value_base64?: string | undefined;
  readonly size: number | null;
  readonly truncated: boolean;
  /** Why it cannot be sent again. */
  readonly unfit: 'not_kept' | 'cut' | 'no_record' | 'other_source' | null;
}

export interface Replayed {
  readonly records: number;
  readonly refused: Readonly<Record<string, number>>;
}
