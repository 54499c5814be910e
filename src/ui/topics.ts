import type { CompiledPipeline } from '../config/compile.ts';
import type { Log, NewRecord, TopicInfo } from '../connectors/connector.ts';
import { typeName } from '../sql/types.ts';
import { parseTimestamp } from '../sql/values/time.ts';
import type { Records, Topic, Topics, V1 } from './answers.ts';
import { browse } from './browse.ts';
import type { Call, Route } from './call.ts';
import { filterColumns, RecordFilter } from './filter.ts';
import { LIST_BYTES, ONE_BYTES } from './records.ts';
import { badValue, notFound, Refusal } from './refusal.ts';
import { tail } from './tail.ts';
import { columnsOf } from './topic-columns.ts';

const MOST_RECORDS = 500;
const USUAL_RECORDS = 100;
/** Each of them reads for itself. */
const MOST_TAILS = 16;
const MOST_OFFSET = Number.MAX_SAFE_INTEGER;

/** Topics: what there is, their records, and a record to send. */
export function topicRoutes(): readonly Route[] {
  let tails = 0;
  return [
    { method: 'GET', path: '/api/v1/topics', answers: 'topics', handle: async (c): Promise<V1<Topics>> => {
      const wanted = c.text('log');
      const logs = wanted === null ? await c.site.logs.open() : [await c.site.logs.find(wanted)];
      const pipelines = c.site.pipelines.all();
      const topics = await Promise.all(logs.map(async log => (await log.topics()).map(t => topicAnswer(log, t, pipelines))));
      return { v: 1, topics: topics.flat() };
    } },
    { method: 'GET', path: '/api/v1/topics/:topic/records', answers: 'records', handle: records },
    { method: 'GET', path: '/api/v1/topics/:topic/tail', answers: { open: 'open_event', records: 'records_event', skipped: 'skipped_event', problem: 'problem' }, handle: async c => {
      if (tails >= MOST_TAILS) throw new Refusal(503, 'system.resource.busy', `${MOST_TAILS} tails are open`, 'close one');
      const { log, topic } = await topicOf(c, c.text('log'));
      const options = { log, topic: topic.name, partition: partitionIn(c, topic), filter: filterOf(c, topic) };
      tails++;
      try {
        await tail(options, c.events());
      } finally {
        tails--;
      }
      return undefined;
    } },
    { method: 'POST', path: '/api/v1/topics/:topic/records', action: true, answers: 'done', handle: async c => {
      const body = await c.body();
      const { log, topic } = await topicOf(c, textIn(body, 'log'));
      const partition = partitionOf(topic, body['partition'] ?? null);
      const record: NewRecord = { key: bytesIn(body, 'key'), value: bytesIn(body, 'value'), headers: headersIn(body), partition, timestamp: null };
      await log.append(topic.name, [record]);
      return { v: 1 };
    } },
  ];
}

async function records(c: Call): Promise<V1<Records>> {
  const { log, topic } = await topicOf(c, c.text('log'));
  const partition = partitionIn(c, topic);
  const filter = filterOf(c, topic);
  const limit = c.count('limit', 1, MOST_RECORDS) ?? USUAL_RECORDS;
  const { from, newest } = await start(c, log, topic);
  if (partition !== null) for (const p of from.keys()) if (p !== partition) from.delete(p);
  const found = await browse({ log, topic, from, newest, limit, filter, bytes: limit === 1 ? ONE_BYTES : LIST_BYTES, signal: c.signal });
  return { v: 1, records: found.records, next: found.next, order: newest ? 'newest' : 'oldest', scanned: found.scanned, done: found.done, filter_stopped: found.stopped, failed: filter?.failed ?? 0 };
}

/** Where to begin, by `next`, `offset`, `time` or `from`, and in which direction: to older ones only from the latest, unless `order` says so. */
async function start(c: Call, log: Log, topic: TopicInfo): Promise<{ readonly from: Map<number, number>; readonly newest: boolean }> {
  const [next, offset, time] = [c.text('next'), c.count('offset', 0, MOST_OFFSET), timeOf(c)];
  const earliest = c.word('from', ['earliest', 'latest']) === 'earliest';
  const order = c.word('order', ['newest', 'oldest']) ?? (earliest || offset !== null || time !== null ? 'oldest' : 'newest');
  const newest = order === 'newest';
  const all = (at: (p: TopicInfo['partitions'][number]) => number): Map<number, number> => new Map(topic.partitions.map(p => [p.partition, at(p)]));
  if (next !== null) return { from: nextOf(next), newest };
  if (offset !== null) return { from: all(() => offset + (newest ? 1 : 0)), newest };
  if (time !== null) return { from: new Map(await log.offsetsAt(topic.name, time)), newest };
  return { from: all(p => (earliest ? p.begin : p.end)), newest };
}

