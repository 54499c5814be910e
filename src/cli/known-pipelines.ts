import { join } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { filesOf, findPipelines } from '../config/find.ts';
import { readPipeline, shownName } from '../config/load.ts';
import { PipeError } from '../errors.ts';
import { readJobs } from '../observe/live-files.ts';
import type { Io, Parsed } from './command.ts';
import { fileGone } from './file-gone.ts';
import { loadCompiled } from './load-compiled.ts';
import { dataDir, projectRoot } from './places.ts';

/** As loadCompiled; what names no file may be the name of a pipeline of `pipelines/`, or of one that has run on this data folder. */
export async function loadKnown(p: Parsed, io: Io, args: readonly string[] = p.args): Promise<readonly CompiledPipeline[]> {
  const files = args.map(word => (isFile(word, io) ? word : fileOf(word, p, io) ?? word));
  const all = await loadCompiled({ ...p, args: files }, io);
  for (const [i, word] of args.entries()) {
    const file = files[i] as string;
    const found = all.find(c => c.spec.path === file);
    if (file !== word && found !== undefined && found.spec.name !== word) throw new PipeError('user.config.file_missing', `${found.spec.file.name}, from which "${word}" ran, holds pipeline "${found.spec.name}" by now`, { hint: FILE });
  }
  return all;
}

/** Names that a command of saved state takes: of pipelines whose files are there. */
export function knownNames(p: Parsed, io: Io): readonly string[] {
  return [...new Set([...own(io).map(o => o.name), ...readJobs(dataDir(p, io)).filter(r => fileGone(r.file) === null).map(r => r.pipeline)])].sort();
}

const FILE = 'give the file that holds it, or - with its text on stdin';

const isFile = (word: string, io: Io): boolean => findPipelines([word], { cwd: io.cwd, root: projectRoot(io.cwd) }).problems.every(e => e.code !== 'user.config.file_missing');

/** Pipelines of the project by their names. */
const own = (io: Io): readonly { readonly name: string; readonly path: string }[] => {
  const root = projectRoot(io.cwd);
  return filesOf(join(root, 'pipelines')).flatMap(path => {
    const name = readPipeline(path, { env: io.env, root, tests: false }).spec?.name ?? '';
    return name === '' ? [] : [{ name, path }];
  });
};

/** The file of a pipeline by its name; undefined: there is none of that name. Throws user.config.file_missing where its file is gone. */
function fileOf(name: string, p: Parsed, io: Io): string | undefined {
  const here = own(io).find(o => o.name === name);
  if (here !== undefined) return here.path;
  const [job] = readJobs(dataDir(p, io)).filter(r => r.pipeline === name).sort((a, b) => b.at - a.at);
  if (job === undefined) return undefined;
  const why = fileGone(job.file);
  if (why !== null) throw new PipeError('user.config.file_missing', `pipeline "${name}" has run here, and ${why}`, { hint: `${FILE}; its state is ${shownName(job.state_file, io.cwd)}` });
  return job.file;
}
