import type Sqlite from 'better-sqlite3';
import type { Place } from '../../engine/records.ts';
import { PipeError } from '../../errors.ts';
import { logError, openForReading } from './file.ts';
import { deletedText, missingRecord, offsetLost } from './lost.ts';

/** The first column of the one row of a statement; undefined without any. */
type One = (sql: string, ...values: number[]) => unknown;

/** A block that was there a moment ago. Throws system.source.offset_lost, topic_missing, corrupt_batch. */
export function readBlock(one: One, tp: number, base: number, topic: string, partition: number): Buffer {
  const data = one('SELECT data FROM batches WHERE tp = ? AND base = ?', tp, base);
  if (data !== undefined) return data as Buffer;
  const first = one('SELECT first FROM partitions WHERE tp = ?', tp);
  if (first === undefined) throw new PipeError('system.source.topic_missing', `topic "${topic}" was deleted while it was read`, { hint: 'what was read of it is saved; a topic of that name is another one: --reset-state begins with it' });
  throw (first as number) > base ? offsetLost(deletedText(topic, partition, base, first as number)) : missingRecord(topic, partition, base);
}

/** Reads blocks of any embedded logs by their place: for a thread of its own, which has connections of its own. */
export class BlockReader {
  readonly #files = new Map<string, One>();

  /** Throws as readBlock does. */
  read({ path, tp }: Place, base: number, topic: string, partition: number): Buffer {
    try {
      let one = this.#files.get(path);
      if (one === undefined) this.#files.set(path, one = reader(path));
      return readBlock(one, tp, base, topic, partition);
    } catch (error) {
      throw logError(path, error);
    }
  }
}

function reader(path: string): One {
  const db = openForReading(path);
  const statements = new Map<string, Sqlite.Statement>();
  return (sql, ...values) => {
    let s = statements.get(sql);
    if (s === undefined) statements.set(sql, s = db.prepare(sql).pluck());
    return s.get(...values);
  };
}
