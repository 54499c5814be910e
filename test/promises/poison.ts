import { PipeError } from '../../src/errors.ts';
import { whole } from '../random.ts';
import { GOOD, GOOD_ROW, poisonCases, QUERIES, SCHEMA, type PoisonCase } from './poison-cases.ts';
import type { Promised } from './promise.ts';
import { Sandbox, type Letter, type Outcome } from './sandbox.ts';

/** Names of the pipelines by what they do with a bad record. */
const POLICIES = { kept: 'dead_letters', skipped: 'skip', sent: '{topic: bad}', stopped: 'stop' } as const;
type Name = keyof typeof POLICIES;
/** Bytes of a dead letter: in the table, and in a topic, whose record must fit a broker. */
const TABLE_BYTES = 1 << 20;
const TOPIC_BYTES = 900_000;

type Numbered = readonly [i: number, c: PoisonCase];
const all: readonly Numbered[] = [...poisonCases.entries()];
/** What is no mistake of the record's never stops a pipeline. */
const stops = ([, c]: Numbered): boolean => c.code !== null && c.kind !== 'late' && c.kind !== 'future';
const reasonOf = (c: PoisonCase): string | null => (c.code === null ? null : c.kind ?? 'undecodable');
const bytesOf = (c: PoisonCase): Buffer | null => (c.value === null ? null : Buffer.from(c.value as string));

/** One source and one sink a case. */
function pipeline(name: string, policy: Name, cases: readonly Numbered[]): string {
  const on = (i: number): string => POLICIES[policy].replace('bad', `bad-${i}`);
  const sources = cases.map(([i, c]) => `  t${i}:\n    schema: ${c.schema ?? SCHEMA}\n    event_time: {from: timestamp, unit: s}\n    on_error: ${on(i)}\n`);
  const sinks = cases.map(([i, c]) => `  out${i}:\n    topic: ${policy}-${i}\n    on_error: ${on(i)}\n    sql: ${QUERIES[c.query ?? 'sums'].replace('{t}', `t${i}`)}\n`);
  return `name: ${name}\nsources:\n${sources.join('')}sinks:\n${sinks.join('')}`;
}

/** Rows that must come, in any order. */
function expectedRows(c: PoisonCase): string[] {
  if (c.code !== null) return [...(c.rows ?? [GOOD_ROW])].sort();
  return [c.query === 'exact' ? '{"account":"g","total":4,"n":2}' : GOOD_ROW, ...(c.rows ?? [])].sort();
}

class Matrix {
  readonly #box: Sandbox;
  readonly #wrong: string[];
  readonly #flags: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  cases = 0;
  crashed = 0;
  misrouted = 0;

  constructor(box: Sandbox, flags: readonly string[], env: Readonly<Record<string, string>>, wrong: string[]) {
    this.#box = box;
    this.#flags = flags;
    this.#env = env;
    this.#wrong = wrong;
  }

  async run(): Promise<void> {
    for (const policy of ['kept', 'skipped', 'sent'] as const) await this.#together(policy, policy, all);
    // whatever stops a pipeline stops all of it: those run alone
    await this.#together('going-on', 'stopped', all.filter(c => !stops(c)));
    for (const c of all.filter(stops)) await this.#stopped(c);
  }

