import { statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { createLogFile, isLog, logError, openLogFile } from './file.ts';

export type Row = readonly (number | string | Buffer | null)[];
type Bound = number | string | Uint8Array | null;

const WAL_TRUNCATE_BYTES = 64 << 20;
/** The size of the write-ahead log is looked at after this many bytes of our own. */
const WAL_LOOK_BYTES = 4 << 20;
const WAL_WAIT_MS = 1000;

/** One connection to topics.db: transactions, prepared statements, errors for people. */
export class LogDb {
  readonly path: string;
  readonly #db: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement>();
  readonly #dataVersion: Sqlite.Statement;
  #written = 0;

  constructor(path: string) {
    this.path = path;
    this.#db = openLogFile(path);
    this.#dataVersion = this.#db.prepare('PRAGMA data_version').pluck();
  }

  /** Opens the file, or null when there is none. */
  static find(path: string): LogDb | null { return isLog(path) ? new LogDb(path) : null; }

  /** Opens the file and makes it where it is missing. */
  static make(path: string): LogDb {
    if (!isLog(path)) createLogFile(path);
    return new LogDb(path);
  }

  get(sql: string, ...values: Bound[]): Row | undefined { return this.#statement(sql).get(...values) as Row | undefined; }
  all(sql: string, ...values: Bound[]): Row[] { return this.#statement(sql).all(...values) as Row[]; }
  iterate(sql: string, ...values: Bound[]): IterableIterator<Row> { return this.#statement(sql).iterate(...values) as IterableIterator<Row>; }
  /** For statements that return nothing; the number of changed rows. */
  run(sql: string, ...values: Bound[]): number { return this.#statement(sql).run(...values).changes; }

  /** One transaction that may write, durable on return. */
  write<T>(work: () => T): T { return this.#transaction('BEGIN IMMEDIATE', work); }

  /** One view of the log. */
  read<T>(work: () => T): T { return this.#transaction('BEGIN', work); }

  /** Another number after each commit of another connection. */
  dataVersion(): number { return this.#dataVersion.get() as number; }

  /**
   * After `bytes` were written. With several busy writers SQLite never gets to the end of its write-ahead log: a long one is
   * moved into the file while the others wait.
   */
  wrote(bytes: number): void {
    this.#written += bytes;
    if (this.#written < WAL_LOOK_BYTES) return;
    this.#written = 0;
    if ((statSync(`${this.path}-wal`, { throwIfNoEntry: false })?.size ?? 0) < WAL_TRUNCATE_BYTES) return;
    const timeout = this.#db.pragma('busy_timeout', { simple: true }) as number;
    this.#db.pragma(`busy_timeout = ${WAL_WAIT_MS}`);
    try {
      this.#db.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      throw logError(this.path, error);
    } finally {
      this.#db.pragma(`busy_timeout = ${timeout}`);
    }
  }

  close(): void { this.#db.close(); }

  #transaction<T>(begin: string, work: () => T): T {
    try {
      this.#run(begin);
      const result = work();
      this.#run('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.open && this.#db.inTransaction) this.#run('ROLLBACK');
      throw logError(this.path, error);
    }
  }

  #run(sql: string): void { this.#statement(sql).run(); }

  #statement(sql: string): Sqlite.Statement {
    let s = this.#statements.get(sql);
    if (s !== undefined) return s;
    s = this.#db.prepare(sql);
    if (s.reader) s.raw();
    this.#statements.set(sql, s);
    return s;
  }
}
