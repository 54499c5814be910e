import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findPipelines } from '../config/find.ts';
import { PipeError } from '../errors.ts';
import { plural } from '../numbers.ts';
import { Coverage } from '../testing/coverage.ts';
import { runTest, withoutRun, type TestResult } from '../testing/run-test.ts';
import { loadSuite, type Suite } from '../testing/suite.ts';
import { wordFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { printed } from './load-compiled.ts';
import { projectRoot } from './places.ts';
import { useColor } from './report.ts';
import type { Reporter, Totals } from './test-report.ts';
import { JsonReporter } from './test-json.ts';
import { JunitReporter } from './test-junit.ts';
import { TtyReporter } from './test-tty.ts';

const FAILED = 4;
const INTERRUPTED = 130;

export const test: Command = {
  name: 'test',
  summary: 'runs the tests of pipelines: records in, rows out, in memory, with a clock of its own',
  usage: '[FILE|FOLDER...]',
  examples: [
    ['pipe test', 'all tests of pipelines/: those in the pipelines and those in *.test.yaml'],
    ['pipe test fraud.yaml -t "7500 in"', 'tests of one file whose name holds these words'],
  ],
  flags: [
    { name: 'name', short: 't', value: 'NAME', summary: 'only tests whose name holds NAME' },
    { name: 'coverage', value: 'boolean', summary: 'which outcomes of WHERE, HAVING and CASE, and which late, idle and bad ways the tests reached' },
    { name: 'reporter', value: 'WORD', summary: 'tty (default), json (as --json) or junit' },
  ],
  notes: ['exit codes: 0 all passed, 4 a test failed or there is none, 3 a file is broken, 2 -t fits no test'],
  run,
};

async function run(p: Parsed, io: Io): Promise<number> {
  const word = p.text('reporter');
  const kind = word === undefined ? (p.has('json') ? 'json' : 'tty') : wordFlag('--reporter', word, ['tty', 'json', 'junit']);
  const color = useColor(p.text('color'), { ...io, err: io.out });
  const reporter = kind === 'json' ? new JsonReporter(io.out) : kind === 'junit' ? new JunitReporter(io.out) : new TtyReporter(io.out, color, p.has('quiet'));
  return new TestCommand(p, io, reporter).run();
}

/** One run of `pipe test`. */
class TestCommand {
  readonly #p: Parsed;
  readonly #io: Io;
  readonly #reporter: Reporter;
  /** By path of the pipeline; null: not asked for. */
  readonly #coverage: Map<string, Coverage> | null;

  constructor(p: Parsed, io: Io, reporter: Reporter) {
    this.#p = p;
    this.#io = io;
    this.#reporter = reporter;
    this.#coverage = p.has('coverage') ? new Map() : null;
  }

  /** The exit code. */
  async run(): Promise<number> {
    const began = performance.now();
    const { suites, problems } = this.#suites();
    const broken = [...problems, ...suites.flatMap(s => s.broken)];
    const whole = suites.filter(s => s.broken.length === 0);
    this.#say(broken);
    this.#say(whole.flatMap(s => s.warnings));
    const name = this.#p.text('name');
    const asked = whole.map(s => ({ suite: s, tests: s.tests.filter(t => name === undefined || t.name.includes(name)) }));
    const all = whole.flatMap(s => s.tests);
    const chosen = asked.flatMap(a => a.tests);
    if (name !== undefined && chosen.length === 0 && broken.length === 0) throw noSuchTest(name, all.map(t => t.name));
    for (const s of whole) this.#cover(s);
    let failed = 0;
    let ran = 0;
    for (const s of suites) if (s.broken.length > 0) this.#reporter.broken(s.file, s.broken);
    for (const { suite, tests } of asked) {
      if (suite.tests.length === 0) this.#reporter.empty(suite);
      for (const t of tests) {
        if (this.#io.signal.aborted) return INTERRUPTED;
        const result = await this.#test(suite, t);
        ran++;
        if (result.failures.length > 0) failed++;
        this.#reporter.result(suite, result);
        await this.#io.out.drained();
      }
    }
    const totals: Totals = { passed: ran - failed, failed, skipped: all.length - ran, ms: performance.now() - began, coverage: this.#coverage === null ? null : [...this.#coverage.values()].map(c => c.result) };
    this.#reporter.end(totals);
    if (broken.length > 0) return (broken[0] as PipeError).exit;
    if (ran === 0) this.#io.err.write('no tests ran: write them under "tests:" of a pipeline, or in a file beside it that ends in .test.yaml\n');
    return failed > 0 || ran === 0 ? FAILED : 0;
  }

  #suites(): { readonly suites: readonly Suite[]; readonly problems: readonly PipeError[] } {
    const { env, cwd } = this.#io;
    const root = projectRoot(cwd);
    const folder = join(root, 'pipelines');
    const args = this.#p.args.length === 0 && existsSync(folder) ? [folder] : this.#p.args;
    const { files, problems } = findPipelines(args, { cwd, root, tests: true });
    return { suites: files.map(f => loadSuite(f, { env, root, cwd })), problems };
  }

  /** A pipeline counts though it has no tests. */
  #cover({ compiled, pipeline }: Suite): void {
    if (this.#coverage === null || compiled === null || pipeline === null || this.#coverage.has(pipeline)) return;
    const coverage = new Coverage(compiled.spec.file.name);
    coverage.watch(compiled);
    this.#coverage.set(pipeline, coverage);
  }

  #test({ compiled, pipeline, problems }: Suite, t: Suite['tests'][number]): Promise<TestResult> | TestResult {
    if (compiled === null) return withoutRun(t, problems);
    const coverage = this.#coverage?.get(pipeline as string);
    return coverage === undefined ? runTest(compiled, t) : runTest(coverage.watch(compiled), t, { ran: h => coverage.ran(h) });
  }

  #say(problems: readonly PipeError[]): void {
    const shown = problems.filter(e => e.severity === 'error' || !this.#p.has('quiet'));
    if (shown.length > 0) this.#io.err.write(printed(shown, this.#p, this.#io));
  }
}

function noSuchTest(name: string, names: readonly string[]): PipeError {
  const hint = names.length === 0 ? 'the files have no tests' : `there ${names.length === 1 ? 'is' : 'are'} ${plural(names.length, 'test')}: ${names.slice(0, 5).map(n => `"${n}"`).join(', ')}${names.length > 5 ? ' ..' : ''}`;
  return new PipeError('user.usage.bad_value', `no test has "${name}" in its name`, { hint });
}