/** `{"0": 17}`. Throws 400. */
function nextOf(text: string): Map<number, number> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [['', -1] as const];
  if (entries.some(([p, at]) => !/^\d+$/.test(p) || !Number.isSafeInteger(at) || (at as number) < 0)) throw badValue('next is what an answer gave as next: {"PARTITION": OFFSET, ..}');
  return new Map(entries.map(([p, at]) => [Number(p), at as number]));
}

function timeOf(c: Call): number | null {
  const text = c.text('time');
  if (text === null) return null;
  const ms = /^\d{1,16}$/.test(text) ? Number(text) : parseTimestamp(text);
  if (ms === null) throw badValue('time is an ISO time such as 2024-01-01T12:00:00Z, or milliseconds since 1970');
  return ms;
}

/** Throws 404, or where its log cannot be reached. */
async function topicOf(c: Call, logId: string | null): Promise<{ readonly log: Log; readonly topic: TopicInfo }> {
  const log = await c.site.logs.find(logId);
  const topic = await log.topic(c.param('topic'));
  if (topic === null) throw notFound(`there is no topic of this name on the ${log.label}`, 'GET /api/v1/topics lists them');
  return { log, topic };
}

/** null: not said. Throws 400 where the topic has no such partition. */
function partitionOf(topic: TopicInfo, wanted: unknown): number | null {
  if (wanted === null) return null;
  const found = topic.partitions.find(p => p.partition === wanted);
  if (found === undefined) throw badValue(`partition is one of 0 to ${topic.partitions.length - 1}`);
  return found.partition;
}

const partitionIn = (c: Call, topic: TopicInfo): number | null => partitionOf(topic, c.count('partition', 0, Number.MAX_SAFE_INTEGER));

/** Throws what is wrong with its SQL. */
function filterOf(c: Call, topic: TopicInfo): RecordFilter | null {
  const sql = c.text('filter');
  return sql === null || sql.trim() === '' ? null : new RecordFilter(sql, topic.name, columnsOf(topic.name, c.site.pipelines.all()));
}

const sum = (t: TopicInfo, of: (p: TopicInfo['partitions'][number]) => number): number => t.partitions.reduce((n, p) => n + of(p), 0);

const topicAnswer = (log: Log, t: TopicInfo, pipelines: readonly CompiledPipeline[]): Topic => {
  const declared = columnsOf(t.name, pipelines);
  return {
    log: log.id, name: t.name, partitions: t.partitions.map(p => ({ partition: p.partition, begin: p.begin, end: p.end, bytes: p.bytes })),
    records: sum(t, p => p.end - p.begin), bytes: t.partitions.some(p => p.bytes === null) ? null : sum(t, p => p.bytes as number),
    declared: declared !== null, columns: filterColumns(declared).map(f => ({ name: f.name, type: typeName(f.type) })),
  };
};

function textIn(body: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = body[name] ?? null;
  if (value !== null && typeof value !== 'string') throw badValue(`${name} is a text or null`);
  return value;
}

function bytesIn(body: Readonly<Record<string, unknown>>, name: string): Buffer | null {
  const text = textIn(body, name);
  return text === null ? null : Buffer.from(text);
}

/** `[{"key": .., "value": ..}]`. */
function headersIn(body: Readonly<Record<string, unknown>>): NewRecord['headers'] {
  const list = body['headers'] ?? [];
  if (!Array.isArray(list)) throw badValue('headers is a list of {"key": .., "value": ..}');
  return list.map((h: unknown) => {
    const { key, value = null } = (typeof h === 'object' && h !== null ? h : {}) as { key?: unknown; value?: unknown };
    if (typeof key !== 'string' || (value !== null && typeof value !== 'string')) throw badValue('headers is a list of {"key": .., "value": ..}');
    return { key, value: value === null ? null : Buffer.from(value) };
  });
}
