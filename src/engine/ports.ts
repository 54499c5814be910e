import type { Delivery } from '../connectors/connector.ts';
import type { OnError, PipelineSpec } from '../config/spec.ts';
import type { Code, Span } from '../errors.ts';
import type { FormatDef } from '../formats/format.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { DeadLetter, OutBlock, Position, Saved, StateStore, StateTx } from '../state/store.ts';
import type { Batch } from './batch.ts';
import type { Meters } from './meters.ts';
import type { Counts, Output } from './operator.ts';
import type { RunCounts } from './progress.ts';
import type { RecordCounts } from './source-reader.ts';

/** What an outbox reports. */
export interface SinkCounts {
  rowsOut(sink: string, n: number): void;
  /** Row `i` cannot be written. */
  failed(sink: string, batch: Batch, i: number, code: Code, message: string, at: Span | null): void;
}

/** Counts every record that is not in a result, keeps the bad ones, and applies `on_error`: throws user.data.* where it says stop. */
export interface Accounting extends Counts, RecordCounts, SinkCounts {
  /** Sums of this run. */
  counts(): RunCounts;
  /** Totals since the state began, what an epoch saves. */
  counters(): ReadonlyMap<string, number>;
  /** Dead letters since the last call. */
  takeDeadLetters(): readonly DeadLetter[];
  /** Blocks of dead-letter topics since the last call: they go out with the epoch. */
  takeBlocks(): readonly OutBlock[];
  /** Bytes of dead letters that wait for the commit. */
  bytes(): number;
  /** The last bad record in words, or null. */
  lastProblem(): string | null;
  /** The same records by what they met, for whoever looks on. */
  tallies(): Tallies;
}

/** Of this run. */
export interface Tallies {
  /** Rows that were written, by sink. */
  readonly rows: ReadonlyMap<string, number>;
  /** By operator or sink. */
  readonly filtered: ReadonlyMap<string, number>;
  readonly late: ReadonlyMap<string, number>;
  readonly failed: ReadonlyMap<string, number>;
  /** By code. */
  readonly dead: ReadonlyMap<string, number>;
  /** Newest last; late rows are only counted. */
  readonly problems: readonly { readonly at: number; readonly code: string; readonly message: string; readonly where: string | null }[];
  /** Starts that went on from saved state. */
  readonly restarts: number;
}

/** Rows of all sinks, encoded and with their partition decided, until the epoch takes them. */
export interface Outbox {
  /** An output for each sink of the plan, by its name. */
  readonly outputs: ReadonlyMap<string, Output>;
  /** Bytes that wait for the commit. */
  bytes(): number;
  /** Blocks since the last call. */
  take(): readonly OutBlock[];
}

export interface EpochInput {
  readonly positions: readonly Position[];
  /** By source, epoch ms. */
  readonly watermarks: ReadonlyMap<string, number>;
  /** Writes the state of all operators. */
  write(tx: StateTx): void;
}

/** The epoch protocol of one pipeline (kafka.md 5): one transaction in SQLite first, its delivery second. */
export interface Checkpointer {
  /** Resends or forgets what the last process left in the outbox. Before anything else. */
  recover(): Promise<Saved>;
  /** Waits for the delivery of the epoch before, commits, and begins the delivery. */
  commit(e: EpochInput): Promise<void>;
  /** True while an epoch is on its way. */
  delivering(): boolean;
  /** True when a delivery failed for good: the next commit throws its cause. */
  failed(): boolean;
  /** Waits until all is delivered; a clean stop leaves no outbox behind. */
  drain(): Promise<void>;
  /** Ends its timers; nothing is sent on its own after that. */
  stop(): void;
}

export interface PartOptions {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly store: StateStore;
  readonly formats: { find(name: string): FormatDef | undefined };
  /** False: closures instead of generated code. */
  readonly jit: boolean;
  /** `--on-error`: instead of what the file says. */
  readonly onError: OnError | null;
  /** `--resume`: what becomes of an epoch of which nobody knows whether it was delivered; null refuses to guess. */
  readonly resume: 'resend' | 'skip' | null;
  /** Partitions of every topic that the pipeline writes. */
  readonly partitions: ReadonlyMap<string, number>;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** What an outbox needs of it. */
export type OutboxOptions = Pick<PartOptions, 'spec' | 'plan' | 'partitions' | 'formats' | 'jit' | 'now'>;

/** Who keeps the books of a running pipeline. */
export interface EngineParts {
  accounting(o: PartOptions): Accounting;
  outbox(o: OutboxOptions, counts: SinkCounts): Outbox;
  checkpointer(o: PartOptions, accounting: Accounting, outbox: Outbox, delivery: Delivery, meters: Meters | null): Checkpointer;
}
