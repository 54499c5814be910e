import { readFileSync } from 'node:fs';
import { PipeError } from '../../errors.ts';
import type { NewRecord } from '../connector.ts';
import { appendBlock, BlockPacker } from './append.ts';
import type { LogDb } from './database.ts';
import { JsonField } from './json-field.ts';
import { findTopic, insertTopic } from './topics.ts';

const NEWLINE = 10;
const RETURN = 13;

/**
 * The topic and the records of a JSONL file in one transaction, so that two processes never load it twice; null when the topic is
 * there. A line without the key field, or that is no JSON, is a record without key. Throws user.config.path.
 */
export function loadSample(db: LogDb, topic: string, file: string, key: string | null, partitions: number, now: number): { records: number; bytes: number } | null {
  if (findTopic(db, topic) !== null) return null;
  const records = readLines(file, key);
  return db.write(() => {
    const made = insertTopic(db, { name: topic, partitions, retention: null, config: {} }, now);
    if (made === null) return null;
    const packer = new BlockPacker(made, () => 0);
    for (const r of records) packer.add(r, now);
    let bytes = 0;
    for (const b of packer.take()) {
      appendBlock(db, made, b, now);
      bytes += b.data.length;
    }
    return { records: records.length, bytes };
  });
}

function readLines(file: string, key: string | null): NewRecord[] {
  let data: Buffer;
  try {
    data = readFileSync(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PipeError('user.config.path', code === 'ENOENT' ? `the sample file ${file} does not exist` : `the sample file ${file} cannot be read: ${message}`, { cause });
  }
  const field = key === null ? null : new JsonField(key);
  const records: NewRecord[] = [];
  for (let start = 0; start < data.length; ) {
    const newline = data.indexOf(NEWLINE, start);
    const next = newline < 0 ? data.length : newline + 1;
    let end = newline < 0 ? data.length : newline;
    if (end > start && data[end - 1] === RETURN) end--;
    const value = data.subarray(start, end);
    start = next;
    if (value.length === 0) continue;
    const text = field?.text(value);
    records.push({ key: text === undefined || text === null ? null : Buffer.from(text), value, headers: [], partition: null, timestamp: null });
  }
  return records;
}
