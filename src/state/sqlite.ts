import { statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { failpoint, failsAt } from '../failpoint.ts';
import { StateClaim } from './claim.ts';
import { DeadLetterTable } from './dead-letters.ts';
import { EpochWitness, damaged, deleteState, inspectState } from './file.ts';
import { lockState, type StateLock } from './lock.ts';
import { BUSY_MS, isFull, lookAt, makeState, PAGE_BYTES, type StateOptions, upgrade } from './open.ts';
import { ReplayBook } from './replay.ts';
import { PARTIAL_SQL, deleteSql, quote, scanSql, tableName, tableSql, upsertSql } from './schema.ts';
import { LANE_PIECES, OTHER_SQL, type Backlog, type ClaimTx, type EpochWrite, type LetterBook, type OutBlock, type PackedChunk, type Saved, type SqlValue, type StateStore, type StateTable, type StateTx, type TableSpec } from './store.ts';
import { SpilledTable } from './spilled.ts';
import { Database } from './database.ts';

/** Rows of one INSERT, the most first: more do not pay, and few statements do for any number. */
const INSERT_ROWS = [64, 16, 4, 1] as const;
const WAL_TRUNCATE_BYTES = 64 << 20;
/** Up to where the backlog is to be sent. */
const TAKEN = "(SELECT coalesce((SELECT value FROM meta WHERE key = 'backlog'), 0))";
/** A page that epoch after epoch writes goes into the file once. */
const WAL_CHECKPOINT_BYTES = failsAt('checkpoint.before', 'checkpoint.after') ? 0 : 48 << 20;
/** A file with less room than this inside is left as it is. */
const SHRINK_BYTES = 1 << 20;

/** Opens or makes the state of a pipeline and takes the right to write it. Throws system.state.* and leaves bad files as they are. */
export function openStateStore(o: StateOptions): StateStore {
  const lock = lockState(o.path, o.pipeline);
  try {
    if (o.reset) deleteState(o.path);
    if (!inspectState(o.path)) makeState(o);
    return new SqliteStateStore(openHome(o, lock));
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** State on a database that outlives it and is nobody else's: for tests, whose restarts are real and touch no disk. */
export function storeIn(db: Sqlite.Database): StateStore {
  const meta = new Map(db.prepare('SELECT key, value FROM meta').raw().all() as [string, SqlValue][]);
  return new SqliteStateStore({ db, path: ':memory:', stateId: meta.get('state_id') as string, epoch: meta.get('epoch') as number, note: () => undefined, close: () => undefined });
}

/** A state that is open, and what goes with where it lies. */
interface Home {
  readonly db: Sqlite.Database;
  readonly path: string;
  readonly stateId: string;
  readonly epoch: number;
  /** An epoch is durable. */
  note(epoch: number, now: boolean): void;
  close(): void;
}

/** Throws system.state.*. */
function openHome(o: StateOptions, lock: StateLock): Home {
  const witness = new EpochWitness(o.path);
  const { stateId, epoch } = lookAt(o, witness);
  const db = new Database(o.path, { timeout: BUSY_MS, fileMustExist: true });
  return { db, path: o.path, stateId, epoch, note: (e, now) => witness.note(stateId, e, now), close: () => { db.close(); lock.release(); } };
}

class SqliteStateStore implements StateStore {
  readonly stateId: string;
  fresh: boolean;
  readonly #db: Sqlite.Database;
  readonly #home: Home;
  readonly #path: string;
  readonly #deadLetters: DeadLetterTable;
  readonly #replays: ReplayBook;
  readonly #spilled: SpilledTable;
  readonly #statements = new Map<string, Sqlite.Statement>();
  /** By table, one for each of INSERT_ROWS that was needed. */
  readonly #inserts = new WeakMap<TableSpec, Sqlite.Statement[]>();
  #truncateAt = WAL_TRUNCATE_BYTES;
  #epoch: number;
  #hasOutbox: boolean;

  constructor(home: Home) {
    this.#home = home;
    this.#path = home.path;
    this.stateId = home.stateId;
    this.#epoch = home.epoch;
    this.fresh = home.epoch === 0;
    this.#db = home.db;
    try {
      this.#db.pragma('journal_mode = WAL');
      this.#db.pragma('synchronous = FULL');
      this.#db.pragma('wal_autocheckpoint = 0');
      upgrade(this.#db);
      this.#deadLetters = new DeadLetterTable(this.#db);
      this.#replays = new ReplayBook(this.#db, this.#deadLetters);
      this.unstage();
      this.#spilled = new SpilledTable(this.#db);
      this.#hasOutbox = this.#all('SELECT count(*) FROM outbox')[0]?.[0] !== 0;
    } catch (error) {
      this.#db.close();
      throw damaged(home.path, error);
    }
  }

  table(spec: TableSpec): StateTable {
    const name = tableName(spec);
    const [found] = this.#all('SELECT sql FROM sqlite_master WHERE type = ? AND name = ?', 'table', name);
    const [ddl, index] = tableSql(spec) as [string, string];
    if (found !== undefined && found[0] !== ddl) this.#dropEmpty(name, spec);
    if (found === undefined || found[0] !== ddl) this.#db.transaction(() => { this.#db.exec(ddl); this.#db.exec(index); })();
    const scan = this.#db.prepare(scanSql(spec)).raw().safeIntegers();
    return {
      spec,
      packed: () => this.#packed(name),
      runs: () => this.#spilled.runs(name),
      spilledSizes: lead => this.#spilled.sizes(name, lead),
      spilled: (lead, from, to, first) => this.#spilled.pieces(name, lead, from, to, first),
      *scan() {
        for (const row of scan.iterate() as IterableIterator<SqlValue[]>) {
          for (let j = 0; j < row.length; j++) if (typeof row[j] === 'bigint') row[j] = plain(row[j] as bigint);
          yield row;
        }
      },
    };
  }

  plan(): string | null { return (this.#all("SELECT value FROM meta WHERE key = 'plan'")[0]?.[0] ?? null) as string | null; }

  shapes(): ReadonlyMap<string, string> {
    return new Map(this.#all("SELECT operator, value FROM operators WHERE name = 'shape' ORDER BY operator") as [string, string][]);
  }

  partial(): ReadonlySet<string> { return new Set(this.#all(PARTIAL_SQL).map(([operator]) => operator as string)); }

  holds(name: string): boolean {
    const table = `state_${name}`;
    return this.#all("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).length > 0 && this.#hasRows(table);
  }

  onDisk(name: string): boolean { return this.#spilled.runs(`state_${name}`).length > 0; }

  claim(write: (tx: ClaimTx) => void): void {
    this.#transaction(() => write(new StateClaim(this.#db, this.#tx, this.#deadLetters)));
  }

  stage(blocks: readonly OutBlock[]): void {
    this.#transaction(() => { for (const b of blocks) this.#run('INSERT INTO backlog (topic, partition, rows, data) VALUES (?, ?, ?, ?)', b.topic, b.partition, b.rows, b.data); });
  }

  unstage(): void { this.#run(`DELETE FROM backlog WHERE id > ${TAKEN}`); }

  backlog(bytes: number): Backlog | null {
    const blocks: OutBlock[] = [];
    let last = 0;
    let size = 0;
    for (const [id, topic, partition, rows, data] of this.#statement(`SELECT id, topic, partition, rows, data FROM backlog WHERE id <= ${TAKEN} ORDER BY id`).raw().iterate() as IterableIterator<[number, string, number, number, Buffer]>) {
      blocks.push({ topic, partition, rows, data });
      last = id;
      size += data.length;
      if (size >= bytes) break;
    }
    return blocks.length === 0 ? null : { last, blocks };
  }

  deadRecords(): ReadonlySet<string> {
    return new Set(this.#all('SELECT topic, partition, "offset" FROM dead_letters').map(([topic, partition, offset]) => `${topic}/${partition}/${offset}`));
  }

  *#packed(table: string): Iterable<PackedChunk> {
    const rows = this.#statement('SELECT window_end, seq, data FROM packed WHERE table_name = ? ORDER BY window_end, seq').raw().iterate(table) as IterableIterator<[number, number, Buffer]>;
    for (const [lead, seq, data] of rows) yield { lead, lane: Math.floor(seq / LANE_PIECES), data };
  }

  #hasRows(table: string): boolean {
    return this.#all(`SELECT EXISTS (SELECT 1 FROM ${quote(table)}) OR EXISTS (SELECT 1 FROM packed WHERE table_name = ?) OR EXISTS (SELECT 1 FROM spilled WHERE table_name = ?)`, table, table)[0]?.[0] === 1;
  }

  #dropEmpty(table: string, spec: TableSpec): void {
    if (this.#hasRows(table)) throw new PipeError('system.state.incompatible', `the saved state of "${spec.name}" in ${this.#path} was made by other SQL: other keys or other aggregates`, { hint: OTHER_SQL });
    this.#db.exec(`DROP TABLE ${quote(table)}`);
  }

  get(operator: string, name: string): SqlValue | undefined {
    return this.#all('SELECT value FROM operators WHERE operator = ? AND name = ?', operator, name)[0]?.[0];
  }

  saved(): Saved {
    return {
      epoch: this.#epoch,
      delivery: this.#all("SELECT value FROM meta WHERE key = 'delivery'")[0]?.[0] as number,
      positions: this.#all('SELECT source, topic, topic_id, partition, next_offset, max_event_time FROM positions ORDER BY source, partition').map(
        ([source, topic, topicId, partition, next, max]) => ({ source, topic, topicId, partition, next, maxEventTime: max ?? -Infinity }) as Saved['positions'][number]),
      watermarks: new Map(this.#all('SELECT source, watermark FROM watermarks').map(([s, w]) => [s as string, (w ?? -Infinity) as number])),
      counters: new Map(this.#all('SELECT name, value FROM counters').map(([n, v]) => [n as string, v as number])),
    };
  }

  outbox(): readonly OutBlock[] {
    return this.#all('SELECT topic, partition, rows, data FROM outbox ORDER BY id').map(([topic, partition, rows, data]) => ({ topic, partition, rows, data }) as unknown as OutBlock);
  }

  commit(e: EpochWrite, write: (tx: StateTx) => void): void {
    this.#transaction(() => {
      failpoint('flush.before');
      write(this.#tx);
      failpoint('flush.after');
      this.#writeEpoch(e);
      failpoint('commit.sql');
    });
    this.#epoch = e.epoch;
    this.fresh = false;
    this.#hasOutbox = e.out.length > 0;
    this.#home.note(e.epoch, false);
  }

  readonly letters: LetterBook = {
    pending: () => this.#replays.pending(),
    begin: r => this.#transaction(() => this.#replays.begin(r)),
    settle: sent => {
      const r = this.#replays.pending();
      if (r === null) return;
      this.#transaction(() => this.#replays.settle(r, sent));
      if (!sent) return;
      this.#epoch = r.epoch;
      this.#home.note(r.epoch, false);
    },
    drop: ids => {
      const n = this.#transaction(() => this.#deadLetters.remove(ids));
      this.#shrink();
      return n;
    },
  };

  clearOutbox(): void {
    if (this.#hasOutbox) this.#run('DELETE FROM outbox');
    this.#hasOutbox = false;
  }

  checkpoint(): void {
    const bytes = statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes > this.#truncateAt) this.#truncate();
    else if (bytes > WAL_CHECKPOINT_BYTES) this.#moveWal();
  }

  #moveWal(): void {
    failpoint('checkpoint.before');
    this.#db.pragma('wal_checkpoint(PASSIVE)');
    failpoint('checkpoint.after');
  }

  /** What was deleted goes back to the disk where most of the file is empty: then the rest is soon written. */
  #shrink(): void {
    const [free, all] = ['freelist_count', 'page_count'].map(name => this.#db.pragma(name, { simple: true }) as number) as [number, number];
    if (free * PAGE_BYTES < SHRINK_BYTES || 2 * free < all) return;
    try {
      this.#db.exec('VACUUM');
      this.#truncate();
    } catch (error) {
      // a full disk: the room inside the file is used again all the same
      if (!isFull(error)) throw error;
    }
  }

  #transaction<T>(work: () => T): T {
    try {
      this.#run('BEGIN IMMEDIATE');
      const result = work();
      this.#run('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#run('ROLLBACK');
      throw isFull(error) ? new PipeError('system.resource.disk', `the state file ${this.#path} cannot be written: ${(error as Error).message}`, { cause: error, retriable: true, hint: 'make room and start again: nothing is lost' }) : error;
    }
  }

  /** Not while somebody reads an old state: then the file grows on, and waiting would stall the pipeline. */
  #truncate(): void {
    this.#db.pragma('busy_timeout = 0');
    const [[busy]] = this.#all('PRAGMA wal_checkpoint(TRUNCATE)') as [[number]];
    this.#db.pragma(`busy_timeout = ${BUSY_MS}`);
    this.#truncateAt = busy === 0 ? WAL_TRUNCATE_BYTES : 2 * this.#truncateAt;
  }

  close(): void {
    if (!this.fresh) this.#home.note(this.#epoch, true);
    this.#home.close();
  }

  readonly #tx: StateTx = {
    upsert: (table, flat, rows) => {
      const width = table.spec.columns.length;
      const inserts = this.#insertsOf(table.spec);
      let done = 0;
      for (let k = 0; k < INSERT_ROWS.length; k++) {
        const n = INSERT_ROWS[k] as number;
        for (; rows - done >= n; done += n) (inserts[k] ??= this.#db.prepare(upsertSql(table.spec, n))).run(flat.slice(done * width, (done + n) * width));
      }
    },
    deletePrefix: (table, prefix) => { this.#statement(deleteSql(table.spec, prefix.length)).run(...prefix); },
    appendPacked: (table, lead, lane, seq, groups, data) => { this.#run('INSERT INTO packed VALUES (?, ?, ?, ?, ?)', tableName(table.spec), lead, lane * LANE_PIECES + seq, groups, data); },
    deletePacked: (table, lead, lane) => {
      const [from, to] = lane === null ? [0, Number.MAX_SAFE_INTEGER] : [lane * LANE_PIECES, (lane + 1) * LANE_PIECES - 1];
      this.#run('DELETE FROM packed WHERE table_name = ? AND window_end = ? AND seq BETWEEN ? AND ?', tableName(table.spec), lead, from, to);
    },
    dropBacklog: last => { this.#run('DELETE FROM backlog WHERE id <= ?', last); },
    putSpilled: (table, p) => { this.#run('INSERT OR REPLACE INTO spilled VALUES (?, ?, ?, ?, ?, ?, ?, ?)', tableName(table.spec), p.lead, p.start, p.part, p.span, p.run, p.groups, p.data); },
    deleteSpilled: (table, lead, from, to, first, last) => {
      // the first bound of `part` says nothing more than the second, but the index knows it: a long window is not looked through for each range
      this.#run('DELETE FROM spilled WHERE table_name = ? AND window_end = ? AND part >= ? AND part < ? AND part + span <= ? AND run BETWEEN ? AND ?', tableName(table.spec), lead, from, to, to, first, last);
    },
    put: (operator, name, value) => { this.#run('INSERT OR REPLACE INTO operators VALUES (?, ?, ?)', operator, name, value); },
  };

  #writeEpoch(e: EpochWrite): void {
    for (const p of e.positions) {
      this.#run('INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?)', p.source, p.partition, p.topic, p.topicId, p.next, Number.isFinite(p.maxEventTime) ? p.maxEventTime : null);
    }
    for (const [source, w] of e.watermarks) this.#run('INSERT OR REPLACE INTO watermarks VALUES (?, ?)', source, Number.isFinite(w) ? w : null);
    for (const [name, n] of e.counters) this.#run('INSERT OR REPLACE INTO counters VALUES (?, ?)', name, n);
    this.#deadLetters.insert(e.deadLetters);
    if (this.#hasOutbox) this.#run('DELETE FROM outbox');
    for (const b of e.out) this.#run('INSERT INTO outbox (epoch, topic, partition, rows, data) VALUES (?, ?, ?, ?, ?)', e.epoch, b.topic, b.partition, b.rows, b.data);
    if (e.out.length > 0) failpoint('outbox.written');
    this.#run("UPDATE meta SET value = ? WHERE key = 'epoch'", BigInt(e.epoch));
    this.#run("UPDATE meta SET value = ? WHERE key = 'delivery'", BigInt(e.delivery));
  }

  #insertsOf(spec: TableSpec): Sqlite.Statement[] {
    let known = this.#inserts.get(spec);
    if (known === undefined) this.#inserts.set(spec, (known = []));
    return known;
  }

  #statement(sql: string): Sqlite.Statement {
    let s = this.#statements.get(sql);
    if (s === undefined) this.#statements.set(sql, (s = this.#db.prepare(sql)));
    return s;
  }

  #run(sql: string, ...values: (SqlValue | bigint)[]): void { this.#statement(sql).run(...values); }
  #all(sql: string, ...values: SqlValue[]): SqlValue[][] { return this.#statement(sql).raw().all(...values) as SqlValue[][]; }
}

const plain = (x: bigint): SqlValue => (x >= -9007199254740991n && x <= 9007199254740991n ? Number(x) : x);
