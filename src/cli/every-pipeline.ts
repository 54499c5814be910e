import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { filesOf } from '../config/find.ts';
import { readJobs } from '../observe/live-files.ts';
import type { Io, Parsed } from './command.ts';
import { loadCompiled } from './load-compiled.ts';
import { dataDir, projectRoot } from './places.ts';
import { harmless } from './text-width.ts';
import { say } from './topics-log.ts';

/**
 * The pipelines that a command names; without a name those of `pipelines/`, and those of other files that have run on this data folder.
 * Says which of these have no file any more. Throws PipeErrors.
 */
export async function namedOrEvery(p: Parsed, io: Io): Promise<readonly CompiledPipeline[]> {
  if (p.args.length > 0) return loadCompiled(p, io);
  const load = async (args: readonly string[]): Promise<readonly CompiledPipeline[]> => (args.length === 0 ? [] : loadCompiled({ ...p, args }, io));
  const own = await load(filesOf(join(projectRoot(io.cwd), 'pipelines')));
  const known = new Set(own.map(c => c.spec.name));
  const jobs = readJobs(dataDir(p, io)).filter(r => !known.has(r.pipeline));
  for (const r of jobs) if (!existsSync(r.file)) say(p, io, harmless(`${r.pipeline}  is left out: its file ${r.file} is gone`));
  const others = await load([...new Set(jobs.map(r => r.file))].filter(f => existsSync(f)));
  // a file may hold another pipeline by now
  return [...own, ...others.filter(c => !known.has(c.spec.name))];
}
