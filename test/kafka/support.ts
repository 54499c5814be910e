import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { describe, inject } from 'vitest';
import { openKafkaLog } from '../../src/connectors/kafka/log.ts';
import type { Log, Notices } from '../../src/connectors/connector.ts';
import { hasJava, jars } from './jars.ts';

/** host:port of the broker of this run, or null: then everything under describeKafka is skipped (the run says so once). */
export const brokers = inject('brokers');

export const describeKafka = describe.skipIf(brokers === null);

/** A name that no other test and no other run uses. */
export const unique = (name: string): string => `${name}-${randomBytes(5).toString('hex')}`;

/** kafkajs' own client: not the code under test. */
export const kafkajs = (address = brokers as string): Kafka => new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, clientId: 'pipe-test' });

export type TestAdmin = ReturnType<Kafka['admin']>;

export async function withAdmin<T>(work: (admin: TestAdmin) => Promise<T>, address = brokers as string): Promise<T> {
  const admin = kafkajs(address).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Makes a topic and returns its unique name. */
export async function createTopic(name: string, partitions = 1, config: Readonly<Record<string, string>> = {}, address = brokers as string): Promise<string> {
  const topic = unique(name);
  const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  await withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }], waitForLeaders: true }), address);
  return topic;
}

/** Where Kafka is required kcat is, too: its tests then fail without it. */
export const hasKcat = (): boolean => process.env['PIPE_REQUIRE_KAFKA'] === '1' || spawnSync('kcat', ['-V'], { stdio: 'ignore' }).status === 0;

/** Runs kcat against the test broker; `input` goes to its stdin. */
export function kcat(args: readonly string[], input = '', address = brokers as string): string {
  const r = spawnSync('kcat', ['-b', address, '-q', ...args], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (r.status !== 0) throw new Error(`kcat ${args.join(' ')}: ${r.stderr}`);
  return r.stdout;
}

/** Records of a partition as kcat reads them, committed only, one `format` line each. */
export const kcatRead = (topic: string, partition: number, from: number | 'beginning', format = '%o %k %s\n', address = brokers as string): string[] =>
  kcat(['-C', '-t', topic, '-p', String(partition), '-o', String(from), '-e', '-f', format, '-X', 'isolation.level=read_committed', '-X', 'check.crcs=true'], '', address).split('\n').filter(l => l !== '');

/** Kafka's own tools come with the jars of a broker of our own. */
export const hasTools = (): boolean => hasJava() && existsSync(jars);

/** Writes lines of {headers as name:value, tab, key, tab, value} with Kafka's console producer. */
export function consoleProducer(topic: string, codec: string, lines: readonly string[], properties: Readonly<Record<string, string | number>> = {}): void {
  const args = Object.entries({ 'linger.ms': 200, 'batch.size': 200_000, ...properties }).flatMap(([k, v]) => ['--producer-property', `${k}=${v}`]);
  const r = spawnSync('java', [
    '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', join(jars, '*'), 'org.apache.kafka.tools.ConsoleProducer',
    '--bootstrap-server', brokers as string, '--topic', topic, '--compression-codec', codec, '--property', 'parse.key=true', '--property', 'parse.headers=true', ...args,
  ], { input: `${lines.join('\n')}\n`, encoding: 'utf8', timeout: 60_000 });
  if (r.status !== 0) throw new Error(`the console producer failed:\n${r.stdout}${r.stderr}`);
}

/** A record as text: bytes in hexadecimal. */
export interface Plain {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly timestamp: number;
}

/** Records of partition 0 that are there, as our source reads them. */
export async function readTopic(log: Log, topic: string): Promise<Plain[]> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const read: Plain[] = [];
  try {
    while (source.position(0) < source.endAtOpen(0)) for (const b of await source.poll(new Set(), 500, new AbortController().signal)) for (let i = 0; i < b.length; i++) {
      const part = (start: Int32Array, end: Int32Array): string | null => ((start[i] as number) < 0 ? null : b.data.toString('hex', start[i], end[i]));
      read.push({ key: part(b.keyStart, b.keyEnd), value: part(b.valueStart, b.valueEnd), headers: Object.fromEntries(b.headers(i).map(h => [h.key, String(h.value)])), timestamp: b.timestamps[i] as number });
    }
  } finally {
    await source.close();
  }
  return read;
}

export interface Heard extends Notices {
  readonly lines: string[];
}

export function listen(): Heard {
  const lines: string[] = [];
  return { lines, warn: line => lines.push(line), info: line => lines.push(line) };
}

/** Our own log on the test broker, open. */
export async function openLog(notices: Notices = listen(), address = brokers as string): Promise<Log> {
  const log = openKafkaLog({ brokers: [address], settings: null, notices });
  await log.open(10_000, new AbortController().signal);
  return log;
}

/** Waits until `check` is true; polls, and fails after `ms`. */
export async function until(check: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await check())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
