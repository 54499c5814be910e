import { plural } from '../numbers.ts';
import type { FileCoverage } from '../testing/coverage.ts';
import type { TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';
import type { Io } from './command.ts';
import { cut, failureLines } from './test-diff.ts';
import { painter, type Paint } from './test-paint.ts';
import { lineOf, type Reporter, type Totals } from './test-report.ts';
import { harmless } from './text-width.ts';

/** Lines for a person: each file, each test, and how a failed one differs. */
export class TtyReporter implements Reporter {
  readonly #out: Io['out'];
  readonly #paint: Paint;
  readonly #color: boolean;
  readonly #quiet: boolean;
  #file: string | null = null;

  /** `quiet`: only what failed. */
  constructor(out: Io['out'], color: boolean, quiet: boolean) {
    this.#out = out;
    this.#paint = painter(color);
    this.#color = color;
    this.#quiet = quiet;
  }

  empty(s: Suite): void { if (!this.#quiet) this.#line(`${harmless(s.file)}  no tests`); }

  broken(): void {}

  result(s: Suite, r: TestResult): void {
    const failed = r.failures.length > 0;
    if (this.#quiet && !failed) return;
    if (this.#file !== s.path) this.#line(this.#paint('bold', harmless(s.file)));
    this.#file = s.path;
    const ms = `${Math.max(1, Math.round(r.ms))} ms`;
    const line = failed ? `  ${ms}, line ${lineOf(r.test.nameSpan)}` : `  ${ms}`;
    const name = harmless(r.test.name);
    this.#line(`  ${failed ? this.#paint('fail', '✗') : this.#paint('pass', '✓')} ${cut(name, this.#columns - 4 - line.length)}${this.#paint('dim', line)}`);
    for (const l of failureLines(r.failures, { paint: this.#paint, color: this.#color, columns: this.#columns - 4 })) this.#line(`    ${l}`);
    for (const w of r.warnings) this.#line(`    ${this.#paint('dim', `warning: ${harmless(w)}`)}`);
  }

  end(t: Totals): void {
    if (this.#quiet && t.failed === 0) return;
    const { passed, failed, skipped, ms } = t;
    const parts = [...(failed > 0 ? [this.#paint('fail', `${failed} failed`)] : []), `${passed} passed`, ...(skipped > 0 ? [`${skipped} not asked for`] : [])];
    for (const l of coverageLines(t.coverage ?? [], this.#columns)) this.#line(l);
    this.#line(`${plural(passed + failed, 'test')}: ${parts.join(', ')}, ${Math.round(ms)} ms`);
  }

  get #columns(): number { return Math.max(40, this.#out.columns); }

  #line(text: string): void { this.#out.write(`${text}\n`); }
}

/** Each pipeline, and what no test has reached. */
function coverageLines(all: readonly FileCoverage[], columns: number): string[] {
  return all.flatMap(({ file, outcomes }) => {
    const missed = outcomes.filter(o => !o.reached);
    const reached = outcomes.length - missed.length;
    const share = outcomes.length === 0 ? 100 : Math.floor((reached / outcomes.length) * 100);
    return [`coverage of ${harmless(file)}: ${reached} of ${plural(outcomes.length, 'outcome')} (${share} %)`, ...missed.map(o => cut(`  ${harmless(o.at.source.name)}:${lineOf(o.at)}  ${o.kind}: ${harmless(o.text)}`, columns))];
  });
}
