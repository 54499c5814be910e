import type Sqlite from 'better-sqlite3';
import type { DeadLetter } from './store.ts';

/** Past this many bytes the table keeps position and code only. */
export const DEAD_LETTER_BYTES = 64 << 20;
/** A row beside its texts. */
const ROW_BYTES = 100;
/** A single value is cut here. */
export const DEAD_VALUE_BYTES = 1 << 20;
/** Bytes of the table as its limit counts them. */
export const LETTER_BYTES_SQL = `SELECT coalesce(sum(${ROW_BYTES} + coalesce(length(key), 0) + coalesce(length(value), 0) + coalesce(length(message), 0) + coalesce(length(place), 0)), 0) FROM dead_letters`;

/** The table `dead_letters` of a state file, written in the transaction of the epoch. */
export class DeadLetterTable {
  readonly #insert: Sqlite.Statement;
  readonly #delete: Sqlite.Statement;
  readonly #count: Sqlite.Statement;
  readonly #keepLast: Sqlite.Statement;
  #bytes: number;
  /** The highest number that was ever given: none names two letters, whatever was deleted. */
  #last: number;

  constructor(db: Sqlite.Database) {
    this.#insert = db.prepare('INSERT INTO dead_letters (id, at, code, message, place, source, operator, topic, partition, "offset", timestamp, key, value, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#delete = db.prepare('DELETE FROM dead_letters WHERE id = ?');
    this.#count = db.prepare(LETTER_BYTES_SQL).pluck();
    this.#bytes = this.#count.get() as number;
    this.#keepLast = db.prepare("INSERT OR REPLACE INTO meta VALUES ('last_letter', ?)");
    this.#last = db.prepare("SELECT max(coalesce((SELECT max(id) FROM dead_letters), 0), coalesce((SELECT value FROM meta WHERE key = 'last_letter'), 0))").pluck().get() as number;
  }

  insert(letters: readonly DeadLetter[]): void {
    const now = Date.now();
    for (const d of letters) {
      const value = d.value === null ? null : d.value.subarray(0, DEAD_VALUE_BYTES);
      const bytes = ROW_BYTES + (d.key?.length ?? 0) + (value?.length ?? 0) + d.message.length + (d.place?.length ?? 0);
      const full = this.#bytes + bytes > DEAD_LETTER_BYTES;
      if (!full) this.#bytes += bytes;
      this.#insert.run(++this.#last, now, d.code, full ? null : d.message, full ? null : d.place, d.source, d.operator, d.topic, d.partition, d.offset, d.timestamp, full ? null : d.key, full ? null : value, d.size);
    }
  }

  /** How many of these there were. */
  remove(ids: readonly number[]): number {
    let n = 0;
    for (const id of ids) n += this.#delete.run(id).changes;
    this.#keepLast.run(BigInt(this.#last));
    if (n > 0) this.#bytes = this.#count.get() as number;
    return n;
  }
}
