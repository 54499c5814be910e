import { compilePipeline, sqlProblems, type CompiledPipeline } from '../config/compile.ts';
import { findPipelines, TEST_FILE } from '../config/find.ts';
import { readPipeline, shownName, type Loaded, type LoadOptions } from '../config/load.ts';
import { PipeError, PipeErrors, problemsOf } from '../errors.ts';
import { plural } from '../numbers.ts';
import type { Io, Parsed } from './command.ts';
import { projectRoot } from './places.ts';
import { problemJson, renderProblems } from './render-error.ts';
import { useColor } from './report.ts';

/** One file of a command line: compiled, or its problems. What is named and not there is one without a file. */
export interface Checked {
  /** Path from the current folder. */
  readonly file: string | null;
  readonly compiled: CompiledPipeline | null;
  /** Errors, then warnings. */
  readonly problems: readonly PipeError[];
}

/** Every pipeline that a command names, checked; files of tests come back in `tests`, where the caller gives it. Who does not ask for tests is only warned of those of a pipeline. */
export function checkAll(p: Parsed, io: Io, tests?: string[]): readonly Checked[] {
  checkStdin(p.args, io);
  const root = projectRoot(io.cwd);
  const named = new Map<string, string>();
  const { files: found, problems } = findPipelines(p.args, { cwd: io.cwd, root, tests: tests !== undefined });
  const files = found.filter(f => !f.endsWith(TEST_FILE));
  tests?.push(...found.filter(f => f.endsWith(TEST_FILE)));
  const all = files.map((path): Checked => {
    const file = shownName(path, io.cwd);
    const checked = check(path, { env: io.env, root, name: file }, tests !== undefined);
    const name = checked.compiled?.spec.name;
    if (name === undefined) return checked;
    const other = named.get(name);
    named.set(name, other ?? file);
    return other === undefined ? checked : { ...checked, compiled: null, problems: [sameName(checked.compiled as CompiledPipeline, other), ...checked.problems] };
  });
  return problems.length === 0 ? all : [{ file: null, compiled: null, problems }, ...all];
}

/** Where nothing but `tests:` is wrong, a pipeline can run all the same. */
function check(path: string, o: LoadOptions & { readonly name: string }, tests: boolean): Checked {
  const loaded = readPipeline(path, o);
  const whole = compiledOf(loaded, o.name);
  const { spec } = loaded;
  if (tests || whole.compiled !== null || spec === null) return whole;
  // the text that was read: a pipe gives it only once
  const without = compiledOf(readPipeline(path, { ...o, text: spec.file.text, tests: false }), o.name);
  return without.compiled === null ? whole : { ...without, problems: [ofTests(whole.problems), ...without.problems] };
}

/** What is wrong with the tests of a file, as one warning. */
function ofTests(problems: readonly PipeError[]): PipeError {
  const { code, message, span, label } = problems[0] as PipeError;
  const more = problems.length - 1;
  return new PipeError(code, `${message}${more === 0 ? '' : `, and ${plural(more, 'more problem')}`}`, { span, label, severity: 'warning', hint: 'only "tests" is wrong, which nothing but pipe test and pipe validate looks at: they show all of it' });
}

function compiledOf({ spec, unknown, problems, warnings }: Loaded, file: string): Checked {
  if (spec === null) return { file, compiled: null, problems };
  if (problems.length > 0) return { file, compiled: null, problems: [...problems, ...sqlProblems(spec, unknown)].sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0)) };
  try {
    const compiled = compilePipeline(spec);
    const all = [...warnings, ...compiled.warnings];
    return { file, compiled: { ...compiled, warnings: all }, problems: all };
  } catch (error) {
    const more = problemsOf(error);
    if (more === null) throw error;
    return { file, compiled: null, problems: more };
  }
}

/** Throws user.usage.bad_value where `-` would wait for somebody to type a pipeline. */
export function checkStdin(args: readonly string[], io: Io): void {
  if (args.includes('-') && io.in.isTTY === true) throw new PipeError('user.usage.bad_value', '- reads the pipeline from stdin, which is a terminal here', { hint: 'pipe run - < FILE, or name the file' });
}

/** State and consumer group go by the name. */
function sameName({ spec }: CompiledPipeline, other: string): PipeError {
  const at = /^name:[ \t]*(\S+)/m.exec(spec.file.text);
  const start = at === null ? 0 : at.index + at[0].length - (at[1] as string).length;
  return new PipeError('user.config.duplicate', `pipeline "${spec.name}" is the name in ${other} too`, {
    span: { source: spec.file, start, end: at === null ? 1 : start + (at[1] as string).length }, hint: 'state goes by the name: give each pipeline its own',
  });
}

/** The pipelines of a command line, ready to run. Prints warnings; throws PipeErrors with all problems of all files. */
export async function loadCompiled(p: Parsed, io: Io): Promise<readonly CompiledPipeline[]> {
  const all = checkAll(p, io);
  const errors = all.flatMap(c => c.problems.filter(e => e.severity === 'error'));
  if (errors.length > 0) throw new PipeErrors(errors);
  const warnings = all.flatMap(c => c.problems);
  if (warnings.length > 0 && !p.has('quiet')) io.err.write(printed(warnings, p, io));
  return all.map(c => c.compiled as CompiledPipeline);
}

/** Problems as the flags want them. */
export const printed = (problems: readonly PipeError[], p: Parsed, io: Io): string =>
  p.has('json') ? problems.map(e => `${JSON.stringify(problemJson(e))}\n`).join('') : renderProblems(problems, { color: useColor(p.text('color'), io) });
