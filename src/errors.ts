/** A text that problems can point into: a pipeline file, or a SQL text that is not in a file. */
export class SourceText {
  readonly name: string;
  readonly text: string;
  #lineStarts: number[] | null = null;

  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** 1-based line and column (UTF-16 units) of an offset. */
  position(offset: number): { readonly line: number; readonly col: number } {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map(m => m.index + 1)];
    const starts = this.#lineStarts;
    let lo = 0;
    let hi = starts.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if ((starts[mid] as number) <= offset) lo = mid;
      else hi = mid - 1;
    }
    return { line: lo + 1, col: offset - (starts[lo] as number) + 1 };
  }
}

/** [start, end) in UTF-16 units of `source.text`. */
export interface Span {
  readonly source: SourceText;
  readonly start: number;
  readonly end: number;
}

/**
 * A SQL text and where it stands: for SQL inside a YAML block, `span` maps offsets of the SQL to the file.
 * Everything in sql/ speaks in offsets of `text`; only errors are mapped.
 */
export interface SqlText {
  readonly text: string;
  span(start: number, end: number): Span;
}

export const plainSql = (text: string, name = 'sql'): SqlText => {
  const source = new SourceText(name, text);
  return { text, span: (start, end) => ({ source, start, end }) };
};

/**
 * Every error code that pipe can report, append-only: codes are words that users match on.
 * The exit code follows from the code: the longest prefix in `exits` wins.
 */
export const codes = [
  'bug.unexpected',
  'user.usage.unknown_command', 'user.usage.unknown_flag', 'user.usage.bad_value', 'user.usage.missing_argument', 'user.usage.native_module',
  'user.config.file_missing', 'user.config.yaml', 'user.config.unknown_key', 'user.config.missing_key', 'user.config.bad_value', 'user.config.bad_type',
  'user.config.unset_variable', 'user.config.duplicate', 'user.config.schema', 'user.config.event_time', 'user.config.unknown_name', 'user.config.path',
  'user.config.sink_topic_twice', 'user.config.no_pipeline', 'user.config.too_large',
  'user.sql.syntax', 'user.sql.too_deep', 'user.sql.unsupported', 'user.sql.unknown_column', 'user.sql.ambiguous_column', 'user.sql.unknown_table',
  'user.sql.unknown_function', 'user.sql.type', 'user.sql.aggregate', 'user.sql.no_event_time', 'user.sql.window', 'user.sql.duplicate_column',
  'user.sql.unbounded_aggregate', 'user.sql.literal', 'user.sql.name_case',
  'user.data.decode', 'user.data.type', 'user.data.missing', 'user.data.event_time', 'user.data.future_event', 'user.data.too_large', 'user.data.late',
  'user.data.tombstone', 'user.data.row', 'user.data.overflow', 'user.data.division_by_zero', 'user.data.cast', 'user.data.max_bad', 'user.data.time_unit', 'user.data.many_bad',
  'user.data.output_too_large',
  'system.source.unreachable', 'system.source.auth', 'system.source.topic_missing', 'system.source.topic_recreated', 'system.source.topic_exists_otherwise',
  'system.source.offset_lost', 'system.source.codec', 'system.source.corrupt_batch', 'system.source.client_version',
  'system.sink.unreachable', 'system.sink.topic_missing', 'system.sink.fenced', 'system.sink.unknown_outcome', 'system.sink.too_large',
  'system.state.locked', 'system.state.corrupt', 'system.state.rolled_back', 'system.state.incompatible', 'system.state.newer', 'system.state.foreign', 'system.state.not_fresh',
  'system.resource.memory', 'system.resource.disk', 'system.run.drain_deadline',
  'user.usage.not_found', 'user.usage.not_allowed', 'user.usage.read_only', 'system.resource.busy', 'system.resource.time_limit',
] as const;
export type Code = (typeof codes)[number];

const exits: readonly (readonly [prefix: string, exit: number])[] = [
  ['bug.', 1], ['user.usage.', 2], ['user.config.', 3], ['user.sql.', 3], ['user.data.', 13],
  ['system.source.unreachable', 10], ['system.source.', 11], ['system.sink.fenced', 20], ['system.sink.topic_missing', 11], ['system.sink.', 12],
  ['system.state.locked', 21], ['system.state.corrupt', 31], ['system.state.foreign', 31], ['system.state.rolled_back', 32], ['system.state.', 33],
  ['system.state.not_fresh', 2], ['system.run.drain_deadline', 23], ['system.resource.', 30],
];

/** Exit code of a problem (contract 2, reliability table). */
export function exitCode(code: Code): number {
  let best = 1;
  let length = -1;
  for (const [prefix, exit] of exits) if (code.startsWith(prefix) && prefix.length > length) { best = exit; length = prefix.length; }
  return best;
}

export interface ProblemMore {
  readonly span?: Span | undefined;
  /** Short words under the caret; default none. */
  readonly label?: string | undefined;
  /** What to write or do instead. */
  readonly hint?: string | undefined;
  readonly severity?: 'error' | 'warning' | undefined;
  /** The same call may succeed later (network, lock). */
  readonly retriable?: boolean | undefined;
  readonly cause?: unknown;
}

/** The one error that reaches users. `message` has no capital and no full stop; third-party errors are wrapped where they enter. */
export class PipeError extends Error {
  readonly code: Code;
  readonly span: Span | undefined;
  readonly label: string | undefined;
  readonly hint: string | undefined;
  readonly severity: 'error' | 'warning';
  readonly retriable: boolean;

  constructor(code: Code, message: string, more: ProblemMore = {}) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'PipeError';
    this.code = code;
    this.span = more.span;
    this.label = more.label;
    this.hint = more.hint;
    this.severity = more.severity ?? 'error';
    this.retriable = more.retriable ?? false;
  }

  get exit(): number { return exitCode(this.code); }
}

/** Several problems found in one run; never empty. */
export class PipeErrors extends Error {
  readonly problems: readonly PipeError[];
  constructor(problems: readonly PipeError[]) {
    super(problems.map(p => p.message).join('\n'));
    this.name = 'PipeErrors';
    this.problems = problems;
  }
}

/** The problems that an error stands for; null for anything else. */
export const problemsOf = (error: unknown): readonly PipeError[] | null => (error instanceof PipeErrors ? error.problems : error instanceof PipeError ? [error] : null);

/**
 * An expression that fails on one row: division by zero, overflow, a CAST that does not fit.
 * Thrown by scalar functions, caught by the stage loop, which applies `on_error`.
 */
export class RowError extends Error {
  readonly code: Code;
  /** Where the failing expression stands; known after the interpreter has located it. */
  at: Span | null = null;
  constructor(code: Code, message: string) {
    super(message);
    this.name = 'RowError';
    this.code = code;
  }
}
