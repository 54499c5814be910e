import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { makeLog } from '../../src/cli/make-log.ts';
import type { Log, NewRecord } from '../../src/connectors/connector.ts';
import { readAll } from '../cases/run-case.ts';
import { unique } from '../unique.ts';
import { Project } from './project.ts';
import { fractions } from '../random.ts';

/** host:port of the Kafka broker of this run, or null. */
const brokers = inject('brokers');

const KILLS = 20;
const PARTITIONS = 3;
const START = 1704110400;
const WINDOW = 10;
const notices = { warn: () => undefined, info: () => undefined };

const seed = Number(process.env['PIPE_KILL_SEED'] ?? Date.now() % 1e9);

/** Deposits and withdrawals of 50 accounts, in event-time order in each partition, with their sums by account and window. */
class Stream {
  readonly #random = fractions(seed);
  readonly #sums = new Map<string, number>();
  #second = START;
  records = 0;

  next(n: number): NewRecord[] {
    return Array.from({ length: n }, () => {
      if (this.#random() < 0.01) this.#second++;
      const account = String(1000 + Math.floor(this.#random() * 50));
      const cents = 1 + Math.floor(this.#random() * 100_000);
      const withdrawal = this.#random() < 0.3;
      const window = Math.floor(this.#second / WINDOW) * WINDOW * 1000;
      const key = `${account} ${window}`;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + (withdrawal ? -cents : cents));
      this.records++;
      const value = `{"account":"${account}","amount":${(cents / 100).toFixed(2)},"timestamp":"${this.#second}","type":"${withdrawal ? 'withdrawal' : 'deposit'}"}`;
      return { key: null, value: Buffer.from(value), headers: [], partition: Math.floor(this.#random() * PARTITIONS), timestamp: null };
    });
  }

  /** What the pipeline must write, whatever happens to it. */
  expected(): string[] {
    return [...this.#sums].map(([key, cents]) => {
      const [account, window] = key.split(' ') as [string, string];
      const digits = String(Math.abs(cents)).padStart(3, '0');
      return `{"account":"${account}","balance":${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)},"window_start":${window},"window_end":${Number(window) + WINDOW * 1000}}`;
    }).sort();
  }
}

const pipeline = (name: string, workers: number): string => `name: ${name}
sources:
  transactions:
    topic: ${name}-in
    schema: account STRING, amount DECIMAL(12,2), timestamp STRING, type STRING
    event_time: {from: timestamp, unit: s, delay: 0s}
sinks:
  out:
    topic: ${name}-out
    key: account
    sql: |
      SELECT account, SUM(CASE WHEN type = 'withdrawal' THEN -amount ELSE amount END) AS balance, window_start, window_end
      FROM transactions
      GROUP BY account, TUMBLE(ts, INTERVAL '${WINDOW}' SECOND)
settings: {checkpoint: 20ms, workers: ${workers}}
`;

const failpoints = ['commit.before', 'commit.after', 'delivery.after'] as const;

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

/** Worker threads, one after the other, in turn over the rounds. */
const logs = [['the embedded log', null, [1]], ['Kafka', brokers, [1]], ['the embedded log, with worker threads', null, [2, 3, 2, 1]], ['Kafka, with worker threads', brokers, [2, 3, 2, 1]]] as const;

describe.each(logs)('%s', (label, address, workers) => {
  it.skipIf(label.startsWith('Kafka') && address === null)(`gives every sum exactly once through ${KILLS} kills`, async () => {
    const name = unique('kill');
    const env: Record<string, string> = address === null ? {} : { PIPE_BROKERS: address };
    const log: Log = await makeLog({ brokers: address === null ? null : [address], origin: 'test' }, `${p.dir}/.pipe`, null, notices);
    await log.open(10_000, new AbortController().signal);
    for (const topic of [`${name}-in`, `${name}-out`]) await log.createTopic({ name: topic, partitions: PARTITIONS, retention: null, config: {} });
    const stream = new Stream();
    const chance = fractions(seed + 1);
    let kills = 0;
    while (kills < KILLS) {
      // half of the kills hit a step of the epoch protocol, the others whatever is going on
      const point = kills % 2 === 0 ? `${failpoints[Math.floor(chance() * 3)]}:${1 + Math.floor(chance() * 6)}` : null;
      p.write(`${name}.yaml`, pipeline(name, workers[kills % workers.length] as number));
      const run = p.start(['run', `${name}.yaml`, '--follow', '--quiet', '--no-print'], { env: point === null ? env : { ...env, PIPE_FAILPOINT: point } });
      const until = performance.now() + (point === null ? 150 + chance() * (workers.length === 1 ? 600 : 1500) : 5000);
      while (run.child.exitCode === null && run.child.signalCode === null && performance.now() < until) {
        await log.append(`${name}-in`, stream.next(200));
        await new Promise(r => setTimeout(r, 10));
      }
      run.kill('SIGKILL');
      const { signal, err } = await run.finished;
      expect([signal, err]).toEqual(['SIGKILL', '']);
      kills++;
    }
    const last = await p.run(['run', `${name}.yaml`, '--until-end', '--json', '--no-print'], { env });
    expect([last.code, last.err]).toEqual([0, expect.stringContaining('"late":0,"future":0,"undecodable":0,"failed":0')]);
    const values = await readAll(log, `${name}-out`);
    await log.close();
    process.stderr.write(`kill seed ${seed}: ${stream.records} records, ${values.length} rows on ${label}\n`);
    expect(values.sort()).toEqual(stream.expected());
  }, 180_000);
});
