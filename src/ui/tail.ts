import { setTimeout } from 'node:timers/promises';
import type { Log } from '../connectors/connector.ts';
import type { RecordBatch } from '../engine/records.ts';
import type { TopicRecord } from './answers.ts';
import { wantedOf, type RecordFilter } from './filter.ts';
import { LIST_BYTES, recordAnswer } from './records.ts';
import { problemOf } from './refusal.ts';
import type { EventStream } from './sse.ts';

const POLL_MS = 1000;
/** ms between two events. */
const EVERY_MS = 100;
/** Of what came in between, so many of the newest are filtered, and so many are given. */
const MOST_LOOKED = 2000;
const MOST_GIVEN = 200;

export interface TailOptions {
  readonly log: Log;
  readonly topic: string;
  /** null: all. */
  readonly partition: number | null;
  readonly filter: RecordFilter | null;
}

/** New records of a topic as they come, until nobody listens: events `records`, and before them `skipped` for those that were too many. */
export async function tail({ log, topic, partition, filter }: TailOptions, stream: EventStream): Promise<void> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'latest', onDataLoss: 'earliest' });
  try {
    await source.open();
    stream.send('open', '{}');
    // not told of yet
    let missed = 0;
    while (!stream.signal.aborted) {
      const others = new Set(partition === null ? [] : source.partitions().filter(p => p !== partition));
      const batches = await source.poll(others, POLL_MS, stream.signal);
      const { records, skipped } = newest(batches, filter);
      missed += skipped;
      if (missed > 0 && stream.send('skipped', JSON.stringify({ n: missed }))) missed = 0;
      if (records.length > 0 && !stream.send('records', JSON.stringify(records))) missed += records.length;
      if (batches.length > 0) await setTimeout(EVERY_MS, undefined, { signal: stream.signal });
    }
  } catch (error) {
    if (stream.signal.aborted) return;
    const problem = problemOf(error);
    if (problem === null) throw error;
    stream.send('problem', JSON.stringify(problem.answer));
  } finally {
    stream.end();
    await source.close();
  }
}

function newest(batches: readonly RecordBatch[], filter: RecordFilter | null): { readonly records: readonly TopicRecord[]; readonly skipped: number } {
  let records: TopicRecord[] = [];
  let left = MOST_LOOKED;
  let skipped = 0;
  for (const b of [...batches].reverse()) {
    const from = Math.max(0, b.length - left);
    left -= b.length - from;
    skipped += from;
    const rows = wantedOf(filter, b, from, b.length);
    const given = rows.slice(-MOST_GIVEN);
    skipped += rows.length - given.length;
    records.unshift(...given.map(i => recordAnswer(b, i, LIST_BYTES)));
  }
  records.sort((a, b) => a.timestamp - b.timestamp);
  skipped += Math.max(0, records.length - MOST_GIVEN);
  records = records.slice(-MOST_GIVEN);
  return { records, skipped };
}
