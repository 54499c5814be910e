import { existsSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { PARTIAL_SQL, quote } from './schema.ts';
import { SpilledTable } from './spilled.ts';
import { LANE_PIECES, type PackedChunk, type PieceSize, type Position, type SpilledPiece, type SpilledRun, type SqlValue } from './store.ts';

/** Tables that are read through what they mean, or by nobody. */
const HIDDEN: ReadonlySet<string> = new Set(['packed', 'spilled', 'outbox', 'backlog']);

/** A state file for reading, while a pipeline may write it: what the last epoch left. */
export class StateReader {
  readonly #db: Sqlite.Database;
  readonly #spilled: SpilledTable;
  readonly #open: IterableIterator<SqlValue[]>[] = [];

  /** Throws user.usage.bad_value when there is no such file. */
  constructor(path: string) {
    if (!existsSync(path)) throw new PipeError('user.usage.bad_value', `there is no state at ${path}`, { hint: 'a pipeline has state once it has run: pipe run' });
    this.#db = new Database(path, { readonly: true });
    this.#db.exec('BEGIN');
    this.#spilled = new SpilledTable(this.#db);
  }

  /** Names of the tables with their columns. */
  tables(): ReadonlyMap<string, readonly string[]> {
    const names = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").pluck().all() as string[];
    return new Map(names.filter(n => !HIDDEN.has(n)).map(name => [name, this.#db.prepare(`SELECT name FROM pragma_table_info(?)`).pluck().all(name) as string[]]));
  }

  rows(table: string): Iterable<SqlValue[]> { return this.#iterate(this.#db.prepare(`SELECT * FROM ${quote(table)}`).raw().safeIntegers()); }

  /** Packed pieces of an operator's table, by window and in order. */
  *packed(table: string): Iterable<PackedChunk> {
    if (this.#db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'packed'").pluck().get() === 0) return;
    for (const [lead, seq, data] of this.#iterate(this.#db.prepare('SELECT window_end, seq, data FROM packed WHERE table_name = ? ORDER BY window_end, seq').raw(), table) as Iterable<[number, number, Buffer]>) yield { lead, lane: Math.floor(seq / LANE_PIECES), data };
  }

  /** The last epoch, 0 before the first. */
  epoch(): number { return this.#db.prepare("SELECT value FROM meta WHERE key = 'epoch'").pluck().get() as number; }

  /** The plan that the state is of (JSON); null in a file of layout 1 or 2. */
  plan(): string | null { return (this.#db.prepare("SELECT value FROM meta WHERE key = 'plan'").pluck().get() ?? null) as string | null; }

  /** Operators with what their groups mean, of layouts 1 and 2. */
  shapes(): ReadonlyMap<string, string> {
    return new Map(this.#db.prepare("SELECT operator, value FROM operators WHERE name = 'shape' ORDER BY operator").raw().all() as [string, string][]);
  }

  positions(): readonly Position[] {
    const rows = this.#db.prepare('SELECT source, topic, topic_id, partition, next_offset, max_event_time FROM positions ORDER BY source, partition').raw().all() as [string, string, string, number, number, number | null][];
    return rows.map(([source, topic, topicId, partition, next, max]) => ({ source, topic, topicId, partition, next, maxEventTime: max ?? -Infinity }));
  }

  partial(): ReadonlySet<string> { return new Set(this.#db.prepare(PARTIAL_SQL).pluck().all() as string[]); }

  /** Whether a table, by its name without `state_`, holds groups. */
  holds(name: string): boolean {
    const table = `state_${name}`;
    const has = (t: string): boolean => this.#db.prepare('SELECT count(*) FROM sqlite_master WHERE name = ?').pluck().get(t) !== 0;
    if (!has(table)) return false;
    if (this.#db.prepare(`SELECT EXISTS (SELECT 1 FROM ${quote(table)})`).pluck().get() === 1) return true;
    return ['packed', 'spilled'].some(t => has(t) && this.#db.prepare(`SELECT EXISTS (SELECT 1 FROM ${t} WHERE table_name = ?)`).pluck().get(table) === 1);
  }

  onDisk(name: string): boolean { return this.#spilled.runs(`state_${name}`).length > 0; }

  /** Windows of an operator's table that are on disk only. */
  spilled(table: string): { runs(): readonly SpilledRun[]; sizes(lead: number): readonly PieceSize[]; pieces(lead: number, from: number, to: number): Iterable<SpilledPiece> } {
    return { runs: () => this.#spilled.runs(table), sizes: (lead: number) => this.#spilled.sizes(table, lead), pieces: (lead: number, from: number, to: number) => this.#spilled.pieces(table, lead, from, to, 0) };
  }

  /** Also while somebody is in the middle of a table. */
  close(): void {
    for (const rows of this.#open) rows.return?.();
    this.#db.close();
  }

  #iterate(statement: Sqlite.Statement, ...values: readonly string[]): Iterable<SqlValue[]> {
    const rows = statement.iterate(...values) as IterableIterator<SqlValue[]>;
    this.#open.push(rows);
    return rows;
  }
}
