import type { PipeError } from '../errors.ts';
import type { TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';
import type { Io } from './command.ts';
import { renderProblem } from './render-error.ts';
import { failureLines } from './test-diff.ts';
import { painter } from './test-paint.ts';
import { lineOf, type Reporter, type Totals } from './test-report.ts';

const COLUMNS = 120;
/** What XML 1.0 cannot hold, not even escaped. */
const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\t': '&#9;', '\n': '&#10;', '\r': '&#13;' };

const body = (text: string): string => text.toWellFormed().replace(FORBIDDEN, '\ufffd').replace(/[&<>]/g, c => NAMED[c] as string).replaceAll('\r', '&#13;');
const attribute = (text: string): string => text.toWellFormed().replace(FORBIDDEN, '\ufffd').replace(/[&<>"\t\n\r]/g, c => NAMED[c] as string);
const seconds = (ms: number): string => (ms / 1000).toFixed(3);

interface Case {
  readonly name: string;
  readonly ms: number;
  /** Element with its text, or ''. */
  readonly outcome: string;
}

/** JUnit's XML, as build servers read it, when all tests have run. */
export class JunitReporter implements Reporter {
  readonly #out: Io['out'];
  readonly #cases = new Map<string, Case[]>();
  #broken = 0;

  constructor(out: Io['out']) { this.#out = out; }

  empty(): void {}

  broken(file: string, problems: readonly PipeError[]): void {
    this.#broken++;
    const text = problems.map(p => renderProblem(p, { color: false })).join('\n');
    this.#add(file, { name: file, ms: 0, outcome: `<error message="${attribute(problems[0]?.message ?? '')}" type="${problems[0]?.code ?? ''}">${body(text)}</error>` });
  }

  result({ file }: Suite, { test, ms, failures }: TestResult): void {
    const lines = failureLines(failures, { paint: painter(false), color: false, columns: COLUMNS });
    const at = `${file}:${lineOf(test.nameSpan)}`;
    this.#add(file, { name: test.name, ms, outcome: failures.length === 0 ? '' : `<failure message="${attribute(lines[0] ?? '')}">${body(`${at}\n${lines.join('\n')}\n`)}</failure>` });
  }

  end({ passed, failed, ms }: Totals): void {
    const suites = [...this.#cases].map(([file, cases]) => {
      const count = (element: string): number => cases.filter(c => c.outcome.startsWith(`<${element}`)).length;
      const time = cases.reduce((n, c) => n + c.ms, 0);
      const lines = cases.map(c => `    <testcase name="${attribute(c.name)}" classname="${attribute(file)}" time="${seconds(c.ms)}"${c.outcome === '' ? '/>' : `>${c.outcome}</testcase>`}\n`);
      return `  <testsuite name="${attribute(file)}" tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" time="${seconds(time)}">\n${lines.join('')}  </testsuite>\n`;
    });
    this.#out.write(`<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pipe test" tests="${passed + failed + this.#broken}" failures="${failed}" errors="${this.#broken}" time="${seconds(ms)}">\n${suites.join('')}</testsuites>\n`);
  }

  #add(file: string, c: Case): void { this.#cases.set(file, [...(this.#cases.get(file) ?? []), c]); }
}
