import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { makeFolders } from './folders.ts';

/** ms that somebody may take who only looks whether the lock is free. */
const LOOK_MS = 100;

/**
 * State files that this process has the right to write. POSIX frees all locks of a process on a file when the process closes any
 * descriptor of it: as long as SQLite has the state file and its lock open, nothing else here may open them.
 */
const OWN = new Set<string>();

/** Whether this process has the right to write a state file. */
export const isOwn = (path: string): boolean => OWN.has(resolve(path));

/** Holds the right to write a state file; ends with the process, also by kill -9. */
export interface StateLock {
  release(): void;
}

/**
 * One writer for each state file: an exclusive transaction on a file beside it, so that the state itself stays readable for
 * everybody. The operating system frees it with the process. Throws system.state.locked at once when another process has it.
 */
export function lockState(path: string, pipeline: string): StateLock {
  if (isOwn(path)) throw locked(path, pipeline, String(process.pid));
  const file = `${path}.lock`;
  const db = openLock(file);
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    const code = (cause as { code?: string }).code ?? '';
    if (/^SQLITE_(FULL|IOERR|READONLY)/.test(code)) throw unwritable(file, cause);
    if (!code.startsWith('SQLITE_BUSY')) {
      throw new PipeError('system.state.corrupt', `the lock file ${file} cannot be used`, { cause, hint: 'it holds nothing: delete it' });
    }
    throw locked(path, pipeline, holder(file));
  }
  try {
    writeFileSync(`${file}.pid`, `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    db.close();
    throw unwritable(file, cause);
  }
  OWN.add(resolve(path));
  return { release: () => { db.exec('ROLLBACK'); db.close(); OWN.delete(resolve(path)); } };
}

const locked = (path: string, pipeline: string, pid: string | null): PipeError => new PipeError('system.state.locked', `pipeline "${pipeline}" is running already${pid === null ? '' : ` (process ${pid})`} on ${path}`, {
  hint: 'stop that one first; a copy of the pipeline under another name runs beside it', retriable: true,
});

/** Process that runs on a state file, as far as it has said so: `held` without `pid` is one that has just begun. */
export interface LockHolder {
  readonly held: boolean;
  readonly pid: number | null;
}

/** Whether somebody has the right to write a state file; takes nothing from anybody. */
export function lockHolder(path: string): LockHolder {
  const file = `${path}.lock`;
  // better-sqlite3 has an error of its own, without a code, for a folder that is gone
  if (!existsSync(file)) return { held: false, pid: null };
  let db: Sqlite.Database;
  try {
    db = new Database(file, { timeout: 0, readonly: true, fileMustExist: true });
  } catch (cause) {
    if ((cause as { code?: string }).code === 'SQLITE_CANTOPEN') return { held: false, pid: null };
    throw cause;
  }
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return { held: false, pid: null };
  } catch (cause) {
    if (!String((cause as { code?: string }).code).startsWith('SQLITE_BUSY')) return { held: false, pid: null };
    const pid = holder(file);
    return { held: true, pid: pid === null ? null : Number(pid) };
  } finally {
    db.close();
  }
}

/** The lock file and its folder (0700), made where they are missing. */
function openLock(file: string): Sqlite.Database {
  try {
    makeFolders(dirname(file));
    closeSync(openSync(file, 'a', 0o600));
    return new Database(file, { timeout: LOOK_MS });
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

const unwritable = (file: string, cause: unknown): PipeError =>
  new PipeError('system.resource.disk', `the state folder ${dirname(file)} cannot be written: ${(cause as Error).message}`, { cause, hint: 'make room or give another folder: --data-dir, PIPE_DATA_DIR or settings.state' });

function holder(file: string): string | null {
  try {
    const pid = readFileSync(`${file}.pid`, 'utf8').trim();
    return /^\d+$/.test(pid) ? pid : null;
  } catch {
    return null;
  }
}
