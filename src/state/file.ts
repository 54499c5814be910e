import { closeSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { present } from './folders.ts';
import { WAYS_OUT } from './store.ts';

/** 'pipe' in ASCII: PRAGMA application_id of a state file. */
export const APPLICATION_ID = 0x70697065;
/** PRAGMA user_version: grows with every change of the layout. */
export const LAYOUT = 4;

const SQLITE_MAGIC = 'SQLite format 3\0';

/** What a file is for, in messages: a backup has no way out but another one. */
type What = 'state' | 'backup';
const NAMES: Readonly<Record<What, string>> = { state: 'the state file', backup: 'the backup' };
export const ANOTHER_BACKUP = 'give another backup, a file that pipe state backup has made: nothing was changed';

/** Makes a file durable as it is now, or what a folder lists. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Whether there is a state file. Throws system.source.unreachable where that cannot be seen. */
export function isState(path: string): boolean {
  try {
    return present(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Deletes a state file with all that belongs to it. */
export function deleteState(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '.epoch']) rmSync(`${path}${suffix}`, { force: true });
}

/**
 * Looks at a state file before SQLite may touch it, since SQLite takes an empty file for a new database and repairs without
 * a word. Returns whether there is one. Throws system.state.corrupt, foreign or newer, and system.source.unreachable where it cannot
 * be looked at; leaves the file as it is.
 */
export function inspectState(path: string, what: What = 'state'): boolean {
  try {
    return inspect(path, what);
  } catch (error) {
    throw unreadable(path, error, what);
  }
}

function inspect(path: string, what: What): boolean {
  if (!present(path)) {
    if (present(`${path}.epoch`)) throw new PipeError('system.state.rolled_back', `the state file ${path} is gone, but it has been written before`, { hint: WAYS_OUT });
    return false;
  }
  const { size } = statSync(path);
  const head = Buffer.alloc(100);
  const fd = openSync(path, 'r');
  readSync(fd, head, 0, 100, 0);
  closeSync(fd);
  const none = size === 0 ? 'it is empty' : size < 100 || head.latin1Slice(0, 16) !== SQLITE_MAGIC ? 'it is no SQLite file' : null;
  if (none !== null) throw what === 'state' ? corrupt(path, none, what) : new PipeError('system.state.corrupt', `${path} is no backup of pipe: ${none}`, { hint: ANOTHER_BACKUP });
  if (head.readUInt32BE(68) !== APPLICATION_ID) throw new PipeError('system.state.foreign', `${path} is an SQLite file, but no ${what} of pipe`, { hint: what === 'state' ? 'move it away' : ANOTHER_BACKUP });
  const layout = head.readUInt32BE(60);
  if (layout > LAYOUT) throw new PipeError('system.state.newer', `${NAMES[what]} ${path} was written by a newer pipe (layout ${layout}, this one knows ${LAYOUT})`, { hint: 'use that version' });
  const pageSize = head.readUInt16BE(16) === 1 ? 65536 : head.readUInt16BE(16);
  if (size % pageSize !== 0) throw corrupt(path, 'it has been cut', what);
  return true;
}

const corrupt = (path: string, found: string, what: What, cause?: unknown): PipeError => new PipeError('system.state.corrupt', `${NAMES[what]} ${path} is damaged: ${found}`, { cause, hint: what === 'state' ? WAYS_OUT : ANOTHER_BACKUP });
const isCorrupt = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '');

/** What SQLite found wrong with a state file as system.state.corrupt; all else stays as it is. */
export const damaged = (path: string, error: unknown, what: What = 'state'): unknown => (isCorrupt(error) ? corrupt(path, (error as Error).message, what, error) : error);

/** The same of who only reads: a file that may not be opened is system.source.unreachable, as it is of the embedded log. */
export function unreadable(path: string, error: unknown, what: What = 'state'): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (error instanceof PipeError || !/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM|ENOTDIR|EISDIR|ELOOP|ENAMETOOLONG)/.test(code)) return damaged(path, error, what);
  return new PipeError('system.source.unreachable', `${NAMES[what]} ${path} cannot be opened: ${message}`, {
    cause: error, hint: what === 'state' ? 'pipe must be able to read and write this file and its folder; --data-dir or settings.state names another one' : 'pipe must be able to read it',
  });
}

/** Reads the file once as a whole: pages that do not fit together are found before the first wrong sum. */
export function checkIntegrity(db: Sqlite.Database, path: string): void {
  let found: string;
  try {
    found = db.pragma('quick_check(1)', { simple: true }) as string;
  } catch (cause) {
    found = cause instanceof Error ? cause.message : String(cause);
  }
  if (found !== 'ok') throw new PipeError('system.state.corrupt', `the state file ${path} is damaged: ${found.split('\n')[0]}`, { hint: WAYS_OUT });
}

/**
 * A small file beside the state that remembers which epoch it had reached: a lost write-ahead log leaves a state that is
 * whole but old, which SQLite cannot see.
 */
export class EpochWitness {
  readonly #path: string;
  #written = -1;
  #at = 0;

  constructor(statePath: string) { this.#path = `${statePath}.epoch`; }

  /** Throws system.state.rolled_back when the state is older than what was seen. */
  check(stateId: string, epoch: number, statePath: string): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw unreadable(this.#path, error);
    }
    // cut by a power loss before anything was in it
    if (text.trim() === '') return;
    const [id, seen] = text.trim().split(' ');
    if (id !== stateId || !/^\d+$/.test(seen ?? '')) throw new PipeError('system.state.foreign', `${this.#path} belongs to another state file than ${statePath}`, { hint: WAYS_OUT });
    if (Number(seen) > epoch) {
      throw new PipeError('system.state.rolled_back', `the state file ${statePath} is at epoch ${epoch}, but it had reached ${seen}: its last writes are lost`, { hint: WAYS_OUT });
    }
  }

  /** Notes an epoch that is durable; on disk at most once a second unless `now`. */
  note(stateId: string, epoch: number, now: boolean): void {
    const time = Date.now();
    if (epoch === this.#written || (!now && time - this.#at < 1000)) return;
    try {
      const fd = openSync(`${this.#path}.new`, 'w', 0o600);
      writeSync(fd, `${stateId} ${epoch}\n`);
      fsyncSync(fd);
      closeSync(fd);
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // the epoch is durable without it; a full disk is said by the next commit
      return;
    }
    this.#written = epoch;
    this.#at = time;
  }
}
