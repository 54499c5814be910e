import { PipeError } from '../../errors.ts';
import { replaceDatabase, Snapshot } from '../../state/backup.ts';
import { Database } from '../../state/database.ts';
import { LogDb } from './database.ts';
import { inspectLog, isLog, logError } from './file.ts';

/**
 * The log, and what `others` looks at, as they are at one moment: while nobody can write to the log, no pipeline on it can get
 * further than one delivery ahead of it, and that one is in its outbox. Throws system.source.unreachable when the log stays busy.
 */
export function snapshotLog<T>(path: string, others: () => T): { readonly log: Snapshot; readonly others: T } {
  const db = new LogDb(path);
  try {
    return db.write(() => {
      const seen = others();
      return { log: new Snapshot(path), others: seen };
    });
  } finally {
    db.close();
  }
}

/** A file that may be put in the place of a log. Throws system.state.corrupt, foreign or newer. */
export function openBackup(path: string): Snapshot {
  try {
    inspectLog(path);
    return new Snapshot(path);
  } catch (error) {
    throw logError(path, error);
  }
}

/** What the log remembers of a pipeline: last delivery and whose state it was of; null for nothing. */
export function lastDelivery(path: string, producer: string): { readonly epoch: number; readonly stateId: string } | null {
  if (!isLog(path)) return null;
  const log = openBackup(path);
  try {
    const row = log.row('SELECT epoch, state_id FROM deliveries WHERE producer = ?', producer);
    return row === undefined ? null : { epoch: row[0] as number, stateId: row[1] as string };
  } finally {
    log.close();
  }
}

/**
 * Puts a copy in the place of a log after `first`, and keeps that one aside; its new name, or null. Throws system.state.locked while
 * somebody has it open, before anything is done.
 */
export function replaceLog(draft: string, path: string, first: () => void): string | null {
  if (!isLog(path)) {
    first();
    return replaceDatabase(draft, path);
  }
  const db = new Database(path, { timeout: 0 });
  try {
    // SQLite refuses this while there is any other connection
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
    first();
    return replaceDatabase(draft, path);
  } catch (error) {
    if (!/^SQLITE_BUSY/.test((error as { code?: string }).code ?? '')) throw logError(path, error);
    throw new PipeError('system.state.locked', `the embedded log ${path} is in use`, { cause: error, retriable: true, hint: 'stop the pipelines and commands that use it first' });
  } finally {
    db.close();
  }
}
