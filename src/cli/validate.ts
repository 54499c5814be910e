import { plural } from '../numbers.ts';
import type { Command, Io, Parsed } from './command.ts';
import { checkAll, printed, type Checked } from './load-compiled.ts';
import { problemJson } from './render-error.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'checks pipelines without running them: all problems of all files',
  usage: 'FILE|FOLDER...',
  examples: [
    ['pipe validate balances.yaml', 'one pipeline; exit code 0, or 3 with its problems'],
    ['pipe validate pipelines/', 'every pipeline of a folder'],
    ['pipe validate pipelines/ --json', 'problems as one JSON object a line, on stdout'],
  ],
  flags: [],
  run: (p, io) => Promise.resolve(run(p, io)),
};

function run(p: Parsed, io: Io): number {
  const all = checkAll(p, io);
  const exit = all.flatMap(c => c.problems).find(e => e.severity === 'error')?.exit ?? 0;
  if (p.has('json')) {
    for (const e of all.flatMap(c => c.problems)) io.out.write(`${JSON.stringify(problemJson(e))}\n`);
    return exit;
  }
  if (!p.has('quiet')) for (const c of all) if (c.compiled !== null) io.out.write(ok(c));
  const problems = all.flatMap(c => c.problems).filter(e => e.severity === 'error' || !p.has('quiet'));
  if (problems.length > 0) io.err.write(printed(problems, p, io));
  return exit;
}

function ok({ file, compiled }: Checked): string {
  const { name, sources, sinks } = (compiled as NonNullable<typeof compiled>).spec;
  const list = (items: readonly { readonly name: string }[], word: string): string => `${plural(items.length, word)} (${items.map(i => i.name).join(', ')})`;
  return `ok  ${file}: ${name}, ${list(sources, 'source')}, ${list(sinks, 'sink')}\n`;
}
