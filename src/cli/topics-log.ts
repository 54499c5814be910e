import type { Log, Notices, TopicInfo } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import { closest } from '../suggest.ts';
import { durationFlag } from './args.ts';
import type { Flag, Io, Parsed } from './command.ts';
import { chooseLog } from './log-choice.ts';
import { makeLog } from './make-log.ts';
import { plural, recordCount } from '../numbers.ts';
import { dataDir } from './places.ts';

/** Flags of every command that works on a log without a pipeline. */
export const logFlags: readonly Flag[] = [
  { name: 'brokers', value: 'LIST', summary: 'Kafka brokers host:port,..; none for the embedded log (also PIPE_BROKERS)' },
  { name: 'connect-timeout', value: 'DURATION', summary: 'how long to try a broker that is away (default 30s)' },
];

export const DEFAULT_PARTITIONS = 3;

/** Exit code of a command that was interrupted before it could begin. */
export const INTERRUPTED = 130;

export interface OpenLog {
  readonly log: Log;
  /** Why this log: 'no broker set'. */
  readonly origin: string;
  /** For messages, after 'on': 'the embedded log (no broker set)'. */
  readonly place: string;
}

/** Runs `work` on the log that the flags and the environment choose. */
export async function withLog(p: Parsed, io: Io, work: (o: OpenLog) => Promise<number>): Promise<number> {
  const choice = chooseLog(p, io, null);
  const timeout = durationFlag('--connect-timeout', p.text('connect-timeout') ?? '30s');
  const log = await makeLog(choice, dataDir(p, io), null, notices(p, io));
  let opened = false;
  try {
    await log.open(timeout, io.signal);
    opened = true;
    return await work({ log, origin: choice.origin, place: `${onLog(log)} (${choice.origin})` });
  } catch (error) {
    if (!opened && io.signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    await log.close();
  }
}

/** Notices of a log as a command says them. */
export function notices(p: Parsed, io: Io): Notices {
  const warn = (message: string): void => { io.err.write(p.has('json') ? `${JSON.stringify({ severity: 'warning', message })}\n` : `warning: ${message}\n`); };
  return { warn, info: line => say(p, io, line) };
}

/** A line about what was done: on stderr, unless --quiet or --json. */
export function say(p: Parsed, io: Io, line: string): void {
  if (!p.has('quiet') && !p.has('json')) io.err.write(`${line}\n`);
}

/** The one argument of a command. Throws user.usage.missing_argument or bad_value. */
export function topicArgument(p: Parsed, command: string): string {
  const [topic, more] = p.args;
  if (topic === undefined || topic === '') throw new PipeError('user.usage.missing_argument', `pipe ${command} needs the name of a topic`, { hint: `see: pipe ${command} --help` });
  if (more !== undefined) throw new PipeError('user.usage.bad_value', `pipe ${command} takes one topic, not also "${more}"`, { hint: `see: pipe ${command} --help` });
  return topic;
}

/** Throws user.usage.bad_value when more than one of some flags is given. */
export function atMostOne(p: Parsed, flags: readonly string[]): void {
  const [a, b] = flags.filter(f => p.has(f));
  if (b !== undefined) throw new PipeError('user.usage.bad_value', `--${a} and --${b} exclude each other`);
}

/** A topic that must exist. Throws system.source.topic_missing with close names and the line that makes it. */
export async function existingTopic({ log, place }: OpenLog, name: string): Promise<TopicInfo> {
  const info = await log.topic(name);
  if (info === null) throw await missingTopic('system.source.topic_missing', { log, place }, name, '');
  return info;
}

async function missingTopic(code: 'system.source.topic_missing' | 'system.sink.topic_missing', { log, place }: Pick<OpenLog, 'log' | 'place'>, name: string, more: string): Promise<PipeError> {
  const topics = await log.topics();
  const near = topics.find(t => t.name === closest(name, topics.map(x => x.name)));
  const meant = near === undefined ? '' : `did you mean "${near.name}" (${plural(near.partitions.length, 'partition')}, ${recordCount(log.kind, records(near))} records)? or `;
  return new PipeError(code, `topic "${name}" does not exist on ${place}`, { hint: `${meant}create it: pipe topics create ${name} --partitions ${DEFAULT_PARTITIONS}${more}` });
}

/** A topic that a command writes to. */
export interface Target {
  readonly name: string;
  readonly partitions: number;
  /** Before the first record: makes the topic where it is missing. */
  make(): Promise<void>;
}

/**
 * A missing topic would be made with 3 partitions: on the embedded log, on Kafka with `create` only.
 * Throws system.sink.topic_missing.
 */
export async function writableTopic(p: Parsed, io: Io, o: OpenLog, name: string): Promise<Target> {
  const found = await o.log.topic(name);
  if (found !== null) return { name, partitions: found.partitions.length, make: () => Promise.resolve() };
  if (o.log.kind === 'kafka' && !p.has('create')) throw await missingTopic('system.sink.topic_missing', o, name, ', or add --create');
  const make = async (): Promise<void> => {
    const made = await o.log.createTopic({ name, partitions: DEFAULT_PARTITIONS, retention: null, config: {} });
    if (made === 'created') say(p, io, `topic ${name} made (${plural(DEFAULT_PARTITIONS, 'partition')}) on ${o.place}`);
  };
  return { name, partitions: DEFAULT_PARTITIONS, make };
}

/** `--partition P` of a topic, or null. Throws user.usage.bad_value. */
export function partitionFlag(p: Parsed, topic: string, partitions: number): number | null {
  const text = p.text('partition');
  if (text === undefined) return null;
  const n = Number(text);
  if (!/^\d+$/.test(text) || n >= partitions) {
    throw new PipeError('user.usage.bad_value', `--partition is one of 0 to ${partitions - 1}, the partitions of "${topic}", not "${text}"`);
  }
  return n;
}

/** A log after 'on'. */
const onLog = (log: Log): string => (log.kind === 'embedded' ? `the ${log.label}` : log.label);

/** In the help of what counts records. */
export const COUNT_NOTE = '≤ before a count, on Kafka: offsets count the markers of transactions and aborted records, too, so there may be fewer records.';

/** Offsets between begin and end; on Kafka markers of transactions count too. */
export const records = (t: TopicInfo): number => t.partitions.reduce((n, x) => n + x.end - x.begin, 0);

/** Stored bytes, or null where the log does not know. */
export const storedBytes = (t: TopicInfo): number | null => t.partitions.reduce<number | null>((n, x) => (n === null || x.bytes === null ? null : n + x.bytes), 0);

/** What `ls` and `describe` print with --json. */
export const topicJson = (t: TopicInfo): unknown => ({
  name: t.name, partitions: t.partitions.map(x => ({ partition: x.partition, begin: x.begin, end: x.end, records: x.end - x.begin, bytes: x.bytes })),
  records: records(t), bytes: storedBytes(t),
});

/** Lines of columns; the first `left` stand on the left, all others on the right. */
export function columns(rows: readonly (readonly string[])[], left = 1): string {
  const widths = (rows[0] as readonly string[]).map((_, j) => Math.max(...rows.map(r => (r[j] as string).length)));
  return rows.map(r => `${r.map((x, j) => (j < left ? x.padEnd(widths[j] as number) : x.padStart(widths[j] as number))).join('  ').trimEnd()}\n`).join('');
}
