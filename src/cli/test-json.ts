import type { PipeError } from '../errors.ts';
import type { FileCoverage } from '../testing/coverage.ts';
import type { Columns } from '../testing/received.ts';
import type { Failure, TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';
import type { Io } from './command.ts';
import { problemJson } from './render-error.ts';
import { lineOf, type Reporter, type Totals } from './test-report.ts';
import { safeJson } from './text-width.ts';

/** One object a line: each file that is broken, each test, then the totals. Append-only. */
export class JsonReporter implements Reporter {
  readonly #out: Io['out'];
  #broken = 0;

  constructor(out: Io['out']) { this.#out = out; }

  empty(): void {}
  broken(file: string, problems: readonly PipeError[]): void {
    this.#broken++;
    this.#line({ v: 1, file, problems: problems.map(problemJson) });
  }

  result({ file, compiled }: Suite, { test, ms, failures, warnings }: TestResult): void {
    this.#line({ v: 1, file, line: lineOf(test.nameSpan), pipeline: compiled?.spec.name ?? null, test: test.name, passed: failures.length === 0, ms: tenths(ms), failures: failures.map(failureJson), warnings });
  }

  end({ passed, failed, skipped, ms, coverage }: Totals): void {
    this.#line({ v: 1, passed, failed, broken: this.#broken, skipped, ms: tenths(ms), ...(coverage === null ? {} : { coverage: coverage.map(coverageJson) }) });
  }

  #line(value: unknown): void { this.#out.write(`${safeJson(value)}\n`); }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

function coverageJson({ file, outcomes }: FileCoverage): unknown {
  const missed = outcomes.filter(o => !o.reached).map(o => ({ file: o.at.source.name, line: lineOf(o.at), kind: o.kind, text: o.text }));
  return { file, reached: outcomes.length - missed.length, of: outcomes.length, missed };
}

/** Values are JSON texts: a number of them would lose its digits. */
const columnsJson = (c: Columns): Record<string, string> => Object.fromEntries(c);

function failureJson(f: Failure): unknown {
  switch (f.k) {
    case 'rows': return {
      kind: 'rows', sink: f.sink, step: f.step, line: lineOf(f.spec.nameSpan), expected: f.expected.length, received: f.received.length,
      diffs: f.diffs.map(d => ({
        kind: d.k, line: d.k === 'unexpected' ? null : lineOf((f.spec.rows[d.expected] as (typeof f.spec.rows)[number]).node.span),
        expected: d.k === 'unexpected' ? null : columnsJson(f.expected[d.expected] as Columns), received: d.k === 'missing' ? null : columnsJson(f.received[d.received] as Columns),
      })),
    };
    case 'count': return { kind: f.what === 'late' ? 'late' : 'dead_letters', code: f.what === 'late' ? null : f.what, step: f.step, line: lineOf(f.span), expected: f.n, received: f.received, messages: f.messages };
    case 'error': return { kind: 'error', line: lineOf(f.span), expected: f.expected, problems: f.problems.map(problemJson) };
  }
}
