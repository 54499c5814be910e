import type Sqlite from 'better-sqlite3';
import type { DeadLetterTable } from './dead-letters.ts';
import { quote, tableName, tableSql } from './schema.ts';
import { LANE_PIECES, type ClaimTx, type DeadLetter, type PackedChunk, type SqlValue, type StateTx, type TableSpec } from './store.ts';

/** Tables of what operators' tables do not hold as rows. */
const PIECES = ['packed', 'spilled'] as const;

/** Changes of what a state file holds, for another plan: all within the one transaction of the caller. */
export class StateClaim implements ClaimTx {
  readonly upsert: StateTx['upsert'];
  readonly deletePrefix: StateTx['deletePrefix'];
  readonly appendPacked: StateTx['appendPacked'];
  readonly deletePacked: StateTx['deletePacked'];
  readonly put: StateTx['put'];
  readonly putSpilled: StateTx['putSpilled'];
  readonly deleteSpilled: StateTx['deleteSpilled'];
  readonly dropBacklog: StateTx['dropBacklog'];
  readonly #db: Sqlite.Database;
  readonly #letters: DeadLetterTable;
  #aside = 0;

  constructor(db: Sqlite.Database, tx: StateTx, letters: DeadLetterTable) {
    this.#db = db;
    this.#letters = letters;
    ({ upsert: this.upsert, deletePrefix: this.deletePrefix, appendPacked: this.appendPacked, deletePacked: this.deletePacked, put: this.put, putSpilled: this.putSpilled, deleteSpilled: this.deleteSpilled, dropBacklog: this.dropBacklog } = tx);
  }

  plan(json: string): void { this.#db.prepare("INSERT OR REPLACE INTO meta VALUES ('plan', ?)").run(json); }

  renameSources(names: ReadonlyMap<string, string | null>): void {
    for (const table of ['positions', 'watermarks']) {
      const rows = this.#db.prepare(`SELECT * FROM ${table}`).raw().all() as SqlValue[][];
      this.#db.prepare(`DELETE FROM ${table}`).run();
      for (const [source, ...rest] of rows) {
        const to = names.get(source as string);
        if (to !== null) this.#db.prepare(`INSERT INTO ${table} VALUES (?${', ?'.repeat(rest.length)})`).run(to ?? source, ...rest);
      }
    }
  }

  values(): ReadonlyMap<string, ReadonlyMap<string, SqlValue>> {
    const found = new Map<string, Map<string, SqlValue>>();
    for (const [operator, name, value] of this.#db.prepare('SELECT operator, name, value FROM operators').raw().all() as [string, string, SqlValue][]) {
      const of = found.get(operator) ?? new Map<string, SqlValue>();
      found.set(operator, of.set(name, value));
    }
    return found;
  }

  clearValues(): void { this.#db.prepare('DELETE FROM operators').run(); }

  columns(name: string): readonly string[] { return this.#db.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(`state_${name}`) as string[]; }

  setAside(name: string): string {
    const aside = `moving_${this.#aside++}`;
    this.#db.exec(`DROP INDEX IF EXISTS ${quote(`state_${name}_key`)}; ALTER TABLE ${quote(`state_${name}`)} RENAME TO ${quote(`state_${aside}`)}`);
    this.#movePieces(`state_${name}`, `state_${aside}`);
    return aside;
  }

  create(spec: TableSpec): void { for (const ddl of tableSql(spec)) this.#db.exec(ddl); }

  copyRows(name: string, to: TableSpec, columns: readonly number[]): void {
    const names = this.columns(name);
    this.#db.exec(`INSERT INTO ${quote(tableName(to))} SELECT ${columns.map(j => quote(names[j] as string)).join(', ')} FROM ${quote(`state_${name}`)}`);
  }

  movePieces(name: string, to: TableSpec): void { this.#movePieces(`state_${name}`, tableName(to)); }

  *packed(name: string): Iterable<PackedChunk> {
    // piece by piece: rows are written in between
    const get = this.#db.prepare('SELECT data FROM packed WHERE table_name = ? AND window_end = ? AND seq = ?').pluck();
    for (const [lead, seq] of this.#db.prepare('SELECT window_end, seq FROM packed WHERE table_name = ? ORDER BY window_end, seq').raw().all(`state_${name}`) as [number, number][]) {
      yield { lead, lane: Math.floor(seq / LANE_PIECES), data: get.get(`state_${name}`, lead, seq) as Buffer };
    }
  }

  drop(name: string): void {
    for (const t of PIECES) this.#db.prepare(`DELETE FROM ${t} WHERE table_name = ?`).run(`state_${name}`);
    this.#db.exec(`DROP TABLE IF EXISTS ${quote(`state_${name}`)}`);
  }

  deadLetters(letters: readonly DeadLetter[]): void { this.#letters.insert(letters); }

  #movePieces(from: string, to: string): void { for (const t of PIECES) this.#db.prepare(`UPDATE ${t} SET table_name = ? WHERE table_name = ?`).run(to, from); }

  takeStaged(): void { this.#db.exec("INSERT OR REPLACE INTO meta SELECT 'backlog', coalesce(max(id), 0) FROM backlog"); }
}
