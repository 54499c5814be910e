import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { isFolder } from '../config/find.ts';
import { PipeError } from '../errors.ts';
import { discard, publish, Snapshot } from '../state/backup.ts';
import { damaged, inspectState, syncPath } from '../state/file.ts';
import type { StateFile } from '../observe/state-places.ts';
import type { Command, Io, Parsed } from './command.ts';
import { bytes } from '../numbers.ts';
import { dataDir } from './places.ts';
import { logFlag, stateFile } from './state-files.ts';
import { INTERRUPTED, say } from './topics-log.ts';

export const stateBackup: Command = {
  name: 'state backup',
  summary: 'copies saved state as its last epoch left it, also while the pipeline runs',
  usage: 'PIPELINE|FOLDER... TO',
  examples: [
    ['pipe state backup balances.yaml balances.backup.db', 'the state alone: for a pipeline on Kafka'],
    ['pipe state backup pipelines/ moved/ --with-topics', 'states and the embedded log at one moment: all that another machine needs'],
  ],
  flags: [
    logFlag,
    { name: 'with-topics', value: 'boolean', summary: 'the embedded log too; TO is a new folder then' },
    { name: 'force', value: 'boolean', summary: 'replace a file that is there' },
  ],
  notes: ['A backup appears whole or not at all, is checked and on disk when the command ends, and is for you alone (mode 0600). pipe state restore puts it in place.'],
  run: async (p, io) => {
    const to = p.args.at(-1);
    if (to === undefined || p.args.length < 2) throw new PipeError('user.usage.missing_argument', 'pipe state backup takes pipelines and where to put the copy', { hint: 'see: pipe state backup --help' });
    const { loadKnown } = await import('./known-pipelines.ts');
    const all = await loadKnown(p, io, p.args.slice(0, -1));
    try {
      if (p.has('with-topics')) await backupFolder(all, to, p, io);
      else await backupFile(all, to, p, io);
    } catch (error) {
      if (io.signal.aborted) return INTERRUPTED;
      throw unwritable(error, to);
    }
    return 0;
  },
};

/** The state of one pipeline as one file. */
async function backupFile(all: readonly CompiledPipeline[], to: string, p: Parsed, io: Io): Promise<void> {
  const [c, more] = all as [CompiledPipeline, ...CompiledPipeline[]];
  if (more !== undefined) throw new PipeError('user.usage.bad_value', `a file takes the state of one pipeline, not of ${all.length}`, { hint: 'back them up one by one, or with the embedded log: --with-topics' });
  const file = stateFile(p, io, c);
  const given = resolve(io.cwd, to);
  const path = isFolder(given) ? join(given, basename(file.path)) : given;
  const taken = new PipeError('user.usage.bad_value', `${shownPath(path, io)} exists`, { hint: '--force replaces it' });
  if (!p.has('force') && existsSync(path)) throw taken;
  const snapshot = open(file.path);
  const epoch = epochOf(snapshot);
  const draft = `${path}.${process.pid}.draft`;
  try {
    await snapshot.copy(draft, io.signal);
    publish(draft, path, p.has('force'));
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'EEXIST' ? taken : damaged(file.path, error);
  } finally {
    discard(draft);
    snapshot.close();
  }
  told(c, file, path, epoch, p, io);
}

/** States and log of one moment in a folder of their own, which appears as a whole. */
async function backupFolder(all: readonly CompiledPipeline[], to: string, p: Parsed, io: Io): Promise<void> {
  if ((p.text('log') ?? 'embedded') !== 'embedded') throw new PipeError('user.usage.bad_value', '--with-topics is for the embedded log: topics on Kafka are where they are');
  const { snapshotLog } = await import('../connectors/log/snapshot.ts');
  const folder = resolve(io.cwd, to);
  if (existsSync(folder)) throw new PipeError('user.usage.bad_value', `${shownPath(folder, io)} exists`, { hint: 'with topics a backup is a new folder: give it another name' });
  const files = all.map(c => ({ c, file: stateFile({ ...p, text: f => (f === 'log' ? 'embedded' : p.text(f)) }, io, c) }));
  const topics = join(dataDir(p, io), 'topics.db');
  if (!existsSync(topics)) throw new PipeError('user.usage.bad_value', `there is no embedded log at ${shownPath(topics, io)}`);
  const seen = snapshotLog(topics, () => files.map(({ file }) => open(file.path)));
  const epochs = seen.others.map(epochOf);
  const draft = `${folder}.${process.pid}.draft`;
  try {
    mkdirSync(draft, { mode: 0o700 });
    for (const [i, { file }] of files.entries()) await (seen.others[i] as Snapshot).copy(join(draft, basename(file.path)), io.signal).catch((error: unknown) => { throw damaged(file.path, error); });
    await seen.log.copy(join(draft, 'topics.db'), io.signal);
    syncPath(draft);
    renameSync(draft, folder);
    syncPath(dirname(folder));
  } finally {
    rmSync(draft, { recursive: true, force: true });
    seen.log.close();
    for (const s of seen.others) s.close();
  }
  for (const [i, { c, file }] of files.entries()) told(c, file, join(folder, basename(file.path)), epochs[i] as number, p, io);
  say(p, io, `topics.db  ${bytes(statSync(join(folder, 'topics.db')).size)}; pipe state restore ${p.args.join(' ')} --with-topics puts both in place`);
}

function open(path: string): Snapshot {
  inspectState(path);
  try {
    return new Snapshot(path);
  } catch (error) {
    throw damaged(path, error);
  }
}

const epochOf = (s: Snapshot): number => s.value("SELECT value FROM meta WHERE key = 'epoch'") as number;

function told({ spec }: CompiledPipeline, file: StateFile, path: string, epoch: number, p: Parsed, io: Io): void {
  const { size } = statSync(path);
  if (p.has('json')) io.out.write(`${JSON.stringify({ v: 1, pipeline: spec.name, log: file.log, epoch, file: path, bytes: size })}\n`);
  say(p, io, `${spec.name}  state of epoch ${epoch} (${file.log}) in ${shownPath(path, io)}, ${bytes(size)}`);
}

/** A path as it would be typed. */
export function shownPath(path: string, io: Io): string {
  const short = relative(io.cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

/** What the file system refuses, as a problem for people. */
export function unwritable(error: unknown, path: string): unknown {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  if (error instanceof PipeError) return error;
  if (/^(ENOENT|ENOTDIR)/.test(code)) return new PipeError('user.usage.bad_value', `${path}: its folder does not exist`, { cause: error });
  if (/^(ENOSPC|EDQUOT|EIO|EACCES|EPERM|EROFS|SQLITE_(FULL|IOERR|CANTOPEN|READONLY))/.test(code)) return new PipeError('system.resource.disk', `${path} cannot be written: ${message}`, { cause: error, hint: 'make room or give another place: nothing was changed' });
  return error;
}
