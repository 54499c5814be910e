import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from './database.ts';
import { checkIntegrity, EpochWitness, inspectState, unreadable } from './file.ts';
import { lockHolder, type LockHolder } from './lock.ts';
import { CHECKED_BYTES } from './open.ts';
import type { SqlValue } from './store.ts';

export interface StateFinding {
  readonly pipeline: string;
  readonly log: string;
  readonly stateId: string;
  /** Last epoch, and the last one that had output. */
  readonly epoch: number;
  readonly delivery: number;
  readonly bytes: number;
  /** Read as a whole; larger files are not. */
  readonly whole: boolean;
  /** Who runs it. */
  readonly lock: LockHolder;
}

/** Looks at a state file, also while its pipeline runs; null when there is none. Throws system.state.* and system.source.unreachable. */
export function examineState(path: string): StateFinding | null {
  if (!inspectState(path)) return null;
  try {
    const lock = lockHolder(path);
    const bytes = statSync(path).size;
    const whole = bytes <= CHECKED_BYTES;
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      if (whole) checkIntegrity(db, path);
      const meta = new Map(db.prepare('SELECT key, value FROM meta').raw().all() as [string, SqlValue][]);
      const [stateId, epoch] = [meta.get('state_id') as string, Number(meta.get('epoch'))];
      // a runner notes epochs that came after what was read here
      if (!lock.held) new EpochWitness(path).check(stateId, epoch, path);
      return { pipeline: meta.get('pipeline') as string, log: meta.get('log') as string, stateId, epoch, delivery: Number(meta.get('delivery') ?? 0), bytes, whole, lock };
    } finally {
      db.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** SQLite's version where a folder can hold its files: two connections share a write-ahead log there. Leaves nothing behind. Throws what fails. */
export function tryFolder(folder: string): string {
  const dir = mkdtempSync(join(folder, '.pipe-doctor-'));
  const open: InstanceType<typeof Database>[] = [];
  try {
    for (let i = 0; i < 2; i++) open.push(new Database(join(dir, 'probe.db'), { timeout: 0 }));
    const [one, two] = open as [InstanceType<typeof Database>, InstanceType<typeof Database>];
    const mode = one.pragma('journal_mode = WAL', { simple: true }) as string;
    if (mode !== 'wal') throw new Error(`SQLite has no write-ahead log there (journal mode ${mode})`);
    one.exec('CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)');
    if (two.prepare('SELECT count(*) FROM t').pluck().get() !== 0) throw new Error('a connection sees what another one has not committed');
    one.exec('COMMIT');
    if (two.prepare('SELECT count(*) FROM t').pluck().get() !== 1) throw new Error('a connection does not see what another one has committed');
    return one.prepare('SELECT sqlite_version()').pluck().get() as string;
  } finally {
    for (const db of open) db.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