  async #together(name: string, policy: Name, cases: readonly Numbered[]): Promise<void> {
    const outcome = await this.#go(name, pipeline(name, policy, cases));
    const counts = this.#box.counters(name);
    this.#same(`${name}: problems`, outcome.problems.map(p => (p as Error).message), []);
    this.#same(`${name}: records_in`, counts['records_in'], 3 * cases.length);
    for (const r of ['undecodable', 'failed', 'late', 'future']) this.#same(`${name}: ${r}`, counts[r] ?? 0, cases.filter(([, c]) => reasonOf(c) === r).length);
    const letters = this.#box.letters(name);
    for (const [i, c] of cases) {
      await this.#case(`${c.name}, ${name}`, async what => {
        this.#same(`${what}: rows`, await this.#box.rows(`${policy}-${i}`), expectedRows(c));
        const kept = letters.filter(l => l.topic === `t${i}`);
        this.#same(`${what}: letters`, kept.map(l => l.code), c.code === null || policy === 'skipped' || policy === 'sent' ? [] : [c.code]);
        for (const l of kept) this.#letter(what, c, l);
        if (policy === 'sent') await this.#sent(what, i, c);
      });
    }
  }

  async #stopped([i, c]: Numbered): Promise<void> {
    const name = `stopped-${i}`;
    const { problems } = await this.#go(name, pipeline(name, 'stopped', [[i, c]]));
    await this.#case(`${c.name}, stop`, async what => {
      const p = problems[0] as PipeError | undefined;
      this.#same(`${what}: problem`, [problems.length, p?.code, p?.exit, p?.message.endsWith(` at t${i}/0 offset 1`)], [1, c.code, 13, true]);
      this.#same(`${what}: rows`, await this.#box.rows(`stopped-${i}`), []);
    });
  }

  async #go(name: string, text: string): Promise<Outcome> {
    this.#box.write(`pipelines/${name}.yaml`, text);
    const outcome = await this.#box.run([name, '--no-print', '--quiet', ...this.#flags], this.#env);
    for (const p of outcome.problems) {
      if (p instanceof PipeError) continue;
      this.crashed++;
      this.#wrong.push(`${name}: ${String((p as Error).stack ?? p)}`);
    }
    if (({} as { x?: unknown }).x !== undefined || Object.keys(Object.prototype).length > 0) this.#wrong.push(`${name}: Object.prototype has changed`);
    return outcome;
  }

  async #case(what: string, judge: (what: string) => Promise<void>): Promise<void> {
    const before = this.#wrong.length;
    this.cases++;
    await judge(what);
    if (this.#wrong.length > before) this.misrouted++;
  }

  #same(what: string, found: unknown, wanted: unknown): void {
    const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (a !== b) this.#wrong.push(`${what}: ${a?.slice(0, 300)} instead of ${b?.slice(0, 300)}`);
  }

  #letter(what: string, c: PoisonCase, l: Letter): void {
    const bytes = bytesOf(c);
    const kept = bytes === null ? l.value === null : l.value?.equals(bytes.subarray(0, TABLE_BYTES));
    this.#same(`${what}: the letter`, [l.partition, l.offset, l.size, kept], [0, 1, bytes?.length ?? 0, true]);
  }

  async #sent(what: string, i: number, c: PoisonCase): Promise<void> {
    const bytes = bytesOf(c);
    const sent = await this.#box.topic(`bad-${i}`);
    const shown = sent.map(r => [r.headers['pipe.error']?.split(':')[0], r.headers['pipe.at']?.split(' ')[0], bytes === null ? r.value === null : r.value?.equals(bytes.subarray(0, TOPIC_BYTES))]);
    this.#same(`${what}: sent`, shown, c.code === null ? [] : [[c.code, `t${i}/0/1`, true]]);
  }
}

/** A round is the whole matrix once, with another batch size and another way of decoding. */
export const poison: Promised = {
  id: 'P16',
  promise: 'no record stops or corrupts a pipeline against its on_error, and each that is no row is kept as it came',
  must: { crashed: 0, misrouted: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const sum = { cases: 0, crashed: 0, misrouted: 0 };
    for (let n = 0; n < rounds; n++) {
      const box = await Sandbox.open();
      try {
        for (const [i, c] of all) {
          const good = { value: Buffer.from(GOOD) };
          await box.send(`t${i}`, 1, [good, { ...c.more, value: bytesOf(c) }, good]);
        }
        const flags = ([[], ['--decoder', 'plain'], ['--jit', 'off']] as const)[n % 3] as readonly string[];
        const matrix = new Matrix(box, flags, { PIPE_BATCH_ROWS: String([8192, 1, 2][pick(3)]) }, wrong);
        await matrix.run();
        sum.cases += matrix.cases;
        sum.crashed += matrix.crashed;
        sum.misrouted += matrix.misrouted;
      } finally {
        await box.close();
      }
    }
    return sum;
  },
};
