import type { PipelineSpec } from '../../config/spec.ts';
import type { Log, TopicInfo } from '../../connectors/connector.ts';
import { readTopic } from '../read-topic.ts';
import type { RecordBatch } from '../records.ts';
import { writtenTopics } from '../runtime.ts';
import type { Letter } from './letter.ts';

/** A record of a dead-letter topic was cut where key and value take this much. */
const DEAD_TOPIC_BYTES = 900_000;

/** Topics that `on_error: {topic: ..}` of a pipeline names and that are there. */
export async function deadLetterTopics(spec: PipelineSpec, log: Log): Promise<TopicInfo[]> {
  const sinks = new Set(spec.sinks.map(s => s.topic));
  const found = await Promise.all([...writtenTopics(spec, null)].filter(t => !sinks.has(t)).map(t => log.topic(t)));
  return found.filter(t => t !== null);
}

/** Dead letters of a topic up to its end as it is now; `replayed` says which of a partition were sent again. */
export async function* topicLetters(spec: PipelineSpec, log: Log, topic: TopicInfo, replayed: (partition: number) => (offset: number) => boolean, signal: AbortSignal): AsyncGenerator<Letter> {
  const first = new Map(topic.partitions.map(p => [p.partition, p.begin]));
  const gone = new Map<number, (offset: number) => boolean>();
  for await (const { source, batch: b } of readTopic(log, topic.name, signal)) {
    const isGone = gone.get(b.partition) ?? replayed(b.partition);
    gone.set(b.partition, isGone);
    for (let i = 0; i < b.length; i++) {
      const offset = b.offsets[i] as number;
      if (offset < source.endAtOpen(b.partition) && !isGone(offset)) yield letterOf(spec, topic.id, first.get(b.partition) ?? 0, b, i);
    }
  }
}

function letterOf(spec: PipelineSpec, topicId: string, first: number, b: RecordBatch, i: number): Letter {
  const part = (from: number, to: number): Buffer | null => (from < 0 ? null : Buffer.from(b.data.subarray(from, to)));
  const headers = new Map(b.headers(i).map(h => [h.key, h.value?.toString() ?? '']));
  const [, code = 'unknown', message = ''] = /^([\w.]+): ([^]*)$/.exec(headers.get('pipe.error') ?? '') ?? [];
  // where it was read, then the place in the SQL
  const [, at = '', place] = /^(\S*)(?: ([^]+))?$/.exec(headers.get('pipe.at') ?? '') ?? [];
  const [, topic = at, partition = '-1', from = '-1'] = /^(.*)\/(\d+)\/(\d+)$/.exec(at) ?? [];
  const key = part(b.keyStart[i] as number, b.keyEnd[i] as number);
  const value = part(b.valueStart[i] as number, b.valueEnd[i] as number);
  const offset = b.offsets[i] as number;
  return {
    ref: `${b.topic}-${b.partition}-${offset}`, id: null, at: b.timestamps[i] as number, code, message, place: place ?? null,
    source: spec.sources.find(s => s.topic === topic)?.name ?? '', operator: null, topic, partition: Number(partition), offset: Number(from), timestamp: null, key, value,
    size: (key?.length ?? 0) + (value?.length ?? 0) >= DEAD_TOPIC_BYTES ? null : value?.length ?? 0,
    mark: { topicId, partition: b.partition, first, offsets: [offset] },
  };
}
