import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';

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
  closeSync(openSync(file, 'a', 0o600));
  const db = new Database(file, { timeout: 0 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    db.close();
    if ((cause as { code?: string }).code?.startsWith('SQLITE_BUSY') !== true) {
      throw new PipeError('system.state.corrupt', `the lock file ${file} cannot be used`, { cause, hint: 'it holds nothing: delete it' });
    }
    const pid = holder(file);
    throw new PipeError('system.state.locked', `pipeline "${pipeline}" is running already${pid === null ? '' : ` (process ${pid})`} on ${path}`, {
      hint: 'stop that one, or give this run its own --data-dir', retriable: true,
    });
  }
  writeFileSync(`${file}.pid`, `${process.pid}\n`, { mode: 0o600 });
  return { release: () => { db.exec('ROLLBACK'); db.close(); } };
}

function holder(file: string): string | null {
  try {
    const pid = readFileSync(`${file}.pid`, 'utf8').trim();
    return /^\d+$/.test(pid) ? pid : null;
  } catch {
    return null;
  }
}
