import type Sqlite from 'better-sqlite3';
import type { DeadLetter } from './store.ts';

/** Past this many bytes the table keeps position and code only. */
const DEAD_LETTER_BYTES = 64 << 20;
/** A row beside its texts. */
const ROW_BYTES = 100;
/** A single value is cut here. */
export const DEAD_VALUE_BYTES = 1 << 20;

/** The table `dead_letters` of a state file, written in the transaction of the epoch. */
export class DeadLetterTable {
  readonly #insert: Sqlite.Statement;
  #bytes: number;

  constructor(db: Sqlite.Database) {
    this.#insert = db.prepare('INSERT INTO dead_letters (at, code, message, place, source, operator, topic, partition, "offset", timestamp, key, value, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#bytes = db.prepare(`SELECT coalesce(sum(${ROW_BYTES} + coalesce(length(key), 0) + coalesce(length(value), 0) + coalesce(length(message), 0) + coalesce(length(place), 0)), 0) FROM dead_letters`).pluck().get() as number;
  }

  insert(letters: readonly DeadLetter[]): void {
    const now = Date.now();
    for (const d of letters) {
      const value = d.value === null ? null : d.value.subarray(0, DEAD_VALUE_BYTES);
      const bytes = ROW_BYTES + (d.key?.length ?? 0) + (value?.length ?? 0) + d.message.length + (d.place?.length ?? 0);
      const full = this.#bytes + bytes > DEAD_LETTER_BYTES;
      if (!full) this.#bytes += bytes;
      this.#insert.run(now, d.code, full ? null : d.message, full ? null : d.place, d.source, d.operator, d.topic, d.partition, d.offset, d.timestamp, full ? null : d.key, full ? null : value, d.size);
    }
  }
}
