import { randomBytes } from 'node:crypto';
import { chmodSync, renameSync, statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import { Database } from './database.ts';
import { APPLICATION_ID, type EpochWitness, LAYOUT, checkIntegrity, damaged, deleteState, syncPath } from './file.ts';
import { BACKLOG_SQL, LAYOUT_SQL, PACKED_SQL, SPILLED_SQL } from './schema.ts';
import type { SqlValue } from './store.ts';

export interface StateOptions {
  /** The state file; its folder is made with mode 0700. */
  readonly path: string;
  readonly pipeline: string;
  /** Log that the positions belong to. */
  readonly logId: string;
  /** Start again: delete what is there. */
  readonly reset: boolean;
}

/** Files up to this size are read as a whole at start. */
export const CHECKED_BYTES = 64 << 20;
/** ms that a connection waits for another one that is in its way. */
export const BUSY_MS = 5000;
/** Outbox and packed windows are large blobs: fewer, larger pages take a quarter of the system calls. */
export const PAGE_BYTES = 16 << 10;

/**
 * Reads the state once before it is opened to be written: a connection that may write moves its write-ahead log into the file when
 * it closes, and a state that is refused must stay as it is. Throws system.state.corrupt, foreign and rolled_back.
 */
export function lookAt({ path, pipeline, logId }: StateOptions, witness: EpochWitness): { readonly stateId: string; readonly epoch: number } {
  const db = new Database(path, { timeout: BUSY_MS, readonly: true, fileMustExist: true });
  try {
    if (statSync(path).size <= CHECKED_BYTES) checkIntegrity(db, path);
    const meta = new Map((db.prepare('SELECT key, value FROM meta').raw().all() as [string, SqlValue][]));
    for (const [key, ours, what] of [['pipeline', pipeline, 'pipeline'], ['log', logId, 'log']] as const) {
      if (meta.get(key) !== ours) throw new PipeError('system.state.foreign', `the state file ${path} belongs to ${what} "${String(meta.get(key))}", not to "${ours}"`);
    }
    const [stateId, epoch] = [meta.get('state_id') as string, meta.get('epoch') as number];
    witness.check(stateId, epoch, path);
    return { stateId, epoch };
  } catch (error) {
    throw damaged(path, error);
  } finally {
    db.close();
  }
}

/** Older files lack only tables that are empty at first, and the plan, which the next start adds. */
export function upgrade(db: Sqlite.Database): void {
  const layout = db.pragma('user_version', { simple: true }) as number;
  if (layout === LAYOUT) return;
  db.transaction(() => {
    if (layout < 2) db.exec(PACKED_SQL);
    if (layout < 3) db.exec(BACKLOG_SQL);
    db.exec(SPILLED_SQL);
    failpoint('state.upgrading');
    db.pragma(`user_version = ${LAYOUT}`);
  })();
}

/** Throws system.resource.disk. */
export function makeState(o: StateOptions): void {
  try {
    createState(o);
  } catch (error) {
    throw isFull(error) ? new PipeError('system.resource.disk', `the state file ${o.path} cannot be made: ${(error as Error).message}`, { cause: error, hint: 'make room and start again' }) : error;
  }
}

/** A new state appears whole or not at all: a process may die at any time. */
function createState(o: StateOptions): void {
  const path = `${o.path}.new`;
  deleteState(path);
  const db = new Database(path);
  chmodSync(path, 0o600);
  db.pragma(`page_size = ${PAGE_BYTES}`);
  // durable as a whole, below
  db.pragma('synchronous = OFF');
  layOut(db, o);
  db.pragma('journal_mode = WAL');
  db.close();
  syncPath(path);
  failpoint('state.made');
  renameSync(path, o.path);
}

/** The tables of a new state, of epoch 0. */
export function layOut(db: Sqlite.Database, o: Pick<StateOptions, 'pipeline' | 'logId'>): void {
  db.transaction(() => {
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${LAYOUT}`);
    db.exec(LAYOUT_SQL);
    const put = db.prepare('INSERT INTO meta VALUES (?, ?)');
    for (const row of [['pipeline', o.pipeline], ['log', o.logId], ['state_id', randomBytes(12).toString('hex')], ['epoch', 0n], ['delivery', 0n], ['created', new Date().toISOString()]]) put.run(...row);
  })();
}

/** No room, or a disk that fails. */
export const isFull = (error: unknown): boolean => /^(SQLITE_(FULL|IOERR)|ENOSPC|EDQUOT|EIO)/.test((error as { code?: string }).code ?? '');
