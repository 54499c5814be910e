import { seedsThatFailed } from './seeds.ts';
import { simulate, type Outcome } from './simulate.ts';
import { virtually } from './world.ts';

const USAGE = 'npm run sim -- --seed N [--verbose], or --seeds N [--from N] [--threads N] [--most N]\n';

/** What many seeds came to. */
interface Tally {
  readonly seeds: number;
  readonly steps: number;
  readonly lives: number;
  readonly failed: number;
  /** How often each kind of fault happened. */
  readonly faults: ReadonlyMap<string, number>;
}

const numberOf = (argv: readonly string[], flag: string, otherwise: number): number => {
  const at = argv.indexOf(flag);
  return at < 0 ? otherwise : Number(argv[at + 1]);
};

/** The long run of the simulation, and the replay of one seed. `inThreads` runs `runPart` once in each of so many threads. */
export async function command(argv: readonly string[], inThreads: (threads: number) => Promise<readonly Tally[]>): Promise<number> {
  const one = numberOf(argv, '--seed', NaN);
  if (!Number.isNaN(one)) return replay(one, argv.includes('--verbose'));
  if (Number.isNaN(numberOf(argv, '--seeds', NaN))) { process.stderr.write(USAGE); return 2; }
  const threads = numberOf(argv, '--threads', 1);
  const began = performance.now();
  const cpu = process.cpuUsage();
  const tallies = threads === 1 ? [await runPart(argv, 0, 1)] : await inThreads(threads);
  const s = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  const sum = (of: (t: Tally) => number): number => tallies.reduce((n, t) => n + of(t), 0);
  const faults = new Map<string, number>();
  for (const t of tallies) for (const [kind, n] of t.faults) faults.set(kind, (faults.get(kind) ?? 0) + n);
  const [seeds, lives, failed] = [sum(t => t.seeds), sum(t => t.lives), sum(t => t.failed)];
  process.stdout.write(`${seeds} seeds in ${s.toFixed(1)} s (${(seeds / s).toFixed(0)}/s; ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU), ${lives} processes, ${sum(t => t.steps)} steps, ${failed} failed\n`);
  process.stdout.write(`PROMISE P37 seeds=${seeds} processes=${lives} kills=${faults.get('kill') ?? 0} failing=${failed}\n`);
  process.stdout.write(`faults: ${[...faults].sort((a, b) => b[1] - a[1]).map(([k, n]) => `${k} ${n}`).join(', ')}\n`);
  return failed === 0 ? 0 : 1;
}

/** Each `parts`-th of the seeds, from the `k`-th on; those that fail are printed at once. */
export const runPart = (argv: readonly string[], k: number, parts: number): Promise<Tally> => virtually(async () => {
  // the many errors of a simulated network cost their stacks; the replay has them
  Error.stackTraceLimit = 0;
  const from = numberOf(argv, '--from', 1);
  const most = numberOf(argv, '--most', 10);
  const all = [...seedsThatFailed(), ...Array.from({ length: numberOf(argv, '--seeds', 0) }, (_, i) => from + i)];
  const faults = new Map<string, number>();
  let [seeds, steps, lives, failed] = [0, 0, 0, 0];
  for (let i = k; i < all.length && failed < most; i += parts) {
    const o = await simulate(all[i] as number);
    seeds++;
    steps += o.steps;
    lives += o.lives;
    for (const [kind, n] of o.faults) faults.set(kind, (faults.get(kind) ?? 0) + n);
    if (o.problem !== null) {
      failed++;
      process.stdout.write(`${report(o)}\n`);
    }
    if (seeds % 10_000 === 0) process.stdout.write(`${seeds} seeds, ${failed} failed\n`);
  }
  return { seeds, steps, lives, failed, faults };
});

const replay = (seed: number, verbose: boolean): Promise<number> => virtually(async () => {
  const o = await simulate(seed);
  if (verbose || o.problem !== null) process.stdout.write(`${o.journal.slice(-200).join('\n')}\n`);
  process.stdout.write(`${report(o)}\n`);
  return o.problem === null ? 0 : 1;
});

/** For code that was broken on purpose: what the first of so many seeds says that finds it, or null. */
export const firstProblem = (seeds: number): Promise<string | null> => virtually(async () => {
  for (const seed of [...seedsThatFailed(), ...Array.from({ length: seeds }, (_, i) => 1 + i)]) {
    const { problem } = await simulate(seed);
    if (problem !== null) return `seed ${seed}: ${problem.split('\n')[0]}`;
  }
  return null;
});

const report = (o: Outcome): string => `seed ${o.seed} (${o.about}; ${o.lives} processes, ${o.steps} steps): ${o.problem === null ? 'well' : `${o.problem}\n  replay: npm run sim -- --seed ${o.seed}`}`;
