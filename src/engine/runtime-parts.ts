import type { Log, Notices, Source, SourceOptions } from '../connectors/connector.ts';
import type { OnError, PipelineSpec } from '../config/spec.ts';
import type { FormatDef } from '../formats/format.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { StateStore } from '../state/store.ts';
import type { Clock } from './clock.ts';
import type { Output } from './operator.ts';
import type { Workers } from './parallel/parallel.ts';
import type { EngineParts } from './ports.ts';

export interface RuntimeOptions {
  /** False: read to the end known at open, close all windows, stop. */
  readonly following: boolean;
  /** Where a fresh state begins instead of each source's `start`; a number is epoch ms. */
  readonly from: 'earliest' | 'latest' | number | null;
  /** Rows decoded at once, at most. */
  readonly batchRows: number;
  /** False: closures instead of generated code. */
  readonly jit: boolean;
  /** plain: no generated code for reading records; nor is there with `jit` false. */
  readonly decoder: 'fast' | 'plain';
  readonly onError: OnError | null;
  /** What becomes of an epoch of which nobody knows whether it was delivered. */
  readonly resume: 'resend' | 'skip' | null;
  /** Groups from which on a pane is packed in the state file; tests pack small ones. */
  readonly packFrom: number;
  /** Bytes that make an epoch full; EPOCH_BYTES when absent. */
  readonly epochBytes?: number;
  /** Bytes of state in memory. */
  readonly memory: number;
  /** ms that a drain may take. */
  readonly drain: number;
  /** Build what is new or changed again from its topics, and drop what is gone. */
  readonly backfill: boolean;
  /** --reset-state: take the pipeline over from a foreign state. */
  readonly takeOver: boolean;
  /** New in every process. */
  readonly ownerId: string;
}

export interface RuntimeParts {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly log: Log;
  /** A reader of the log, shared with other pipelines perhaps. */
  readonly source: (o: SourceOptions) => Source;
  readonly store: StateStore;
  readonly formats: { find(name: string): FormatDef | undefined };
  readonly engine: EngineParts;
  readonly clock: Clock;
  readonly notices: Notices;
  /** Further readers of the rows that a sink took: `--print`. */
  readonly taps: ReadonlyMap<string, Output>;
  /** After each commit. */
  readonly committed: () => Promise<void>;
  /** How far a backfill is, after each poll: records read, offsets behind it, and all of them; on Kafka offsets are more than records. */
  readonly backfilled?: (records: number, done: number, of: number) => void;
  /** Threads that may share the work, the main one among them; null: all is done here. Plans that cannot be split run here anyway. */
  readonly workers: Workers | null;
  readonly options: RuntimeOptions;
}
