import { plural } from '../numbers.ts';
import type { Suite } from '../testing/suite.ts';
import type { Command, Io, Parsed } from './command.ts';
import { checkAll, printed, type Checked } from './load-compiled.ts';
import { projectRoot } from './places.ts';
import { problemJson } from './render-error.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'checks pipelines without running them: all problems of all files',
  usage: 'FILE|FOLDER...',
  examples: [
    ['pipe validate balances.yaml', 'one pipeline; exit code 0, or 3 with its problems'],
    ['pipe validate pipelines/', 'every pipeline of a folder, and its *.test.yaml'],
    ['pipe validate pipelines/ --json', 'problems as one JSON object a line, on stdout'],
  ],
  flags: [],
  run,
};

async function run(p: Parsed, io: Io): Promise<number> {
  const tests: string[] = [];
  const pipelines = checkAll(p, io, tests);
  const suites = tests.length === 0 ? [] : await checkTests(tests, io);
  // what is wrong with a pipeline is said once
  const known = new Set(pipelines.map(c => c.file));
  const all = [...pipelines, ...suites.map(s => ({ file: s.file, compiled: null, problems: [...s.broken, ...s.warnings].filter(e => e.span === undefined || !known.has(e.span.source.name)) }))];
  const exit = all.flatMap(c => c.problems).find(e => e.severity === 'error')?.exit ?? 0;
  if (p.has('json')) {
    for (const e of all.flatMap(c => c.problems)) io.out.write(`${JSON.stringify(problemJson(e))}\n`);
    return exit;
  }
  if (!p.has('quiet')) for (const c of all) if (c.compiled !== null) io.out.write(ok(c));
  if (!p.has('quiet')) for (const s of suites) if (s.broken.length === 0) io.out.write(`ok  ${s.file}: ${plural(s.tests.length, 'test')} of ${s.compiled?.spec.name ?? 'a pipeline with problems'}\n`);
  const problems = all.flatMap(c => c.problems).filter(e => e.severity === 'error' || !p.has('quiet'));
  if (problems.length > 0) io.err.write(printed(problems, p, io));
  return exit;
}

/** Loaded only where there are files of tests. */
async function checkTests(files: readonly string[], io: Io): Promise<readonly Suite[]> {
  const { loadSuite } = await import('../testing/suite.ts');
  return files.map(f => loadSuite(f, { env: io.env, root: projectRoot(io.cwd), cwd: io.cwd }));
}

function ok({ file, compiled }: Checked): string {
  const { name, sources, sinks } = (compiled as NonNullable<typeof compiled>).spec;
  const list = (items: readonly { readonly name: string }[], word: string): string => `${plural(items.length, word)} (${items.map(i => i.name).join(', ')})`;
  return `ok  ${file}: ${name}, ${list(sources, 'source')}, ${list(sinks, 'sink')}\n`;
}
