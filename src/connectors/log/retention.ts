import type { LogDb } from './database.ts';

const DAY = 86_400_000;
/** ms that records stay without a word of their topic: 7 days, as Kafka's. */
const DEFAULT_RETENTION = 7 * DAY;
/** How often a process that appends looks for records to delete. */
const EVERY_MS = 60_000;
/** Blocks deleted in one transaction: others wait for it. */
const BLOCKS_AT_ONCE = 2000;

/** Deletes what is older than its topic keeps, in the processes that append. */
export class Retention {
  #lookedAt = -Infinity;

  /** After an append; mostly does nothing. Wall time `now` in ms. */
  look(db: LogDb, now: number): void {
    if (now - this.#lookedAt < EVERY_MS && now >= this.#lookedAt) return;
    this.#lookedAt = now;
    const old = db.all(
      `SELECT tp, coalesce(retention_ms, ${DEFAULT_RETENTION}) FROM partitions JOIN topics USING (topic)
       WHERE coalesce(retention_ms, 0) >= 0 AND next > first`);
    for (const [tp, keep] of old as [number, number][]) {
      const oldest = db.get('SELECT at_ms FROM batches WHERE tp = ? ORDER BY base LIMIT 1', tp);
      if (oldest !== undefined && (oldest[0] as number) < now - keep) deleteOlder(db, tp, now - keep);
    }
  }
}

/** Deletes the first blocks of a partition up to the first one that is young enough; a block goes as a whole. */
function deleteOlder(db: LogDb, tp: number, before: number): void {
  for (let more = true; more; ) {
    more = db.write(() => {
      const young = db.get('SELECT base FROM batches WHERE tp = ? AND at_ms >= ? ORDER BY base LIMIT 1', tp, before)?.[0] ?? db.get('SELECT next FROM partitions WHERE tp = ?', tp)?.[0];
      const limit = db.get('SELECT base FROM batches WHERE tp = ? ORDER BY base LIMIT 1 OFFSET ?', tp, BLOCKS_AT_ONCE)?.[0] ?? Infinity;
      const first = Math.min(young as number, limit as number);
      const gone = db.all('DELETE FROM batches WHERE tp = ? AND base < ? RETURNING length(data)', tp, first) as [number][];
      db.run('UPDATE partitions SET first = ?, bytes = bytes - ? WHERE tp = ?', first, gone.reduce((n, [bytes]) => n + bytes, 0), tp);
      return first < (young as number);
    });
  }
}
