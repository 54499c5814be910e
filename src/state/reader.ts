import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { inspectState, unreadable } from './file.ts';
import { isOwn } from './lock.ts';
import { PARTIAL_SQL, quote } from './schema.ts';
import { SpilledTable } from './spilled.ts';
import { LANE_PIECES, type PackedChunk, type PieceSize, type Position, type SpilledPiece, type SpilledRun, type SqlValue } from './store.ts';

/** Tables that are read through what they mean, or by nobody. */
const HIDDEN: ReadonlySet<string> = new Set(['packed', 'spilled', 'outbox', 'backlog']);

/** A state file for reading, while a pipeline may write it: what the last epoch left. */
export class StateReader {
  readonly #path: string;
  readonly #db: Sqlite.Database;
  readonly #spilled: SpilledTable;
  readonly #open: IterableIterator<SqlValue[]>[] = [];

  /** Throws user.usage.bad_value when there is no such file, system.state.corrupt, foreign or newer, system.source.unreachable. */
  constructor(path: string) {
    this.#path = path;
    if (!isOwn(path) && !inspectState(path)) throw new PipeError('user.usage.bad_value', `there is no state at ${path}`, { hint: 'a pipeline has state once it has run: pipe run' });
    this.#db = this.#try(() => new Database(path, { readonly: true, fileMustExist: true }));
    try {
      this.#spilled = this.#try(() => { this.#db.exec('BEGIN'); return new SpilledTable(this.#db); });
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Names of the tables with their columns. */
  tables(): ReadonlyMap<string, readonly string[]> {
    const names = this.#values("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name") as string[];
    return new Map(names.filter(n => !HIDDEN.has(n)).map(name => [name, this.#values('SELECT name FROM pragma_table_info(?)', name) as string[]]));
  }

  count(table: string): number { return this.#values(`SELECT count(*) FROM ${quote(table)}`)[0] as number; }

  rows(table: string): Iterable<SqlValue[]> { return this.#iterate(() => this.#db.prepare(`SELECT * FROM ${quote(table)}`).raw().safeIntegers()); }

  /** Packed pieces of an operator's table, by window and in order. */
  *packed(table: string): Iterable<PackedChunk> {
    if (!this.#has('packed')) return;
    for (const [lead, seq, data] of this.#iterate(() => this.#db.prepare('SELECT window_end, seq, data FROM packed WHERE table_name = ? ORDER BY window_end, seq').raw(), table) as Iterable<[number, number, Buffer]>) yield { lead, lane: Math.floor(seq / LANE_PIECES), data };
  }

  /** The last epoch, 0 before the first. */
  epoch(): number { return this.#values("SELECT value FROM meta WHERE key = 'epoch'")[0] as number; }

  /** The plan that the state is of (JSON); null in a file of layout 1 or 2. */
  plan(): string | null { return (this.#values("SELECT value FROM meta WHERE key = 'plan'")[0] ?? null) as string | null; }

  /** Operators with what their groups mean, of layouts 1 and 2. */
  shapes(): ReadonlyMap<string, string> {
    return new Map(this.#rows("SELECT operator, value FROM operators WHERE name = 'shape' ORDER BY operator") as [string, string][]);
  }

  positions(): readonly Position[] {
    const rows = this.#rows('SELECT source, topic, topic_id, partition, next_offset, max_event_time FROM positions ORDER BY source, partition') as [string, string, string, number, number, number | null][];
    return rows.map(([source, topic, topicId, partition, next, max]) => ({ source, topic, topicId, partition, next, maxEventTime: max ?? -Infinity }));
  }

  partial(): ReadonlySet<string> { return new Set(this.#values(PARTIAL_SQL) as string[]); }

  /** What an operator keeps beside its groups. */
  get(operator: string, name: string): SqlValue | undefined { return this.#values('SELECT value FROM operators WHERE operator = ? AND name = ?', operator, name)[0] as SqlValue | undefined; }

  /** Whether a table, by its name without `state_`, holds groups. */
  holds(name: string): boolean {
    const table = `state_${name}`;
    if (!this.#has(table)) return false;
    if (this.#values(`SELECT EXISTS (SELECT 1 FROM ${quote(table)})`)[0] === 1) return true;
    return ['packed', 'spilled'].some(t => this.#has(t) && this.#values(`SELECT EXISTS (SELECT 1 FROM ${t} WHERE table_name = ?)`, table)[0] === 1);
  }

  onDisk(name: string): boolean { return this.#try(() => this.#spilled.runs(`state_${name}`)).length > 0; }

  /** Windows of an operator's table that are on disk only. */
  spilled(table: string): { runs(): readonly SpilledRun[]; sizes(lead: number): readonly PieceSize[]; pieces(lead: number, from: number, to: number): Iterable<SpilledPiece> } {
    return {
      runs: () => this.#try(() => this.#spilled.runs(table)), sizes: (lead: number) => this.#try(() => this.#spilled.sizes(table, lead)),
      pieces: (lead: number, from: number, to: number) => this.#told(this.#spilled.pieces(table, lead, from, to, 0)),
    };
  }

  /** Also while somebody is in the middle of a table. */
  close(): void {
    for (const rows of this.#open) rows.return?.();
    this.#db.close();
  }

  #has(table: string): boolean { return this.#values('SELECT count(*) FROM sqlite_master WHERE name = ?', table)[0] !== 0; }

  /** First column of all rows. */
  #values(sql: string, ...values: readonly string[]): unknown[] { return this.#try(() => this.#db.prepare(sql).pluck().all(...values)); }

  #rows(sql: string): unknown[] { return this.#try(() => this.#db.prepare(sql).raw().all()); }

  *#iterate(prepare: () => Sqlite.Statement, ...values: readonly string[]): Iterable<SqlValue[]> {
    const rows = this.#try(() => prepare().iterate(...values)) as IterableIterator<SqlValue[]>;
    this.#open.push(rows);
    yield* this.#told(rows);
  }

  *#told<T>(rows: Iterable<T>): Iterable<T> {
    try {
      yield* rows;
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }
}
