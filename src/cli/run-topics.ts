import type { CreateTopic, Log, TopicInfo } from '../connectors/connector.ts';
import type { CreateSpec, OnError, PipelineSpec, SinkSpec, SourceSpec } from '../config/spec.ts';
import { writtenTopics } from '../engine/runtime.ts';
import { PipeError, type Span } from '../errors.ts';
import { closest } from '../suggest.ts';
import { grouped, plural } from './numbers.ts';

/** Loads a file of records into a topic that does not exist yet, in one transaction; the embedded log only. */
export interface SampleLog {
  /** The number of records, or null when the topic is there already. `key` is the field whose text is the key, or null. */
  loadSample(topic: string, file: string, key: string | null, partitions: number): Promise<number | null>;
}

const DEFAULT_PARTITIONS = 3;

/** A missing topic of a pipeline and what would make it. */
interface Wanted {
  readonly topic: string;
  readonly span: Span | undefined;
  readonly create: CreateSpec | null;
  readonly side: 'source' | 'sink';
}

/**
 * Makes the topics that are missing: all of them on the embedded log, with its sample where the source has one; on Kafka those
 * that say `create`. `say` gets a line for each. Throws system.source.topic_missing or system.sink.topic_missing.
 */
export async function prepareTopics(spec: PipelineSpec, onError: OnError | null, log: Log & Partial<SampleLog>, say: (line: string) => void): Promise<void> {
  for (const s of spec.sources) {
    if (await log.topic(s.topic) !== null) continue;
    if (s.sample !== null && log.loadSample !== undefined) {
      const n = await log.loadSample(s.topic, s.sample, s.key, s.create?.partitions ?? DEFAULT_PARTITIONS);
      if (n !== null) say(`topic ${s.topic} made with ${plural(n, 'record')} from ${relative(spec, s.sample)}`);
    } else {
      await make(log, wanted(s, 'source'), DEFAULT_PARTITIONS, say);
    }
  }
  const first = spec.sources[0] === undefined ? null : await log.topic(spec.sources[0].topic);
  const partitions = first?.partitions.length ?? DEFAULT_PARTITIONS;
  const sinks = new Map(spec.sinks.map(s => [s.topic, s]));
  for (const topic of writtenTopics(spec, onError)) {
    if (await log.topic(topic) !== null) continue;
    const sink = sinks.get(topic);
    await make(log, sink === undefined ? { topic, span: undefined, create: null, side: 'sink' } : wanted(sink, 'sink'), partitions, say);
  }
}

const wanted = (s: SourceSpec | SinkSpec, side: Wanted['side']): Wanted => ({ topic: s.topic, span: s.topicSpan, create: s.create, side });

async function make(log: Log, w: Wanted, partitions: number, say: (line: string) => void): Promise<void> {
  if (log.kind === 'kafka' && w.create === null) throw missing(log, w, partitions, await log.topics());
  const topic: CreateTopic = { name: w.topic, partitions: w.create?.partitions ?? partitions, retention: w.create?.retention ?? null, config: w.create?.config ?? {} };
  if (await log.createTopic(topic) === 'created') say(`topic ${w.topic} made (${plural(topic.partitions, 'partition')})`);
}

function missing(log: Log, w: Wanted, partitions: number, topics: readonly TopicInfo[]): PipeError {
  const near = closest(w.topic, topics.map(t => t.name));
  const info = topics.find(t => t.name === near);
  const records = info?.partitions.reduce((n, p) => n + p.end - p.begin, 0) ?? 0;
  const label = info === undefined ? 'no such topic' : `did you mean "${info.name}" (${plural(info.partitions.length, 'partition')}, ${grouped(records)} records)?`;
  return new PipeError(w.side === 'source' ? 'system.source.topic_missing' : 'system.sink.topic_missing', `topic "${w.topic}" does not exist on ${log.label}`, {
    span: w.span, label, hint: `create it: pipe topics create ${w.topic} --partitions ${w.create?.partitions ?? partitions}, or say create: {partitions: ${partitions}} in the file`,
  });
}

const relative = (spec: PipelineSpec, file: string): string => (file.startsWith(`${spec.dir}/`) ? file.slice(spec.dir.length + 1) : file);
