import type { CompiledPipeline } from '../config/compile.ts';
import type { ExpectedRows, TestExpect, TestSend, TestSpec, TestStep } from '../config/spec.ts';
import type { Node } from '../config/tree.ts';
import type { NewRecord } from '../connectors/connector.ts';
import { problemsOf, type Code, type PipeError, type Span } from '../errors.ts';
import { compareRows, type RowDiff } from './compare.ts';
import { Harness } from './harness.ts';
import { columnsOf, expectedColumns, type Columns } from './received.ts';
import type { BadRow } from './watched.ts';

/** One way in which a test came out otherwise; `step` counts from 1, null is the end. */
export type Failure =
  | { readonly k: 'rows'; readonly sink: string; readonly step: number | null; readonly spec: ExpectedRows; readonly expected: readonly Columns[]; readonly received: readonly Columns[]; readonly diffs: readonly RowDiff[] }
  /** `n` was expected where the file says so, else nothing of it. */
  | { readonly k: 'count'; readonly what: 'late' | Code; readonly step: number | null; readonly span: Span; readonly n: number; readonly received: number; readonly messages: readonly string[] }
  /** A problem that was not expected, or another one, or none. */
  | { readonly k: 'error'; readonly span: Span; readonly expected: Code | null; readonly problems: readonly PipeError[] };

export interface TestResult {
  readonly test: TestSpec;
  readonly ms: number;
  readonly failures: readonly Failure[];
  /** What the pipeline warned of. */
  readonly warnings: readonly string[];
}

/** Runs one test of a pipeline that compiles; `ran` looks at what is left of the run, also of one that failed. */
export async function runTest(c: CompiledPipeline, test: TestSpec, ran: (h: Harness) => void = () => undefined): Promise<TestResult> {
  const began = performance.now();
  const harness = new Harness(c, test);
  const run = new TestRun(harness, test);
  try {
    await run.all();
  } catch (error) {
    run.stopped(error);
  } finally {
    ran(harness);
    await harness.close();
  }
  return { test, ms: performance.now() - began, failures: run.failures, warnings: harness.warnings };
}

/** The outcome of a test whose pipeline has problems. */
export function withoutRun(test: TestSpec, problems: readonly PipeError[]): TestResult {
  const failed = test.error === null || !problems.some(p => p.code === test.error?.code);
  return { test, ms: 0, warnings: [], failures: failed ? [{ k: 'error', span: test.error?.span ?? test.nameSpan, expected: test.error?.code ?? null, problems }] : [] };
}

class TestRun {
  readonly failures: Failure[] = [];
  readonly #h: Harness;
  readonly #test: TestSpec;
  /** Rows of each sink that were looked at already. */
  readonly #seen = new Map<string, number>();
  /** Bad ones that nobody has looked at, by code. */
  readonly #bad = new Map<Code, BadRow[]>();
  #taken = 0;

  constructor(h: Harness, test: TestSpec) {
    this.#h = h;
    this.#test = test;
  }

  async all(): Promise<void> {
    const { input, steps, expect, error } = this.#test;
    // what lies there when the pipeline starts
    for (const send of input) await this.#do(send);
    if (steps.length > 0) await this.#h.follow();
    for (const [i, step] of steps.entries()) {
      if (step.k === 'expect') this.#check(step.expect, i + 1);
      else await this.#do(step);
    }
    await this.#h.finish();
    this.#check(expect, null);
    this.#rest();
    if (error !== null) this.failures.push({ k: 'error', span: error.span, expected: error.code, problems: [] });
  }

  /** The pipeline has stopped with an error. */
  stopped(error: unknown): void {
    const problems = problemsOf(error);
    if (problems === null) throw error;
    const { error: expected, nameSpan } = this.#test;
    if (expected !== null && problems.some(p => p.code === expected.code)) return;
    this.failures.push({ k: 'error', span: expected?.span ?? nameSpan, expected: expected?.code ?? null, problems });
  }

