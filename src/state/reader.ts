import { existsSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { PipeError } from '../errors.ts';
import { Database } from './database.ts';
import { quote } from './schema.ts';
import { SpilledTable } from './spilled.ts';
import { LANE_PIECES, type PackedChunk, type PieceSize, type SpilledPiece, type SpilledRun, type SqlValue } from './store.ts';

/** Tables that are read through what they mean, or by nobody. */
const HIDDEN: ReadonlySet<string> = new Set(['packed', 'spilled', 'outbox']);

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
