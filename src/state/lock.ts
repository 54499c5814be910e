import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { makeFolders } from './folders.ts';

/** ms that somebody may take who only looks whether the lock is free. */
const LOOK_MS = 100;

/** Holds the right to write a state file; ends with the process, also by kill -9. */
export interface StateLock {
  release(): void;
}

/**
 * One writer for each state file: an exclusive transaction on a file beside it, so that the state itself stays readable for
 * everybody. The operating system frees it with the process. Throws system.state.locked at once when another process has it.
 */
export function lockState(path: string, pipeline: string): StateLock {
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
    const pid = holder(file);
    throw new PipeError('system.state.locked', `pipeline "${pipeline}" is running already${pid === null ? '' : ` (process ${pid})`} on ${path}`, {
      hint: 'stop that one first; a copy of the pipeline under another name runs beside it', retriable: true,
    });
  }
  try {
    writeFileSync(`${file}.pid`, `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    db.close();
    throw unwritable(file, cause);
  }
  return { release: () => { db.exec('ROLLBACK'); db.close(); } };
}

/** Process that runs on a state file, as far as it has said so: `held` without `pid` is one that has just begun. */
export interface LockHolder {
  readonly held: boolean;
  readonly pid: number | null;
}

/** Whether somebody has the right to write a state file; takes nothing from anybody. */
export function lockHolder(path: string): LockHolder {
  const file = `${path}.lock`;
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
