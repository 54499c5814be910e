/** Where a time is wanted: epoch ms, a Date, or text such as 2024-01-01T12:00:00Z. */
export type Time = number | Date | string;

export interface TestPipelineOptions {
  /** Partitions of each topic; default: 1. */
  readonly partitions?: number;
  /** Where the clock begins; default: 2100-01-01, so that no event is from the future. */
  readonly now?: Time;
  /** Variables for ${NAME} in the file; default: none but those of .env files. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface SendOptions {
  /** With it the partition is the one that Kafka would choose. */
  readonly key?: string;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of the records themselves; default: the clock of the test. */
  readonly time?: Time;
}

/** A record that a sink has written. */
export interface SinkRecord {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string | null>>;
}

/** A record or row that is in no result, late rows among them. */
export interface BadRecord {
  /** Such as user.data.type; user.data.late for a late row. */
  readonly code: string;
  readonly message: string;
  /** The source, if it never became a row. */
  readonly source: string | null;
}

/**
 * A pipeline that follows topics in memory, run by the real engine; time passes when it is told to. Methods reject with an error that
 * has the `code` of the problem where the pipeline stops.
 */
export interface PipelineTest {
  /** Appends records to the topic of a source: an object is sent as JSON, a text as it is, null without a value. Resolves when all is read. */
  send(source: string, records: readonly (object | string | null)[], options?: SendOptions): Promise<void>;
  /** Lets time pass in which nothing is sent: ms, or text such as 70s. */
  advance(time: number | string): Promise<void>;
  /** A source, or one partition of it, is quiet for as long as its event_time.idle, while all others are not. */
  idle(source: string, partition?: number): Promise<void>;
  /** The pipeline stops and goes on from its saved state. */
  restart(): Promise<void>;
  /** Reads to the end and closes all windows, as --until-end does. Records that are sent later wait for the next step. */
  finish(): Promise<void>;
  /** Rows of a sink so far, in the order in which they came, parsed as JSON. */
  rows(sink: string): Record<string, unknown>[];
  /** The same as they were written, with all digits. */
  texts(sink: string): string[];
  records(sink: string): SinkRecord[];
  /** All that was bad so far. */
  bad(): BadRecord[];
  /** Frees the memory; to be called at the end. */
  close(): Promise<void>;
}

/** A test of a file. */
export interface FileTest {
  readonly name: string;
  /** Rejects with the differences where it fails. */
  run(): Promise<void>;
}

/** A pipeline, compiled. Throws an error with all problems of the file. */
export declare function testPipeline(file: string, options?: TestPipelineOptions): PipelineTest;

/**
 * The tests of a pipeline or of a file of tests, for any test runner: `for (const t of pipelineTests(file)) test(t.name, t.run)`.
 * Throws an error with all problems of the file.
 */
export declare function pipelineTests(file: string, options?: Pick<TestPipelineOptions, 'env'>): FileTest[];
