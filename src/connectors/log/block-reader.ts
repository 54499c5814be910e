import type Sqlite from 'better-sqlite3';
import type { Place } from '../../engine/records.ts';
import { logError, openForReading } from './file.ts';

export const BLOCK_SQL = 'SELECT data FROM batches WHERE tp = ? AND base = ?';

/** Reads blocks of any embedded logs by their place: for a thread of its own, which has connections of its own. */
export class BlockReader {
  readonly #statements = new Map<string, Sqlite.Statement>();

  /** Null when the block is not there any more. */
  read({ path, tp }: Place, base: number): Buffer | null {
    try {
      let s = this.#statements.get(path);
      if (s === undefined) this.#statements.set(path, s = openForReading(path).prepare(BLOCK_SQL).pluck());
      return (s.get(tp, base) as Buffer | undefined) ?? null;
    } catch (error) {
      throw logError(path, error);
    }
  }
}