  #do(step: Exclude<TestStep, { k: 'expect' }>): Promise<void> {
    switch (step.k) {
      case 'send': return this.#h.send(step.source, recordsOf(step));
      case 'advance': return this.#h.advance(step.ms);
      case 'idle': return this.#h.idle(step.source, step.partition);
      case 'restart': return this.#h.restart();
    }
  }

  #check({ rows, deadLetters, late }: TestExpect, step: number | null): void {
    for (const [sink, spec] of rows) {
      const written = this.#h.written(sink);
      const received = written.slice(this.#seen.get(sink) ?? 0).map(r => columnsOf(r.value));
      this.#seen.set(sink, written.length);
      const expected = spec.rows.map(r => expectedColumns(r.value));
      const diffs = compareRows(expected, received, this.#test.ordered);
      if (diffs.length > 0) this.failures.push({ k: 'rows', sink, step, spec, diffs, ...withoutSecrets(spec, expected, received, diffs) });
    }
    for (const b of this.#h.bad.slice(this.#taken)) {
      const same = this.#bad.get(b.code);
      if (same === undefined) this.#bad.set(b.code, [b]);
      else same.push(b);
    }
    this.#taken = this.#h.bad.length;
    if (deadLetters !== null) {
      for (const code of new Set([...deadLetters.counts.keys() as Iterable<Code>, ...this.#bad.keys()])) if (code !== 'user.data.late') this.#count(code, deadLetters.counts.get(code) ?? 0, deadLetters.span, step);
    }
    if (late !== null) this.#count('late', late.n, late.span, step);
  }

  #count(what: 'late' | Code, n: number, span: Span, step: number | null): void {
    const code = what === 'late' ? 'user.data.late' : what;
    const bad = this.#bad.get(code) ?? [];
    this.#bad.delete(code);
    if (bad.length !== n) this.failures.push({ k: 'count', what, step, span, n, received: bad.length, messages: [...new Set(bad.map(messageOf))] });
  }

  /** What is bad and was not expected would otherwise be missing rows without a word. */
  #rest(): void {
    for (const code of [...this.#bad.keys()]) this.#count(code === 'user.data.late' ? 'late' : code, 0, this.#test.nameSpan, null);
  }
}

function messageOf({ message, at }: BadRow): string {
  if (at === null) return message;
  const { line, col } = at.source.position(at.start);
  return `${message}, ${at.source.name}:${line}:${col}`;
}

/** Values that came from the environment are not shown, nor is what came in their place. */
function withoutSecrets(spec: ExpectedRows, expected: readonly Columns[], received: readonly Columns[], diffs: readonly RowDiff[]): Pick<Failure & { k: 'rows' }, 'expected' | 'received'> {
  const secret = new Set(spec.rows.flatMap(r => r.node.entries.flatMap(e => (isFromEnv(e.value) ? [e.key] : []))));
  if (secret.size === 0) return { expected, received };
  const partner = new Map(diffs.flatMap(d => (d.k === 'differs' ? [[d.received, d.expected] as const] : [])));
  const hidden = (row: Columns, text: (name: string) => string): Columns => new Map([...row].map(([name, value]) => [name, secret.has(name) ? text(name) : value]));
  return {
    expected: expected.map(e => hidden(e, () => FROM_ENV)),
    received: received.map((r, i) => hidden(r, name => (expected[partner.get(i) ?? -1]?.get(name) === r.get(name) ? FROM_ENV : '(not shown)'))),
  };
}

const FROM_ENV = '(from the environment)';
const isFromEnv = (node: Node): boolean => (node.k === 'scalar' ? node.fromEnv : node.k === 'list' ? node.items.some(isFromEnv) : node.entries.some(e => isFromEnv(e.value)));

/** What a source is sent. */
export function recordsOf({ values, key, partition, headers, time }: Omit<TestSend, 'k' | 'source'>): NewRecord[] {
  const list = Object.entries(headers).map(([name, value]) => ({ key: name, value: Buffer.from(value) }));
  return values.map(v => ({ key: key === null ? null : Buffer.from(key), value: v === null ? null : Buffer.from(v), headers: list, partition, timestamp: time }));
}
