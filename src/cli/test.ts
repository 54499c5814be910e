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
import { checkStdin, printed } from './load-compiled.ts';
import { projectRoot } from './places.ts';
import { useColor } from './report.ts';
import { JsonReporter } from './test-json.ts';
import { JunitReporter } from './test-junit.ts';
import { painter } from './test-paint.ts';
import type { Reporter, Totals } from './test-report.ts';
import { TtyReporter } from './test-tty.ts';
import { updateFile } from './test-update.ts';
import { Watcher } from './test-watch.ts';

const FAILED = 4;
const INTERRUPTED = 130;

export const test: Command = {
  name: 'test',
  summary: 'runs the tests of pipelines: records in, rows out, in memory, with a clock of its own',
  usage: '[FILE|FOLDER...]',
  examples: [
    ['pipe test', 'all tests of pipelines/: those in the pipelines and those in *.test.yaml'],
    ['pipe test fraud.yaml -t "7500 in"', 'tests of one file whose name holds these words'],
    ['pipe test --coverage', 'what of the SQL no test has reached'],
    ['pipe test fraud.yaml --update', 'writes the rows that came to where the tests expect others'],
    ['pipe test --reporter junit > junit.xml', 'for a build server'],
  ],
  flags: [
    { name: 'name', short: 't', value: 'NAME', summary: 'only tests whose name holds NAME' },
    { name: 'coverage', value: 'boolean', summary: 'which outcomes of WHERE, HAVING and CASE, and which late, idle and bad ways the tests reached' },
    { name: 'update', value: 'boolean', summary: 'writes the rows that were received into the files, and says what it wrote' },
    { name: 'watch', value: 'boolean', summary: 'runs again what has changed, until Ctrl-C' },
    { name: 'reporter', value: 'WORD', summary: 'tty (default), json (as --json) or junit' },
  ],
  notes: ['exit codes: 0 all passed, 4 a test failed or there is none, 3 a file is broken, 2 -t fits no test'],
  run,
};

async function run(p: Parsed, io: Io): Promise<number> {
  const word = p.text('reporter');
  const kind = word === undefined ? (p.has('json') ? 'json' : 'tty') : wordFlag('--reporter', word, ['tty', 'json', 'junit']);
  const color = useColor(p.text('color'), { ...io, err: io.out });
  const reporter = (): Reporter => (kind === 'json' ? new JsonReporter(io.out) : kind === 'junit' ? new JunitReporter(io.out) : new TtyReporter(io.out, color, p.has('quiet')));
  const command = new TestCommand(p, io, reporter, line => { (kind === 'tty' ? io.out : io.err).write(`${line}\n`); });
  checkStdin(p.args, io);
  const again = ['watch', 'update'].find(f => p.has(f));
  if (again !== undefined && p.args.includes('-')) throw new PipeError('user.usage.bad_value', `--${again} wants files, and - is stdin`);
  if (!p.has('watch')) return command.run();
  if (p.has('update')) throw new PipeError('user.usage.bad_value', '--watch and --update do not go together', { hint: 'a file that is written would be run again' });
  await new Watcher(io.signal, line => { if (!p.has('quiet')) io.err.write(`${line}\n`); }).watch(only => command.round(only));
  return 0;
}

/** What one round of tests came to. */
interface Round {
  readonly exit: number;
  /** Absolute paths of the files that matter to each suite. */
  readonly files: readonly (readonly string[])[];
}

class TestCommand {
  readonly #p: Parsed;
  readonly #io: Io;
  readonly #reporter: () => Reporter;
  readonly #say: (line: string) => void;

  constructor(p: Parsed, io: Io, reporter: () => Reporter, say: (line: string) => void) {
    this.#p = p;
    this.#io = io;
    this.#reporter = reporter;
    this.#say = say;
  }

