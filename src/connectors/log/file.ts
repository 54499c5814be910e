import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, rmSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../../errors.ts';
import { APPLICATION_ID, LAYOUT, LAYOUT_SQL } from './schema.ts';
import { publish } from '../../state/backup.ts';
import { Database } from '../../state/database.ts';
import { syncPath } from '../../state/file.ts';
import { makeFolders, present } from '../../state/folders.ts';

/** ms that a writer waits for another one; it blocks the event loop, so transactions are short. */
const BUSY_MS = 10_000;
const SQLITE_MAGIC = 'SQLite format 3\0';
const WAY_OUT = 'restore a copy of it, or move it away: topics begin anew then, and so must the pipelines (--reset-state)';

/** f_type of statfs on Linux. */
const NETWORK: Readonly<Record<number, string>> = { 0x6969: 'NFS', 0x517b: 'SMB', 0xff534d42: 'CIFS', 0xfe534d42: 'SMB', 0x5346414f: 'AFS' };

/** Which network file system a folder lies on, or null: locks and shared memory of SQLite do not work there. */
export const networkKind = (folder: string): string | null => (process.platform === 'linux' ? NETWORK[statfsSync(folder).type >>> 0] ?? null : null);

/** Throws user.config.path when a folder lies on a network file system. */
function refuseNetwork(folder: string): void {
  const kind = networkKind(folder);
  if (kind !== null) {
    throw new PipeError('user.config.path', `the data folder ${folder} is on a network file system (${kind}), where several processes would damage each other's data`, {
      hint: 'give it a folder on a local disk with --data-dir or PIPE_DATA_DIR',
    });
  }
}

/** Makes the file with its folder; when several processes do so at once, all of them get the one that came first. */
export function createLogFile(path: string): void {
  const folder = dirname(path);
  try {
    makeDataFolder(folder);
    refuseNetwork(folder);
    // made under another name and linked, so that nobody ever sees half of it
    const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
    try {
      closeSync(openSync(draft, 'wx', 0o600));
      const db = new Database(draft);
      // blocks are large: fewer and larger pages take a third less time to write
      db.pragma('page_size = 16384');
      // durable as a whole, below
      db.pragma('synchronous = OFF');
      db.transaction(() => {
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.pragma(`user_version = ${LAYOUT}`);
        db.exec(LAYOUT_SQL);
      })();
      db.pragma('journal_mode = WAL');
      db.close();
      syncPath(draft);
      publish(draft, path, false);
    } finally {
      for (const suffix of ['', '-wal', '-shm']) rmSync(draft + suffix, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existsSync(path)) throw logError(path, error);
  }
}

/** Throws system.resource.disk where the file system takes no folders. */
function makeDataFolder(folder: string): void {
  try {
    makeFolders(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new PipeError('system.resource.disk', `the data folder ${folder} cannot be made: ${(cause as Error).message}`, { cause, hint: 'give another folder: --data-dir or PIPE_DATA_DIR' });
  }
}

/** Opens a file that is there. Throws system.state.corrupt, foreign or newer and leaves bad files as they are. */
export function openLogFile(path: string): Sqlite.Database {
  try {
    inspectLog(path);
    refuseNetwork(dirname(path));
    const db = new Database(path, { timeout: BUSY_MS, fileMustExist: true });
    try {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      db.pragma('wal_autocheckpoint = 4000');
      db.prepare('SELECT count(*) FROM topics').get();
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  } catch (error) {
    throw logError(path, error);
  }
}

/** Whether there is a file. Throws system.source.unreachable where that cannot be seen. */
export function isLog(path: string): boolean {
  try {
    return present(path);
  } catch (error) {
    throw logError(path, error);
  }
}

/** Looks at a file before SQLite may touch it. Throws system.state.corrupt, foreign or newer. */
export function inspectLog(path: string): void {
  const { size } = statSync(path);
  const head = Buffer.alloc(100);
  const fd = openSync(path, 'r');
  readSync(fd, head, 0, 100, 0);
  closeSync(fd);
  const corrupt = (what: string): PipeError => new PipeError('system.state.corrupt', `the embedded log ${path} is damaged: ${what}`, { hint: WAY_OUT });
  if (size === 0) throw corrupt('it is empty');
  if (size < 100 || head.latin1Slice(0, 16) !== SQLITE_MAGIC) throw corrupt('it is no SQLite file');
  if (head.readUInt32BE(68) !== APPLICATION_ID) throw new PipeError('system.state.foreign', `${path} is an SQLite file, but no log of pipe`, { hint: 'move it away' });
  const layout = head.readUInt32BE(60);
  if (layout > LAYOUT) throw new PipeError('system.state.newer', `the embedded log ${path} was written by a newer pipe (layout ${layout}, this one knows ${LAYOUT})`, { hint: 'use that version' });
}

/** What went wrong in the file, as a problem for people; a PipeError and what is nobody's fault stay as they are. */
export function logError(path: string, cause: unknown): unknown {
  if (cause instanceof PipeError) return cause;
  const { code = '', message = '' } = cause as { code?: string; message?: string };
  if (code.startsWith('SQLITE_BUSY')) {
    return new PipeError('system.source.unreachable', `the embedded log ${path} is busy: another process has been writing to it for more than ${BUSY_MS / 1000} s`, { cause, retriable: true, hint: 'try again' });
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return new PipeError('system.state.corrupt', `the embedded log ${path} is damaged: ${message}`, { cause, hint: WAY_OUT });
  if (/^(SQLITE_(FULL|IOERR)|ENOSPC|EDQUOT)/.test(code)) {
    return new PipeError('system.resource.disk', `the embedded log ${path} cannot be written: ${message}`, { cause, retriable: true, hint: 'make room and start again: nothing is lost' });
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|AUTH)|EACCES|EPERM|EROFS|ENOTDIR|EISDIR|EEXIST|ELOOP|ENAMETOOLONG)/.test(code)) {
    return new PipeError('system.source.unreachable', `the embedded log ${path} cannot be opened: ${message}`, { cause, hint: 'pipe must be able to read and write this file and its folder; --data-dir names another one' });
  }
  return cause;
}

/** True for what the same call may get past a moment later. */
export const isBusy = (error: unknown): boolean => error instanceof PipeError && error.code === 'system.source.unreachable' && error.retriable;
