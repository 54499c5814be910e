import { parseArgs } from 'node:util';
import { existsSync } from 'node:fs';
import { findBroker, NO_BROKER } from '../kafka/broker.ts';
import { main as built } from '../e2e/project.ts';
import { dataPromises } from './data.ts';
import { promises as faults } from './promises.ts';
import { add, type Figures, lineOf, type Promised, wrongs } from './promise.ts';

const promises = [...faults, ...dataPromises];

const out = (line: string): void => { process.stdout.write(`${line}\n`); };
const say = (line: string): void => { process.stderr.write(`${line}\n`); };

/** The command that runs one pass again. */
export const replay = (p: Promised, seed: number, rounds: number): string => `npm run torture -- --only ${p.id} --seed ${seed} --rounds ${rounds}`;

interface Total {
  readonly promise: Promised;
  figures: Figures;
  passes: number;
  seconds: number;
}

/** Exit code: 0 all as promised, 1 not, 2 usage. */
export async function main(argv: readonly string[]): Promise<number> {
  const { values: flags } = parseArgs({
    args: [...argv],
    options: { minutes: { type: 'string' }, only: { type: 'string' }, seed: { type: 'string' }, rounds: { type: 'string' }, brokers: { type: 'string' } },
  });
  const only = flags.only?.split(',');
  const unknown = only?.find(id => !promises.some(p => p.id === id));
  if (unknown !== undefined) { say(`there is no promise "${unknown}": ${promises.map(p => p.id).join(', ')}`); return 2; }
  if (!existsSync(built)) { say('dist/ is missing: npm run prepare'); return 2; }
  const chosen = promises.filter(p => only === undefined || only.includes(p.id));
  const end = performance.now() + Number(flags.minutes ?? 0) * 60_000;
  const first = Number(flags.seed ?? Date.now() % 1_000_000);
  const broker = flags.brokers !== undefined ? { address: flags.brokers, stop: async () => undefined } : await findBroker();
  if (broker === null) say(NO_BROKER);
  const totals: Total[] = chosen.filter(p => p.needs === 'nothing' || broker !== null).map(promise => ({ promise, figures: {}, passes: 0, seconds: 0 }));
  let failed = 0;
  try {
    for (let pass = 0; pass === 0 || performance.now() < end; pass++) {
      for (const t of totals) {
        if (pass > 0 && performance.now() > end) break;
        const { promise } = t;
        const rounds = Number(flags.rounds ?? promise.rounds);
        const seed = first + pass;
        const began = performance.now();
        try {
          const figures = await promise.run({ rounds, seed, brokers: broker?.address ?? null, say: line => say(`${promise.id}: ${line}`) });
          const wrong = wrongs(promise, figures);
          if (wrong.length > 0) throw new Error(`${wrong.join(', ')}\n${lineOf(promise, figures)}`);
          t.figures = add(t.figures, figures);
          t.passes++;
          say(`${lineOf(promise, figures)} seed=${seed}`);
        } catch (error) {
          failed++;
          say(`FAILED ${promise.id}: ${error instanceof Error ? error.message : String(error)}\nagain: ${replay(promise, seed, rounds)}`);
        }
        t.seconds += (performance.now() - began) / 1000;
      }
    }
  } finally {
    await broker?.stop();
  }
  for (const t of totals) out(lineOf(t.promise, { passes: t.passes, ...t.figures, max_s: Math.round(t.seconds) }).replace('max_s=', 's='));
  for (const p of chosen) if (!totals.some(t => t.promise === p)) out(`PROMISE ${p.id} skipped: no broker`);
  out(failed === 0 ? `kept: seeds from ${first}` : `BROKEN: ${failed} passes failed`);
  return failed === 0 ? 0 : 1;
}
