import { randomUUID } from 'node:crypto';
import { PipeError } from '../../errors.ts';
import type { CreateTopic, PartitionInfo, TopicInfo } from '../connector.ts';
import { checkTopicName } from '../topic-name.ts';
import type { LogDb } from './database.ts';

export interface TopicRow {
  /** Key of the row; never used again. */
  readonly topic: number;
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
}

const MAX_PARTITIONS = 10_000;

export function findTopic(db: LogDb, name: string): TopicRow | null {
  const row = db.get('SELECT topic, name, id, partitions FROM topics WHERE name = ?', name);
  return row === undefined ? null : { topic: row[0] as number, name: row[1] as string, id: row[2] as string, partitions: row[3] as number };
}

export function topicInfo(db: LogDb, t: TopicRow): TopicInfo {
  const partitions = db.all('SELECT partition, first, next, bytes FROM partitions WHERE topic = ? ORDER BY partition', t.topic);
  return { name: t.name, id: t.id, partitions: partitions.map(([partition, begin, end, bytes]) => ({ partition, begin, end, bytes }) as PartitionInfo) };
}

/** Inside a write transaction; null when the topic exists. */
export function insertTopic(db: LogDb, t: CreateTopic, now: number): TopicRow | null {
  checkTopicName(t.name);
  if (!Number.isInteger(t.partitions) || t.partitions < 1 || t.partitions > MAX_PARTITIONS) {
    throw new PipeError('user.usage.bad_value', `a topic has 1 to ${MAX_PARTITIONS} partitions, not ${t.partitions}`);
  }
  if (findTopic(db, t.name) !== null) return null;
  const id = randomUUID();
  const row = db.get('INSERT INTO topics (name, id, partitions, retention_ms, created_ms) VALUES (?, ?, ?, ?, ?) RETURNING topic', t.name, id, t.partitions, retention(t), now);
  const topic = row?.[0] as number;
  for (let p = 0; p < t.partitions; p++) db.run('INSERT INTO partitions (topic, partition) VALUES (?, ?)', topic, p);
  return { topic, name: t.name, id, partitions: t.partitions };
}

/** ms, -1 for ever, null for the default; `retention.ms` as Kafka has it is taken too. */
function retention(t: CreateTopic): number | null {
  const text = t.config['retention.ms'];
  if (t.retention !== null || text === undefined) return t.retention;
  if (!/^(-1|\d{1,15})$/.test(text)) throw new PipeError('user.usage.bad_value', `retention.ms of topic "${t.name}" is ms, or -1 for ever, not "${text}"`);
  return Number(text);
}
