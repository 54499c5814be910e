import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { isFolder } from '../config/find.ts';
import { PipeError } from '../errors.ts';
import { discard, replaceState, Snapshot } from '../state/backup.ts';
import { ANOTHER_BACKUP, damaged, inspectState, unreadable } from '../state/file.ts';
import { makeFolders } from '../state/folders.ts';
import { lockState, type StateLock } from '../state/lock.ts';
import type { Command, Io, Parsed } from './command.ts';
import { dataDir, statePath } from './places.ts';
import { shownPath, unwritable } from './state-backup.ts';
import { logFlag } from './state-files.ts';
import { INTERRUPTED, say } from './topics-log.ts';
import { withProgress, type Reached } from './work-progress.ts';

export const stateRestore: Command = {
  name: 'state restore',
  summary: 'puts a backup of state in place, also on another machine; for a pipeline that does not run',
  usage: 'PIPELINE|FOLDER... FROM',
  examples: [
    ['pipe state restore balances.yaml balances.backup.db', 'the state alone'],
    ['pipe state restore pipelines/ moved/ --with-topics', 'states and the embedded log of one moment'],
  ],
  flags: [
    logFlag,
    { name: 'with-topics', value: 'boolean', summary: 'the embedded log of the backup too' },
    { name: 'force', value: 'boolean', summary: 'with topics: replace an embedded log that is there' },
  ],
  notes: [
    'What was in its place stays beside it, as *.before-restore. A state goes on where its backup was made, so the log must not have got rows of it since:',
    'a pipeline that went on after the backup is refused with exit code 32, since its rows would come twice. With its topics a backup is whole by itself.',
  ],
  run: async (p, io) => {
    const given = p.args.at(-1);
    if (given === undefined || p.args.length < 2) throw new PipeError('user.usage.missing_argument', 'pipe state restore takes pipelines and a backup', { hint: 'see: pipe state restore --help' });
    const from = resolve(io.cwd, given);
    if (!existsSync(from)) throw new PipeError('user.usage.bad_value', `there is no backup at ${given}`, { hint: 'pipe state backup makes one' });
    const { loadKnown } = await import('./known-pipelines.ts');
    const all = await loadKnown(p, io, p.args.slice(0, -1));
    const copies = new Copies();
    return withProgress(p, io, { name: 'restore', doing: 'restoring', about: {}, unit: 'bytes', reached: () => copies.reached() }, told => restored(p, told, from, all, copies));
  },
};

async function restored(p: Parsed, io: Io, from: string, all: readonly CompiledPipeline[], copies: Copies): Promise<number> {
  const restore = new Restore(p, io, from, copies);
  try {
    await restore.run(all);
  } catch (error) {
    if (io.signal.aborted) return INTERRUPTED;
    throw unwritable(error, dataDir(p, io));
  } finally {
    restore.close();
  }
  return 0;
}

/** Bytes of the files that are copied one after the other. */
class Copies {
  #files: ReadonlyMap<string, number> = new Map();
  readonly #copied = new Map<string, number>();

