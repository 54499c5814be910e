import type { Code, SourceText, Span, SqlText } from '../errors.ts';
import type { Field } from '../sql/types.ts';
import type { MapNode, Node } from './tree.ts';

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
  /** null: as many as a backlog is worth. */
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

/** One example of a pipeline, run by `pipe test`. */
export interface TestSpec {
  readonly name: string;
  readonly nameSpan: Span;
  /** What the topics hold at the start. */
  readonly input: readonly TestSend[];
  /** None: the pipeline reads to the end only; else it follows first. */
  readonly steps: readonly TestStep[];
  /** Checked at the end, when all windows are closed. */
  readonly expect: TestExpect;
  /** Code of the problem that is to come. */
  readonly error: { readonly code: Code; readonly span: Span } | null;
  readonly ordered: boolean;
  readonly partitions: number;
  /** Epoch ms; null: the default. */
  readonly now: number | null;
}

export type TestStep =
  | TestSend
  | { readonly k: 'advance'; readonly ms: number }
  /** `partition` null: all of them. */
  | { readonly k: 'idle'; readonly source: string; readonly partition: number | null }
  | { readonly k: 'restart' }
  | { readonly k: 'expect'; readonly expect: TestExpect };

export interface TestSend {
  readonly k: 'send';
  readonly source: string;
  /** Texts as they are sent; null is a record without a value. */
  readonly values: readonly (string | null)[];
  readonly key: string | null;
  readonly partition: number | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch ms; null: the clock of the test. */
  readonly time: number | null;
}

/** What is compared; null and absent sinks are not. */
export interface TestExpect {
  readonly rows: ReadonlyMap<string, ExpectedRows>;
  readonly deadLetters: { readonly counts: ReadonlyMap<string, number>; readonly span: Span } | null;
  readonly late: { readonly n: number; readonly span: Span } | null;
}

export interface ExpectedRows {
  readonly rows: readonly TestRow[];
  /** The list of them. */
  readonly node: Node;
  /** Of the sink's name. */
  readonly nameSpan: Span;
}

export interface TestRow {
  /** A number is a NumberText (test-value.ts), which keeps its source text (7500.00). */
  readonly value: Readonly<Record<string, unknown>>;
  /** Where it stands, with its columns. */
  readonly node: MapNode;
}
