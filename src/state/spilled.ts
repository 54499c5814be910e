import type Sqlite from 'better-sqlite3';
import { PARTS, type PieceSize, type SpilledPiece, type SpilledRun } from './store.ts';

const PLACE = 'SELECT part, run FROM spilled WHERE table_name = ? AND window_end = ?';
const PIECE = 'SELECT window_start, span, groups, data FROM spilled WHERE table_name = ? AND window_end = ? AND part = ? AND run = ?';

/** Reads the table `spilled` of a state file; `exists` is false in files of older layouts that nobody has upgraded. */
export class SpilledTable {
  readonly #db: Sqlite.Database;
  readonly #statements = new Map<string, Sqlite.Statement>();
  readonly exists: boolean;

  constructor(db: Sqlite.Database) {
    this.#db = db;
    this.exists = db.prepare("SELECT count(*) FROM sqlite_master WHERE name = 'spilled'").pluck().get() === 1;
  }

  runs(table: string): SpilledRun[] {
    const rows = this.#all("SELECT window_end, window_start, run, sum(groups), sum(length(data)) FROM spilled WHERE table_name = ? GROUP BY window_end, run ORDER BY window_end, run", table);
    return (rows as [number, number, number, number, number][]).map(([lead, start, run, groups, bytes]) => ({ lead, start, run, groups, bytes }));
  }

  /** Those of all runs together: there may be more pieces than memory holds. */
  sizes(table: string, lead: number): PieceSize[] {
    const rows = this.#all('SELECT part, span, sum(length(data)) FROM spilled WHERE table_name = ? AND window_end = ? GROUP BY part, span', table, lead);
    return (rows as [number, number, number][]).map(([part, span, bytes]) => ({ part, span, bytes }));
  }

  /** One at a time, in the order of their runs. A piece that begins before `from` and reaches into it begins where a block of its span does. */
  *pieces(table: string, lead: number, from: number, to: number, first: number): Iterable<SpilledPiece> {
    const places = this.#all(`${PLACE} AND part >= ? AND part < ? AND run >= ?`, table, lead, from, to, first) as [number, number][];
    const starts = new Set<number>();
    for (let span = 2; span <= PARTS; span *= 2) if (from % span !== 0) starts.add(from - (from % span));
    for (const part of starts) places.push(...(this.#all(`${PLACE} AND part = ? AND part + span > ? AND run >= ?`, table, lead, part, from, first) as [number, number][]));
    for (const [part, run] of places.sort((a, b) => a[1] - b[1] || a[0] - b[0])) {
      const [start, span, groups, data] = this.#all(PIECE, table, lead, part, run)[0] as [number, number, number, Buffer];
      yield { lead, start, part, span, run, groups, data };
    }
  }

  #all(sql: string, ...values: readonly (string | number)[]): unknown[] {
    if (!this.exists) return [];
    let s = this.#statements.get(sql);
    if (s === undefined) this.#statements.set(sql, (s = this.#db.prepare(sql).raw()));
    return s.all(...values);
  }
}
