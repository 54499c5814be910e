import { randomInt } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { Log, NewRecord } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import { countFlag } from './args.ts';
import type { Command, Io } from './command.ts';
import { Transactions, transactionJson } from './generate-records.ts';
import { grouped } from '../numbers.ts';
import { cutShort, finish } from './topics-send.ts';
import { logFlags, say, topicArgument, withLog, writableTopic } from './topics-log.ts';

const DEFAULT_ACCOUNTS = 1000;
const MAX_ACCOUNTS = 100_000_000;
/** Records of one append at most. */
const BATCH_RECORDS = 10_000;
/** ms between two appends at least, unless there is more to send than one takes. */
const TICK_MS = 20;
/** ms between two looks whether somebody is still there. */
const LOOK_MS = 1000;

export const generate: Command = {
  name: 'generate',
  summary: 'simulates a stream of transactions: {"account":"1234","amount":600.25,"timestamp":"<now, s>","type":"deposit"}, key = account',
  usage: 'TOPIC',
  examples: [
    ['pipe generate transactions --rate 100/s', 'until Ctrl-C; about every 2,000 records a burst of more than 5,000 a minute on one account'],
    ['pipe generate transactions --count 1000 --seed 42', 'the same 1,000 transactions each time, but for their time'],
    ['pipe generate transactions --rate max --count 1000000 --accounts 100000', 'as fast as the log takes them'],
  ],
  flags: [
    { name: 'rate', value: 'N/s', summary: 'records a second, N/m a minute, or max (default 100/s)' },
    { name: 'count', value: 'N', summary: 'stop after N records' },
    { name: 'seed', value: 'N', summary: 'same seed and accounts, same records but for their time (default: another one each time, which is said)' },
    { name: 'accounts', value: 'N', summary: 'how many accounts, from 1000 on (default 1,000; at high rates few accounts pass 5,000 a minute all the time)' },
    { name: 'create', value: 'boolean', summary: 'make a missing topic on Kafka, too (3 partitions)' },
    ...logFlags,
  ],
  notes: ['Started by npx or an npm script it ends within a second of these, however they end.'],
  run: async (p, io) => {
    const name = topicArgument(p, 'generate');
    const rate = rateFlag(p.text('rate') ?? '100/s');
    const count = p.text('count') === undefined ? Infinity : countFlag('--count', p.text('count') as string);
    const seed = p.text('seed') === undefined ? randomInt(1_000_000) : countFlag('--seed', p.text('seed') as string);
    const accounts = countFlag('--accounts', p.text('accounts') ?? String(DEFAULT_ACCOUNTS), 1);
    if (accounts > MAX_ACCOUNTS) throw new PipeError('user.usage.bad_value', `--accounts is at most ${grouped(MAX_ACCOUNTS)}`);
    return withLog(p, io, async o => {
      await (await writableTopic(p, io, o, name)).make();
      say(p, io, `${rate === Infinity ? 'as fast as possible' : `${p.text('rate') ?? '100/s'}`} to ${name} on ${o.place} · seed ${seed}${count === Infinity ? ' · Ctrl-C stops' : ''}`);
      const generator = new Generator(o.log, name, new Transactions(seed, accounts));
      try {
        await generator.run(rate, count, io);
      } catch (error) {
        throw cutShort(error, generator.sent);
      }
      finish(p, io, name, generator.sent);
      return 0;
    });
  },
};

const RATE = /^(\d+(?:\.\d+)?)(?:\/(s|sec|m|min|h))?$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, sec: 1, m: 60, min: 60, h: 3600 };

/** Records a second; Infinity for `max`. Throws user.usage.bad_value. */
export function rateFlag(text: string): number {
  if (text === 'max') return Infinity;
  const m = RATE.exec(text);
  const rate = m === null ? 0 : Number(m[1]) / (SECONDS[m[2] ?? 's'] as number);
  if (!(rate > 0) || !Number.isFinite(rate)) throw new PipeError('user.usage.bad_value', `--rate takes a rate such as 100/s, 0.5/s, 30/m, or max, not "${text}"`);
  return rate;
}

class Generator {
  sent = 0;
  readonly #log: Log;
  readonly #topic: string;
  readonly #transactions: Transactions;

  constructor(log: Log, topic: string, transactions: Transactions) {
    this.#log = log;
    this.#topic = topic;
    this.#transactions = transactions;
  }

  /** Until `count` is reached or the signal comes, or npx is gone: what it was sent does not come here. */
  async run(rate: number, count: number, { signal, orphaned }: Pick<Io, 'signal' | 'orphaned'>): Promise<void> {
    const began = performance.now();
    while (this.sent < count && !signal.aborted && !orphaned()) {
      // what is due by now, so that slow appends and timers add up to nothing
      const due = rate === Infinity ? Infinity : Math.floor(((performance.now() - began) / 1000) * rate) + 1;
      const n = Math.min(due - this.sent, count - this.sent, BATCH_RECORDS);
      if (n > 0) {
        await this.#log.append(this.#topic, this.#records(n));
        this.sent += n;
      }
      if (n === BATCH_RECORDS) await setImmediate();
      else if (this.sent < count) await this.#pause(Math.max(TICK_MS, began + (this.sent / rate) * 1000 - performance.now()), signal);
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await sleep(Math.min(ms, LOOK_MS), undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #records(n: number): NewRecord[] {
    const now = Date.now();
    const seconds = Math.floor(now / 1000);
    return Array.from({ length: n }, () => {
      const t = this.#transactions.next();
      return { key: Buffer.from(t.account), value: Buffer.from(transactionJson(t, seconds)), headers: [], partition: null, timestamp: now };
    });
  }
}
