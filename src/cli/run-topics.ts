import type { CreateTopic, Log, Notices, TopicInfo } from '../connectors/connector.ts';
import type { CreateSpec, OnError, PipelineSpec, SinkSpec, SourceSpec } from '../config/spec.ts';
import { writtenTopics } from '../engine/runtime.ts';
import { PipeError, type Span } from '../errors.ts';
import { closest } from '../suggest.ts';
import { plural, recordCount } from '../numbers.ts';
import { unknownSettings } from './topic-settings.ts';

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

/** Topics of these pipelines that are missing on Kafka and that no file creates: a problem each, with the line that makes it. */
export async function missingTopics(pipelines: readonly { readonly spec: PipelineSpec; readonly log: Log }[], onError: OnError | null): Promise<PipeError[]> {
  const problems: PipeError[] = [];
  const seen = new Map<Log, Set<string>>();
  for (const { spec, log } of pipelines.filter(p => p.log.kind === 'kafka')) {
    const known = seen.get(log) ?? new Set();
    seen.set(log, known);
    const partitions = await sinkPartitions(spec, log);
    for (const w of [...spec.sources.map(s => wanted(s, 'source')), ...writtenBy(spec, onError)]) {
      if (known.has(w.topic)) continue;
      known.add(w.topic);
      if (w.create === null && await log.topic(w.topic) === null) problems.push(missing(log, w, w.side === 'source' ? DEFAULT_PARTITIONS : partitions, await log.topics()));
    }
  }
  return problems;
}

/**
 * Makes the topics that are missing: all of them on the embedded log, with its sample where the source has one; on Kafka those
 * that say `create`. `written` are the topics of all sinks of this run. Throws system.source.topic_missing or system.sink.topic_missing.
 */
export async function prepareTopics(spec: PipelineSpec, onError: OnError | null, log: Log & Partial<SampleLog>, written: ReadonlySet<string>, notices: Notices): Promise<void> {
  for (const s of spec.sources) {
    if (await log.topic(s.topic) !== null) continue;
    warnOfSettings(log, wanted(s, 'source'), notices);
    if (s.sample !== null && log.loadSample !== undefined) {
      const n = await log.loadSample(s.topic, s.sample, s.key, s.create?.partitions ?? DEFAULT_PARTITIONS).catch((error: unknown) => { throw sampleProblem(error, s); });
      if (n !== null) notices.info(`topic ${s.topic} made with ${plural(n, 'record')} from ${relative(spec, s.sample)}`);
    } else {
      // a mistyped name must not look like a stream without records
      const warns = log.kind === 'embedded' && !written.has(s.topic);
      const others = warns ? await log.topics() : [];
      await make(log, wanted(s, 'source'), DEFAULT_PARTITIONS, warns ? notices.warn : notices.info, warns ? emptyTopic(log, s.topic, others) : '');
    }
  }
  const partitions = await sinkPartitions(spec, log);
  for (const w of writtenBy(spec, onError)) {
    if (await log.topic(w.topic) !== null) continue;
    warnOfSettings(log, w, notices);
    await make(log, w, partitions, notices.info);
  }
}

/** A sink's topic has the partitions of the first source. */
async function sinkPartitions(spec: PipelineSpec, log: Log): Promise<number> {
  const [first] = spec.sources;
  const info = first === undefined ? null : await log.topic(first.topic);
  return info?.partitions.length ?? first?.create?.partitions ?? DEFAULT_PARTITIONS;
}

/** Sinks, and topics of dead letters. */
function writtenBy(spec: PipelineSpec, onError: OnError | null): Wanted[] {
  const sinks = new Map(spec.sinks.map(s => [s.topic, s]));
  return [...writtenTopics(spec, onError)].map(topic => {
    const sink = sinks.get(topic);
    return sink === undefined ? { topic, span: undefined, create: null, side: 'sink' } : wanted(sink, 'sink');
  });
}

/** Settings for Kafka do no harm elsewhere, but one should not rely on them. */
function warnOfSettings(log: Log, { topic, create }: Wanted, notices: Notices): void {
  const unknown = unknownSettings(log, create?.config ?? {});
  if (unknown.length > 0) notices.warn(`topic ${topic} is made without ${unknown.join(', ')}: of topic settings the embedded log knows retention.ms only`);
}

/** The sample file cannot be read. */
function sampleProblem(error: unknown, s: SourceSpec): unknown {
  if (!(error instanceof PipeError) || error.code !== 'user.config.path') return error;
  const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown reason';
  const gone = reason === 'ENOENT';
  return new PipeError(error.code, `topic "${s.topic}" does not exist, and the sample that would fill it ${gone ? 'is not there' : `cannot be read (${reason})`}`, {
    span: s.sampleSpan ?? undefined, label: gone ? 'no such file' : undefined, hint: `the path is relative to this file; without a sample: pipe topics create ${s.topic} --partitions ${s.create?.partitions ?? DEFAULT_PARTITIONS}`, cause: error,
  });
}

const wanted = (s: SourceSpec | SinkSpec, side: Wanted['side']): Wanted => ({ topic: s.topic, span: s.topicSpan, create: s.create, side });

async function make(log: Log, w: Wanted, partitions: number, say: (line: string) => void, more = ''): Promise<void> {
  if (log.kind === 'kafka' && w.create === null) throw missing(log, w, partitions, await log.topics());
  const topic: CreateTopic = { name: w.topic, partitions: w.create?.partitions ?? partitions, retention: w.create?.retention ?? null, config: w.create?.config ?? {} };
  if (await log.createTopic(topic) === 'created') say(`topic ${w.topic} made (${plural(topic.partitions, 'partition')})${more}`);
}

function emptyTopic(log: Log, topic: string, others: readonly TopicInfo[]): string {
  return ` for a source, and empty: ${meant(log, topic, others) ?? `records come with pipe topics send ${topic}`}`;
}

/** `did you mean "transactions" (3 partitions, 1,000 records)?` */
function meant(log: Log, topic: string, topics: readonly TopicInfo[]): string | undefined {
  const near = closest(topic, topics.map(t => t.name));
  const info = topics.find(t => t.name === near);
  const records = info?.partitions.reduce((n, p) => n + p.end - p.begin, 0) ?? 0;
  return info === undefined ? undefined : `did you mean "${info.name}" (${plural(info.partitions.length, 'partition')}, ${recordCount(log.kind, records)} records)?`;
}

function missing(log: Log, w: Wanted, partitions: number, topics: readonly TopicInfo[]): PipeError {
  return new PipeError(w.side === 'source' ? 'system.source.topic_missing' : 'system.sink.topic_missing', `topic "${w.topic}" does not exist on ${log.label}`, {
    span: w.span, label: meant(log, w.topic, topics) ?? 'no such topic',
    hint: `create it: pipe topics create ${w.topic} --partitions ${w.create?.partitions ?? partitions}, or say create: {partitions: ${partitions}} in the file`,
  });
}

const relative = (spec: PipelineSpec, file: string): string => (file.startsWith(`${spec.dir}/`) ? file.slice(spec.dir.length + 1) : file);
