import { seedsThatFailed } from './seeds.ts';
import { simulate, type Outcome } from './simulate.ts';
import { virtually } from './world.ts';

const USAGE = 'npm run sim -- --seed N [--verbose], or --seeds N [--from N]\n';

/** The long run of the simulation, and the replay of one seed. */
export const main = (argv: readonly string[]): Promise<number> => virtually(() => run(argv));

async function run(argv: readonly string[]): Promise<number> {
  const number = (flag: string, otherwise: number): number => {
    const at = argv.indexOf(flag);
    return at < 0 ? otherwise : Number(argv[at + 1]);
  };
  const one = number('--seed', NaN);
  if (!Number.isNaN(one)) {
    const o = await simulate(one);
    if (argv.includes('--verbose') || o.problem !== null) process.stdout.write(`${o.journal.slice(-200).join('\n')}\n`);
    process.stdout.write(`${report(o)}\n`);
    return o.problem === null ? 0 : 1;
  }
  const count = number('--seeds', NaN);
  const from = number('--from', 1);
  if (Number.isNaN(count)) { process.stderr.write(USAGE); return 2; }
  // the many errors of a simulated network cost their stacks; the replay has them
  Error.stackTraceLimit = 0;
  const faults = new Map<string, number>();
  const failed: Outcome[] = [];
  let [steps, lives, done] = [0, 0, 0];
  const began = performance.now();
  const cpu = process.cpuUsage();
  for (const seed of [...seedsThatFailed(), ...Array.from({ length: count }, (_, i) => from + i)]) {
    const o = await simulate(seed);
    done++;
    steps += o.steps;
    lives += o.lives;
    for (const [kind, n] of o.faults) faults.set(kind, (faults.get(kind) ?? 0) + n);
    if (o.problem !== null) {
      failed.push(o);
      process.stdout.write(`${report(o)}\n`);
      if (failed.length >= number('--most', 10)) break;
    }
    if (done % 10_000 === 0) process.stdout.write(`${done} seeds, ${failed.length} failed\n`);
  }
  const s = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  process.stdout.write(`${done} seeds in ${s.toFixed(1)} s (${(done / s).toFixed(0)}/s; ${((used.user + used.system) / 1e6).toFixed(1)} s of CPU), ${lives} processes, ${steps} steps, ${failed.length} failed\n`);
  process.stdout.write(`PROMISE P37 seeds=${done} processes=${lives} kills=${faults.get('kill') ?? 0} failing=${failed.length}\n`);
  process.stdout.write(`faults: ${[...faults].sort((a, b) => b[1] - a[1]).map(([k, n]) => `${k} ${n}`).join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** For code that was broken on purpose: what the first of so many seeds says that finds it, or null. */
export const firstProblem = (seeds: number): Promise<string | null> => virtually(async () => {
  for (const seed of [...seedsThatFailed(), ...Array.from({ length: seeds }, (_, i) => 1 + i)]) {
    const { problem } = await simulate(seed);
    if (problem !== null) return `seed ${seed}: ${problem.split('\n')[0]}`;
  }
  return null;
});

const report = (o: Outcome): string => `seed ${o.seed} (${o.about}; ${o.lives} processes, ${o.steps} steps): ${o.problem === null ? 'well' : `${o.problem}\n  replay: npm run sim -- --seed ${o.seed}`}`;
