import { accounted } from '../promises/accounted.ts';
import { clockJumps, inOrder, lateness, sameRows, silence, wrongClocks } from '../promises/event-time.ts';
import { poison } from '../promises/poison.ts';
import type { Promised as DataPromise } from '../promises/promise.ts';
import { node } from './child.ts';
import { ofTests } from './of-tests.ts';
import type { Figures, Promised } from './promise.ts';

/** A promise about data, which needs no process and has its own test file in the suite. */
function ofData(p: DataPromise, rounds: number): Promised {
  const zero = Object.entries(p.must).flatMap(([k, v]) => (v === 0 ? [k] : []));
  return {
    id: p.id, promise: p.promise, needs: 'nothing', rounds, zero,
    async run({ rounds: n, seed }) {
      const wrong: string[] = [];
      const figures: Figures = await p.run({ rounds: n, seed }, wrong);
      for (const [k, v] of Object.entries(p.must)) if (figures[k] !== v) wrong.push(`${k}=${figures[k]} must be ${v}`);
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
      // what must be a number other than 0 is no count
      return Object.fromEntries(Object.entries(figures).map(([k, v]) => [k, k in p.must && v !== 0 ? String(v) : v]));
    },
  };
}

/** A command of its own that prints its line of figures: it takes over clocks, or threads. */
function ofCommand(id: string, promise: string, rounds: number, zero: readonly string[], argv: (rounds: number, seed: number) => readonly string[]): Promised {
  return {
    id, promise, needs: 'nothing', rounds, zero,
    async run({ rounds: n, seed }) {
      const { code, out } = await node(argv(n, seed));
      const last = [...out.matchAll(new RegExp(`^PROMISE ${id} (.*)$`, 'gm'))].at(-1)?.[1];
      if (code !== 0 || last === undefined) throw new Error(out.slice(-2000));
      return Object.fromEntries(last.split(' ').map(pair => pair.split('=') as [string, string]).filter(([k]) => k !== 'seed').map(([k, v]) => [k, Number(v)]));
    },
  };
}

export const dataPromises: readonly Promised[] = [
  ofData(poison, 1), ofData(accounted, 40), ofData(inOrder, 300), ofData(lateness, 40), ofData(clockJumps, 50), ofData(wrongClocks, 2), ofData(silence, 10), ofData(sameRows, 40),
  ofTests('P14', 'a backup that is made while the pipeline runs is whole, and goes on elsewhere without loss', ['cli/backup']),
  ofTests('P28', 'a slow sink holds up its pipeline, not its memory', ['engine/slow-sink']),
  ofTests('P29', 'a hot key, 300,000 keys that do not fit into memory and 10,000 open windows are exact', ['engine/many-windows', 'e2e/spill'], { PIPE_OPEN_WINDOWS: '10000', PIPE_SPILL_KEYS: '300000' }),
  ofTests('P31', 'an edit of a pipeline keeps its state, or is refused with the operator and three ways out, or builds it again', ['cases/edits', 'cases/backfill', 'cases/backfill-cut', 'property/backfill'], { PIPE_PROPERTY_RUNS: '30' }),
  ofTests('P32', 'state of older layouts is read, of newer ones refused', ['state/golden']),
  ofCommand('P33', 'no text of a pipeline file crashes pipe, hangs it, or becomes code', 2000, ['uncaught', 'hangs', 'foreign_tokens'], (n, seed) => ['test/promises/fuzz.mjs', '--count', String(n), '--seed', String(seed)]),
  ofTests('P34', 'the parser is linear, and says how deep is too deep', ['sql/errors']),
  ofCommand('P37', 'under simulated faults of network, brokers, disk and processes nothing is lost, doubled or wrong', 500, ['failing'], (n, seed) => ['test/sim/main.mjs', '--seeds', String(n), '--from', String(1 + seed * n), '--threads', '2']),
  // one of so many parts a pass
  ofCommand('P38', 'code that is broken on purpose is noticed', 20, ['survived'], (n, seed) => ['test/mutants/run.mjs', '--part', `${1 + (seed % n)}/${n}`]),
];