  /** All of them, before the first. */
  expect(files: readonly string[]): void { this.#files = new Map(files.map(f => [f, statSync(f, { throwIfNoEntry: false })?.size ?? 0])); }

  /** Bytes of `file` that are there. */
  at(file: string, bytes: number): void { this.#copied.set(file, bytes); }

  reached(): Reached {
    const done = total(this.#copied);
    return { count: done, done, of: total(this.#files) };
  }
}

const total = (sizes: ReadonlyMap<string, number>): number => [...sizes.values()].reduce((a, b) => a + b, 0);

/** A backup of one pipeline, checked and beside the place where it will be. */
interface Draft {
  readonly compiled: CompiledPipeline;
  readonly log: string;
  readonly path: string;
  readonly draft: string;
  readonly stateId: string;
  readonly epoch: number;
  readonly delivery: number;
}

/** Everything is checked and copied before anything is replaced. */
class Restore {
  readonly #p: Parsed;
  readonly #io: Io;
  readonly #from: string;
  readonly #copies: Copies;
  readonly #drafts: string[] = [];
  readonly #locks: StateLock[] = [];

  constructor(p: Parsed, io: Io, from: string, copies: Copies) {
    this.#p = p;
    this.#io = io;
    this.#from = from;
    this.#copies = copies;
  }

  async run(all: readonly CompiledPipeline[]): Promise<void> {
    const topics = this.#p.has('with-topics');
    if (topics && !isFolder(this.#from)) throw new PipeError('user.usage.bad_value', '--with-topics takes the folder that pipe state backup --with-topics has made');
    const files = all.map(c => this.#fileOf(c.spec.name));
    this.#copies.expect(topics ? [...files, join(this.#from, 'topics.db')] : files);
    const drafts: Draft[] = [];
    for (const [i, c] of all.entries()) drafts.push(await this.#draft(c, files[i] as string));
    const data = join(dataDir(this.#p, this.#io), 'topics.db');
    const log = topics ? await this.#topics(data) : null;
    if (log === null) for (const d of drafts) await this.#checkDelivered(d, data);
    const states = (): void => { for (const d of drafts) this.#told(d, replaceState(d.draft, d.path, d.stateId, d.epoch)); };
    if (log === null) return states();
    const { replaceLog } = await import('../connectors/log/snapshot.ts');
    // states first: with the log of before they are refused, also where this is cut short
    const aside = replaceLog(log, data, states);
    say(this.#p, this.#io, `topics.db  put in place${aside === null ? '' : `; the one of before is ${shownPath(aside, this.#io)}`}`);
  }

  close(): void {
    for (const d of this.#drafts) discard(d);
    for (const l of this.#locks) l.release();
  }

  /** Throws system.state.locked, corrupt, foreign and newer, user.usage.bad_value. */
  async #draft(compiled: CompiledPipeline, file: string): Promise<Draft> {
    const { spec } = compiled;
    const snapshot = this.#open(file);
    try {
      const meta = (key: string): string | number | null | undefined => snapshot.value('SELECT value FROM meta WHERE key = ?', key);
      const [pipeline, log] = [meta('pipeline'), meta('log')] as [string, string];
      if (pipeline !== spec.name) throw new PipeError('system.state.foreign', `${file} is a backup of pipeline "${pipeline}", not of "${spec.name}"`, { hint: `name that pipeline, or a backup of this one: pipe state backup ${spec.name} makes it` });
      const wanted = this.#p.has('with-topics') ? 'embedded' : this.#p.text('log');
      if (wanted !== undefined && wanted !== log) throw new PipeError('system.state.foreign', `${file} is a backup of state on log "${log}", not on "${wanted}"`);
      const path = statePath(dataDir(this.#p, this.#io), spec, log);
      makeFolders(dirname(path));
      this.#locks.push(lockState(path, spec.name));
      const draft = `${path}.${process.pid}.draft`;
      this.#drafts.push(draft);
      await snapshot.copy(draft, this.#io.signal, n => this.#copies.at(file, n));
      return { compiled, log, path, draft, stateId: meta('state_id') as string, epoch: meta('epoch') as number, delivery: meta('delivery') as number };
    } catch (error) {
      throw withWayOut(damaged(file, error, 'backup'));
    } finally {
      snapshot.close();
    }
  }

  #open(file: string): Snapshot {
    try {
      inspectState(file, 'backup');
      return new Snapshot(file);
    } catch (error) {
      throw unreadable(file, error, 'backup');
    }
  }

  /** The backup itself, or the one of this pipeline in a folder. */
  #fileOf(name: string): string {
    if (!isFolder(this.#from)) return this.#from;
    const log = this.#p.has('with-topics') ? 'embedded' : this.#p.text('log');
    const all = readdirSync(this.#from).filter(f => f.startsWith(`${name}@`) && f.endsWith('.db'));
    const found = log === undefined ? all : all.filter(f => f === `${name}@${log}.db`);
    const [first, more] = found;
    if (first === undefined) throw new PipeError('user.usage.bad_value', `there is no backup of pipeline "${name}" in ${shownPath(this.#from, this.#io)}`, { hint: `a backup of it in a folder is called ${name}@LOG.db; any other file is given by its own name` });
    if (more !== undefined) throw new PipeError('user.usage.bad_value', `there are backups of pipeline "${name}" on ${found.length} logs in ${shownPath(this.#from, this.#io)}`, { hint: `--log takes ${found.map(f => f.slice(name.length + 1, -3)).join(', ')}` });
    return join(this.#from, first);
  }

  /** A copy of the backup's log beside its place. */
  async #topics(path: string): Promise<string> {
    const { openBackup } = await import('../connectors/log/snapshot.ts');
    const file = join(this.#from, 'topics.db');
    if (!existsSync(file)) throw new PipeError('user.usage.bad_value', `there is no topics.db in ${shownPath(this.#from, this.#io)}`, { hint: 'pipe state backup --with-topics makes such a folder' });
    if (existsSync(path) && !this.#p.has('force')) {
      throw new PipeError('user.usage.bad_value', `${shownPath(path, this.#io)} exists`, { hint: '--force puts the one of the backup in its place, for all pipelines of this data folder; the records that came since are in *.before-restore only' });
    }
    const log = openBackup(file);
    const draft = `${path}.${process.pid}.draft`;
    this.#drafts.push(draft);
    try {
      await log.copy(draft, this.#io.signal, n => this.#copies.at(file, n));
    } finally {
      log.close();
    }
    return draft;
  }

  /** A state that the log is ahead of, or does not know, would be refused by run: it is not put in place. */
  async #checkDelivered({ compiled: { spec }, log, stateId, delivery }: Draft, topics: string): Promise<void> {
    if (log !== 'embedded') return;
    const { lastDelivery } = await import('../connectors/log/snapshot.ts');
    const known = lastDelivery(topics, `${spec.settings.kafka.idPrefix}pipe-${spec.name}`);
    if (known === null) return;
    if (known.stateId !== stateId) {
      throw new PipeError('system.state.foreign', `since this backup of pipeline "${spec.name}" its state was started anew (--reset-state)`, { hint: 'a backup --with-topics can be restored into another data folder: --data-dir DIR --with-topics' });
    }
    if (known.epoch > delivery) {
      throw new PipeError('system.state.rolled_back', `this backup of pipeline "${spec.name}" is at delivery ${delivery}, but ${known.epoch} has been delivered to ${topics} since: its rows would come twice`, {
        hint: 'keep the state that is there; restore a backup --with-topics together with its topics (here with --force, or elsewhere with --data-dir DIR); or start again with pipe state reset: it reads from the start, and sends its rows a second time',
      });
    }
  }

  #told({ compiled: { spec }, log, path, epoch }: Draft, aside: string | null): void {
    if (this.#p.has('json')) this.#io.out.write(`${JSON.stringify({ v: 1, pipeline: spec.name, log, epoch, file: path, before: aside })}\n`);
    say(this.#p, this.#io, `${spec.name}  state of epoch ${epoch} (${log}) put in place${aside === null ? '' : `; the one of before is ${shownPath(aside, this.#io)}`}`);
  }
}

/** What the check of the copy found, too. */
const withWayOut = (error: unknown): unknown => (error instanceof PipeError && error.code === 'system.state.corrupt' && error.hint === undefined ? new PipeError(error.code, error.message, { cause: error, hint: ANOTHER_BACKUP }) : error);
