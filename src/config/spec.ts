import type { SourceText, Span, SqlText } from '../errors.ts';
import type { Field } from '../sql/types.ts';

/** What a pipeline file says, checked and with defaults filled in; every time is in ms, every size in bytes. */
export interface PipelineSpec {
  readonly name: string;
  readonly description: string | null;
  readonly file: SourceText;
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute folder of the file: relative paths start here. */
  readonly dir: string;
  readonly sources: readonly SourceSpec[];
  readonly steps: readonly StepSpec[];
  readonly sinks: readonly SinkSpec[];
  readonly settings: Settings;
  readonly tests: readonly TestSpec[];
}

export interface SourceSpec {
  readonly name: string;
  readonly nameSpan: Span;
  readonly topic: string;
  readonly topicSpan: Span;
  readonly format: string;
  readonly columns: readonly ColumnSpec[];
  readonly key: string | null;
  readonly eventTime: EventTimeSpec | null;
  readonly start: 'earliest' | 'latest';
  /** Absolute path, inside the project root. */
  readonly sample: string | null;
  readonly sampleSpan: Span | null;
  readonly create: CreateSpec | null;
  readonly onError: OnError | null;
  readonly onDataLoss: 'stop' | 'earliest';
}

export interface ColumnSpec {
  readonly field: Field;
  readonly required: boolean;
  readonly span: Span;
}

export interface EventTimeSpec {
  readonly from: string;
  /** null when `from` is a TIMESTAMP column, which is then the time attribute itself. */
  readonly unit: 's' | 'ms' | 'us' | 'iso' | null;
  /** Name of the time attribute; equals `from` when `unit` is null. */
  readonly as: string;
  readonly delay: number;
  readonly idle: number;
  readonly maxFuture: number;
  readonly span: Span;
}

export interface StepSpec {
  readonly name: string;
  readonly nameSpan: Span;
  readonly sql: SqlText;
}

export interface SinkSpec {
  readonly name: string;
  readonly nameSpan: Span;
  readonly topic: string;
  readonly topicSpan: Span;
  readonly format: FormatSpec;
  readonly key: readonly { readonly name: string; readonly span: Span }[];
  readonly emit: 'final' | 'changes';
  readonly emitSpan: Span | null;
  readonly create: CreateSpec | null;
  /** One of the two. */
  readonly sql: SqlText | null;
  readonly from: { readonly name: string; readonly span: Span } | null;
  readonly onError: OnError | null;
}

export interface FormatSpec {
  readonly type: string;
  readonly timestamps: 'epoch_ms' | 'iso';
  readonly decimals: 'number' | 'string';
}

export interface CreateSpec {
  /** null: as many as the first source has. */
  readonly partitions: number | null;
  readonly retention: number | null;
  readonly config: Readonly<Record<string, string>>;
}

export type OnError = 'dead_letters' | 'skip' | 'stop' | { readonly topic: string };

export interface Settings {
  readonly kafka: KafkaSettings;
  /** Absolute folder of the state files, or null for the data folder's `state/`. */
  readonly state: string | null;
  readonly timeZone: 'UTC';
  readonly checkpoint: number;
  readonly delivery: 'exactly-once' | 'at-least-once';
  /** Bytes; null: a quarter of the machine's memory. */
  readonly memory: number | null;
  readonly workers: number | null;
  /** Fraction, 0.05 for 5%; null: warn only. */
  readonly maxBad: number | null;
  readonly maxRecordBytes: number;
}

export interface KafkaSettings {
  readonly brokers: readonly string[] | null;
  readonly idPrefix: string;
  /** ssl, sasl and the rest, handed to the client as they are. Secrets: never print. */
  readonly client: Readonly<Record<string, unknown>>;
}

/** Parsed and checked now, run by `pipe test` later. */
export interface TestSpec {
  readonly name: string;
  /** By source, in order. */
  readonly input: Readonly<Record<string, readonly TestRow[]>>;
  /** By sink. */
  readonly expect: Readonly<Record<string, readonly TestRow[]>>;
}

export interface TestRow {
  /** A number is a NumberText (test-value.ts), which keeps its source text (7500.00). */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where each key stands. */
  readonly places: ReadonlyMap<string, Span>;
}
