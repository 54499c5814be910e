import type { Place } from '../../engine/records.ts';
import { PipeError } from '../../errors.ts';
import { LogDb } from './database.ts';
import { deletedText, missingRecord, offsetLost } from './lost.ts';

/** A block that was there a moment ago. Throws system.source.offset_lost, topic_missing, corrupt_batch. */
export function readBlock(db: LogDb, tp: number, base: number, topic: string, partition: number): Buffer {
  const data = db.get('SELECT data FROM batches WHERE tp = ? AND base = ?', tp, base)?.[0];
  if (data !== undefined) return data as Buffer;
  const first = db.get('SELECT first FROM partitions WHERE tp = ?', tp)?.[0] as number | undefined;
  if (first === undefined) throw new PipeError('system.source.topic_missing', `topic "${topic}" was deleted while it was read`, { hint: 'what was read of it is saved; a topic of that name is another one: --reset-state begins with it' });
  throw first > base ? offsetLost(deletedText(topic, partition, base, first)) : missingRecord(topic, partition, base);
}

/** Reads blocks of any embedded logs by their place: for a thread of its own, which has connections of its own. */
export class BlockReader {
  readonly #files = new Map<string, LogDb>();

  /** Throws as readBlock does. */
  read({ path, tp }: Place, base: number, topic: string, partition: number): Buffer {
    let db = this.#files.get(path);
    if (db === undefined) this.#files.set(path, db = new LogDb(path));
    const file = db;
    return file.read(() => readBlock(file, tp, base, topic, partition));
  }
}
