import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureJars, hasJava, jars } from './jars.ts';

const JVM = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info'];
/** A machine under load starts it slowly. */
const START_MS = 180_000;
const CLUSTER_ID = 'pipe-tests-0000000000A';

export const NO_BROKER = 'Kafka tests skipped: no broker (set PIPE_TEST_BROKERS, or install Java 17 + Maven, or Docker)';

/** A broker that this process started. */
export interface OwnBroker {
  /** host:port */
  readonly address: string;
  /** Ends the process; the data stay. */
  down(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again on the same port and data. */
  up(): Promise<void>;
  /** Ends it for good and removes its data. */
  stop(): Promise<void>;
}

/** `PIPE_TEST_BROKERS`, or a broker of our own: from Maven, else from Docker; null when there is none. */
export async function findBroker(): Promise<{ readonly address: string; stop(): Promise<void> } | null> {
  const given = process.env['PIPE_TEST_BROKERS'];
  if (given !== undefined && given !== '') return { address: given, stop: async () => undefined };
  if (canOwnBroker()) return startBroker();
  if (spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0) return startDocker();
  if (process.env['PIPE_REQUIRE_KAFKA'] === '1') throw new Error(NO_BROKER.replace('skipped', 'cannot run'));
  return null;
}

export const canOwnBroker = (): boolean => hasJava() && ensureJars();

export interface BrokerOptions {
  /** Beside or instead of the defaults; `{port}` is the client port. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Arguments of `kafka-storage format`, such as --add-scram. */
  readonly format?: readonly string[];
}

/** One KRaft node on free loopback ports. */
export async function startBroker(o: BrokerOptions = {}): Promise<OwnBroker> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-kafka-'));
  const [port, controller] = await freePorts(2) as [number, number];
  const file = join(dir, 'server.properties');
  const properties = { ...defaults(dir, port, controller), ...o.properties };
  writeFileSync(file, Object.entries(properties).map(([k, v]) => `${k}=${v.replaceAll('{port}', String(port)).replaceAll('{controller}', String(controller))}\n`).join(''));
  const format = spawnSync('java', [...JVM, '-cp', join(jars, '*'), 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...(o.format ?? [])], { encoding: 'utf8' });
  if (format.status !== 0) throw new Error(`the broker's storage could not be formatted:\n${format.stdout}${format.stderr}`);
  const broker = new Process(file, `127.0.0.1:${port}`, dir);
  await broker.up();
  return broker;
}

class Process implements OwnBroker {
  readonly address: string;
  readonly #file: string;
  readonly #dir: string;
  #child: ChildProcess | null = null;
  readonly #onExit = (): void => {
    this.#child?.kill('SIGKILL');
    rmSync(this.#dir, { recursive: true, force: true });
  };

  constructor(file: string, address: string, dir: string) {
    this.#file = file;
    this.address = address;
    this.#dir = dir;
    process.on('exit', this.#onExit);
  }

  async up(): Promise<void> {
    const child = spawn('java', [...JVM, '-cp', join(jars, '*'), 'kafka.Kafka', this.#file], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let log = '';
    const started = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        log = (log + chunk.toString()).slice(-8000);
        if (log.includes('Kafka Server started')) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.on('exit', () => reject(new Error(`the broker ended:\n${log}`)));
      child.on('error', reject);
    });
    const late = sleep(START_MS, undefined, { ref: false }).then(() => { throw new Error(`the broker did not start in ${START_MS / 1000} s:\n${log}`); });
    await Promise.race([started, late]);
  }

  async down(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>(resolve => child.on('exit', () => resolve()));
    child.kill(signal);
    await Promise.race([ended, sleep(10_000, undefined, { ref: false }).then(() => child.kill('SIGKILL'))]);
    await ended;
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL');
    process.off('exit', this.#onExit);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

function defaults(dir: string, port: number, controller: number): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'listeners': 'PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}',
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, 'data'),
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
  };
}

async function startDocker(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const [port] = await freePorts(1) as [number];
  const name = `pipe-kafka-${process.pid}-${port}`;
  const env = { ...defaults('/tmp/pipe', 9092, 9093), 'listeners': 'PLAINTEXT://:9092,CONTROLLER://127.0.0.1:9093', 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` };
  const settings = Object.entries(env).flatMap(([k, v]) => ['-e', `KAFKA_${k.replaceAll('.', '_').toUpperCase()}=${v}`]);
  const r = spawnSync('docker', ['run', '-d', '--rm', '--name', name, '-p', `127.0.0.1:${port}:9092`, ...settings, 'apache/kafka:4.1.0'], { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`docker could not start the broker:\n${r.stderr}`);
  const remove = (): void => { spawnSync('docker', ['rm', '-f', name], { stdio: 'ignore' }); };
  process.on('exit', remove);
  for (let i = 0; ; i++) {
    const log = spawnSync('docker', ['logs', name], { encoding: 'utf8' });
    if (`${log.stdout}${log.stderr}`.includes('Kafka Server started')) break;
    if (i === 120) throw new Error(`the broker did not start in 60 s:\n${log.stdout.slice(-4000)}`);
    await sleep(500);
  }
  return { address: `127.0.0.1:${port}`, stop: async () => { process.off('exit', remove); remove(); } };
}

export async function freePorts(n: number): Promise<number[]> {
  const servers = Array.from({ length: n }, () => createServer());
  await Promise.all(servers.map(s => new Promise<void>(resolve => s.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map(s => (s.address() as AddressInfo).port);
  await Promise.all(servers.map(s => new Promise(resolve => s.close(resolve))));
  return ports;
}
