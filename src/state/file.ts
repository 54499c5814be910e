import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';

/** 'pipe' in ASCII: PRAGMA application_id of a state file. */
export const APPLICATION_ID = 0x70697065;
/** PRAGMA user_version: grows with every change of the layout. */
export const LAYOUT = 4;

const SQLITE_MAGIC = 'SQLite format 3\0';
export const WAYS_OUT = 'restore a copy of it (pipe state restore), or start again with --reset-state (it reads the topics from their start and sends rows a second time)';

/** Makes a file durable as it is now, or what a folder lists. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

/** Deletes a state file with all that belongs to it. */
export function deleteState(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '.epoch']) rmSync(`${path}${suffix}`, { force: true });
}

/**
 * Looks at a state file before SQLite may touch it, since SQLite takes an empty file for a new database and repairs without
 * a word. Returns whether there is one. Throws system.state.corrupt, foreign or newer and leaves the file as it is.
 */
export function inspectState(path: string): boolean {
  if (!existsSync(path)) {
    if (existsSync(`${path}.epoch`)) throw new PipeError('system.state.rolled_back', `the state file ${path} is gone, but it has been written before`, { hint: WAYS_OUT });
    return false;
  }
  const { size } = statSync(path);
  const head = Buffer.alloc(100);
  const fd = openSync(path, 'r');
  readSync(fd, head, 0, 100, 0);
  closeSync(fd);
  const corrupt = (what: string): PipeError => new PipeError('system.state.corrupt', `the state file ${path} is damaged: ${what}`, { hint: WAYS_OUT });
  if (size === 0) throw corrupt('it is empty');
  if (size < 100 || head.latin1Slice(0, 16) !== SQLITE_MAGIC) throw corrupt('it is no SQLite file');
  if (head.readUInt32BE(68) !== APPLICATION_ID) throw new PipeError('system.state.foreign', `${path} is an SQLite file, but no state of pipe`, { hint: 'move it away' });
  const layout = head.readUInt32BE(60);
  if (layout > LAYOUT) throw new PipeError('system.state.newer', `the state file ${path} was written by a newer pipe (layout ${layout}, this one knows ${LAYOUT})`, { hint: 'use that version' });
  const pageSize = head.readUInt16BE(16) === 1 ? 65536 : head.readUInt16BE(16);
  if (size % pageSize !== 0) throw corrupt('it has been cut');
  return true;
}

const isCorrupt = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test((error as { code?: string }).code ?? '');

/** What SQLite found wrong with a state file as system.state.corrupt; all else stays as it is. */
export function damaged(path: string, error: unknown): unknown {
  return isCorrupt(error) ? new PipeError('system.state.corrupt', `the state file ${path} is damaged: ${(error as Error).message}`, { cause: error, hint: WAYS_OUT }) : error;
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
    } catch {
      return;
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