  /** The exit code. */
  async run(): Promise<number> {
    if (this.#p.has('update')) await this.#update();
    return (await this.round(null)).exit;
  }

  /** Runs the tests once; `only`: of suites to which one of these files matters. Throws user.usage.bad_value where -t fits no test. */
  async round(only: ReadonlySet<string> | null): Promise<Round> {
    const began = performance.now();
    const { suites: found, problems } = this.#suites();
    const files = found.map(s => [s.path, ...(s.pipeline === null ? [] : [s.pipeline])]);
    const suites = found.filter((_, i) => only === null || files[i]?.some(f => only.has(f)) === true);
    // a file that belongs to nobody
    if (only !== null && suites.length === 0 && problems.length === 0) return { exit: 0, files };
    const broken = [...problems, ...suites.flatMap(s => s.broken)];
    const whole = suites.filter(s => s.broken.length === 0);
    this.#print([...broken, ...whole.flatMap(s => s.warnings)]);
    const all = whole.flatMap(s => s.tests);
    const asked = all.filter(t => this.#isAsked(t));
    if (asked.length === 0 && broken.length === 0 && only === null) this.#none(all.map(t => t.name));
    const reporter = this.#reporter();
    for (const s of suites) if (s.broken.length > 0) reporter.broken(s.file, s.broken);
    const coverage = this.#p.has('coverage') ? coverageOf(whole) : null;
    let failed = 0;
    let ran = 0;
    for (const suite of whole) {
      // a pipeline may have its tests in files of their own
      if (suite.tests.length === 0 && !whole.some(s => s.pipeline === suite.pipeline && s.tests.length > 0)) reporter.empty(suite);
      for (const t of suite.tests.filter(x => this.#isAsked(x))) {
        if (this.#io.signal.aborted) return { exit: INTERRUPTED, files };
        const result = await runOne(suite, t, coverage);
        ran++;
        if (result.failures.length > 0) failed++;
        reporter.result(suite, result);
        await this.#io.out.drained();
      }
    }
    const totals: Totals = { passed: ran - failed, failed, skipped: all.length - ran, ms: performance.now() - began, coverage: coverage === null ? null : [...coverage.values()].map(c => c.result) };
    reporter.end(totals);
    return { exit: broken.length > 0 ? (broken[0] as PipeError).exit : failed > 0 || ran === 0 ? FAILED : 0, files };
  }

  async #update(): Promise<void> {
    const color = useColor(this.#p.text('color'), { ...this.#io, err: this.#io.out });
    for (const suite of this.#suites().suites.filter(s => s.broken.length === 0)) {
      const results: TestResult[] = [];
      for (const t of suite.tests.filter(x => this.#isAsked(x))) results.push(await runOne(suite, t, null));
      updateFile(suite, results, this.#say, painter(color));
    }
  }

  #suites(): { readonly suites: readonly Suite[]; readonly problems: readonly PipeError[] } {
    const { env, cwd } = this.#io;
    const root = projectRoot(cwd);
    const folder = join(root, 'pipelines');
    const args = this.#p.args.length === 0 && existsSync(folder) ? [folder] : this.#p.args;
    const { files, problems } = findPipelines(args, { cwd, root, tests: true });
    return { suites: files.map(f => loadSuite(f, { env, root, cwd })), problems };
  }

  #isAsked({ name }: { readonly name: string }): boolean { return name.includes(this.#p.text('name') ?? ''); }

  /** No test is there, or none that was asked for. */
  #none(names: readonly string[]): void {
    const name = this.#p.text('name');
    if (name !== undefined) throw noSuchTest(name, names);
    this.#io.err.write('no tests ran: write them under "tests:" of a pipeline, or in a file beside it that ends in .test.yaml\n');
  }

  /** What is wrong with a pipeline matters to several files, and is said once. */
  #print(problems: readonly PipeError[]): void {
    const shown = new Map(problems.filter(e => e.severity === 'error' || !this.#p.has('quiet')).map(e => [`${e.span?.source.name} ${e.span?.start} ${e.code} ${e.message}`, e]));
    if (shown.size > 0) this.#io.err.write(printed([...shown.values()], this.#p, this.#io));
  }
}

/** By path of the pipeline; one counts though it has no tests. */
function coverageOf(suites: readonly Suite[]): ReadonlyMap<string, Coverage> {
  const all = new Map<string, Coverage>();
  for (const { compiled, pipeline } of suites) {
    if (compiled === null || pipeline === null || all.has(pipeline)) continue;
    const coverage = new Coverage(compiled.spec.file.name);
    coverage.watch(compiled);
    all.set(pipeline, coverage);
  }
  return all;
}

function runOne({ compiled, pipeline, problems }: Suite, t: Suite['tests'][number], all: ReadonlyMap<string, Coverage> | null): Promise<TestResult> | TestResult {
  if (compiled === null) return withoutRun(t, problems);
  const coverage = all?.get(pipeline as string);
  return coverage === undefined ? runTest(compiled, t) : runTest(coverage.watch(compiled), t, h => coverage.ran(h));
}

function noSuchTest(name: string, names: readonly string[]): PipeError {
  const hint = names.length === 0 ? 'the files have no tests' : `there ${names.length === 1 ? 'is' : 'are'} ${plural(names.length, 'test')}: ${names.slice(0, 5).map(n => `"${n}"`).join(', ')}${names.length > 5 ? ' ..' : ''}`;
  return new PipeError('user.usage.bad_value', `no test has "${name}" in its name`, { hint });
}
