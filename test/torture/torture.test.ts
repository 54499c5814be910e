import { describe, expect, inject, it } from 'vitest';
import { GENERATED } from '../no-codegen.ts';
import { dataPromises } from './data.ts';
import { lineOf, wrongs, type Promised } from './promise.ts';
import { promises } from './promises.ts';
import { replay } from './run.ts';

/** host:port of the Kafka broker of this run, or null; processes of the built package (dist) are what is killed here. */
const brokers = inject('brokers');

const SEED = 10;
/** What takes long in `npm run torture` is shorter here: P2 takes every step on the embedded log and on Kafka. */
const rounds: Readonly<Record<string, number>> = { P2: 2, P9: 96, P10: 8, P11: 100, P20: 24, P37: 10_000 };
/** What has no short form: e2e/spill does the same with little memory. */
const long = ['P27'];
/** These wait most of the time. */
const waiting = ['P4', 'P15', 'P19', 'P30'];
/** Has the processor meanwhile; what loads it makes code from text, so without that sim/sim must do. */
const simulated = GENERATED ? dataPromises.filter(p => p.id === 'P37') : [];

async function keeps(p: Promised): Promise<void> {
  const n = rounds[p.id] ?? p.rounds;
  const again = replay(p, SEED, n);
  const figures = await p.run({ rounds: n, seed: SEED, brokers, say: line => process.stderr.write(`${p.id}: ${line}\n`) }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\nagain: ${again}`, { cause: error });
  });
  process.stderr.write(`${lineOf(p, figures)}\n`);
  expect(wrongs(p, figures), again).toEqual([]);
}

const test = (p: Promised): [string, number, () => Promise<void>] => [`${p.id}: ${p.promise}`, 1_200_000, () => keeps(p)];

describe('promises under faults', () => {
  for (const p of promises.filter(x => !waiting.includes(x.id) && !long.includes(x.id))) {
    const [name, ms, run] = test(p);
    it.skipIf(p.needs === 'broker' && brokers === null)(name, run, ms);
  }
});

describe.concurrent('promises under faults that take their time', () => {
  for (const p of [...promises.filter(x => waiting.includes(x.id)), ...simulated]) {
    const [name, ms, run] = test(p);
    it.skipIf(p.needs === 'broker' && brokers === null)(name, run, ms);
  }
});
