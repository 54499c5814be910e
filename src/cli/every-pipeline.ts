import { join } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { filesOf } from '../config/find.ts';
import { readJobs } from '../observe/live-files.ts';
import type { Io, Parsed } from './command.ts';
import { fileGone } from './file-gone.ts';
import { loadKnown } from './known-pipelines.ts';
import { checkAll } from './load-compiled.ts';
import { dataDir, projectRoot } from './places.ts';
import { harmless } from './text-width.ts';
import { say } from './topics-log.ts';

/**
 * The pipelines that a command names; without a name those of `pipelines/`, and those of other files that have run on this data folder.
 * Says which of these cannot be read, and goes on without them: so many. Throws PipeErrors of what is named.
 */
export async function namedOrEvery(p: Parsed, io: Io): Promise<{ readonly pipelines: readonly CompiledPipeline[]; readonly leftOut: number }> {
  if (p.args.length > 0) return { pipelines: await loadKnown(p, io), leftOut: 0 };
  let n = 0;
  const leftOut = (name: string, why: string): void => {
    n++;
    say(p, io, harmless(`${name}  is left out: ${why}`));
  };
  const load = (files: readonly string[]): CompiledPipeline[] => (files.length === 0 ? [] : checkAll({ ...p, args: files }, io)).flatMap(({ file, compiled, problems: [problem] }) => {
    if (compiled !== null) return [compiled];
    leftOut(file ?? 'a file', `${problem?.message ?? 'it cannot be read'}${file === null ? '' : ` (pipe validate ${file})`}`);
    return [];
  });
  const own = load(filesOf(join(projectRoot(io.cwd), 'pipelines')));
  const known = new Set(own.map(c => c.spec.name));
  const jobs = readJobs(dataDir(p, io)).filter(r => !known.has(r.pipeline));
  const files = new Set<string>();
  for (const r of jobs) {
    const gone = fileGone(r.file);
    if (gone === null) files.add(r.file);
    else leftOut(r.pipeline, `${gone}; - in place of a name takes its text on stdin`);
  }
  // a file may hold another pipeline by now
  const others = load([...files]).filter(c => !known.has(c.spec.name));
  return { pipelines: [...own, ...others], leftOut: n };
}
