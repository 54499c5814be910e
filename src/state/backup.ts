import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { EpochWitness, syncPath } from './file.ts';

/** Pages that are copied before others get their turn. */
const PAGES_AT_ONCE = 1024;

/** An SQLite file as it is now, whatever is written to it later: read, and copied as a whole. */
export class Snapshot {
  readonly path: string;
  readonly #db: Sqlite.Database;

  /** Throws what SQLite throws. */
  constructor(path: string) {
    this.path = path;
    this.#db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      this.#db.exec('BEGIN');
      this.#db.prepare('SELECT count(*) FROM sqlite_master').get();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** First value of the first row, or undefined. */
  value(sql: string, ...values: readonly string[]): string | number | null | undefined { return this.#db.prepare(sql).pluck().get(...values) as string | number | null | undefined; }

  row(sql: string, ...values: readonly string[]): readonly (string | number | null)[] | undefined { return this.#db.prepare(sql).raw().get(...values) as (string | number | null)[] | undefined; }

  /**
   * Copies the file to `draft` (0600), which must not exist; whole, checked and durable on return, and one file without companions.
   * `copied` hears now and then how many bytes of it are there.
   */
  async copy(draft: string, signal: AbortSignal, copied?: (bytes: number) => void): Promise<void> {
    closeSync(openSync(draft, 'wx', 0o600));
    const pageBytes = this.#db.pragma('page_size', { simple: true }) as number;
    try {
      const { totalPages: all } = await this.#db.backup(draft, { progress: ({ totalPages, remainingPages }) => {
        if (signal.aborted) throw new PipeError('system.run.drain_deadline', 'stopped before the copy was complete');
        copied?.((totalPages - remainingPages) * pageBytes);
        return PAGES_AT_ONCE;
      } });
      copied?.(all * pageBytes);
      const copy = new Database(draft);
      try {
        copy.pragma('journal_mode = DELETE');
        const found = copy.pragma('integrity_check(1)', { simple: true }) as string;
        if (found !== 'ok') throw new PipeError('system.state.corrupt', `${this.path} is damaged: ${found.split('\n')[0]}`);
      } finally {
        copy.close();
      }
      syncPath(draft);
    } catch (error) {
      discard(draft);
      throw error;
    }
  }

  close(): void { this.#db.close(); }
}

/** Deletes a draft with what SQLite put beside it. */
export function discard(draft: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(draft + suffix, { force: true });
}

/** Gives a draft its name, durably. Throws EEXIST when the name is taken and not to be replaced. */
export function publish(draft: string, path: string, replace: boolean): void {
  if (replace) {
    renameSync(draft, path);
  } else {
    try {
      linkSync(draft, path);
      rmSync(draft);
    } catch (error) {
      // some file systems have no links
      if (!/^(EPERM|ENOTSUP|EOPNOTSUPP|ENOSYS)$/.test((error as NodeJS.ErrnoException).code ?? '') || existsSync(path)) throw error;
      renameSync(draft, path);
    }
  }
  syncPath(dirname(path));
}

/**
 * Puts a draft in the place of an SQLite file that nobody has open, and keeps that one aside; its new name, or null when there was
 * none. Its write-ahead log goes with it: beside the new file it would be taken for its own.
 */
export function replaceDatabase(draft: string, path: string): string | null {
  const aside = existsSync(path) || existsSync(`${path}-wal`) ? freeName(`${path}.before-restore`) : null;
  if (aside !== null) {
    for (const suffix of ['-wal', '']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    rmSync(`${path}-shm`, { force: true });
    syncPath(dirname(path));
  }
  publish(draft, path, false);
  return aside;
}

/** The same for a state file whose lock the caller holds: from now on it has reached the epoch of the backup, not that of the old one. */
export function replaceState(draft: string, path: string, stateId: string, epoch: number): string | null {
  const aside = replaceDatabase(draft, path);
  new EpochWitness(path).note(stateId, epoch, true);
  return aside;
}

function freeName(name: string): string {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name}.${n}`;
    if (!existsSync(tried) && !existsSync(`${tried}-wal`)) return tried;
  }
}
