/**
 * node test/bench/start.mjs [--runs N]
 *
 * What pipe costs before its first record and while no records come: whole processes beside `node -e 0`, in turns, then one run that
 * follows a quiet topic of the embedded log.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { measured, PRELOAD, spread } from './measure.mjs';
import { printStart } from './print.mjs';

const here = name => fileURLToPath(new URL(name, import.meta.url));
const CLI = here('../../dist/cli/main.js');
const BALANCES = here('../../pipelines/balances.yaml');
const FRAUD = here('../../pipelines/fraud.yaml');

/** What a run does after its start is over by then. */
const SETTLE_MS = 10_000;
const IDLE_MS = 20_000;

const row = (name, unit, values) => ({ name, ...spread(values), unit });

/** `data` is a data folder that is not there yet. */
const COMMANDS = [
  { name: 'node -e 0', args: () => ['-e', '0'] },
  { name: 'pipe --version', args: () => [CLI, '--version'] },
  { name: 'pipe explain fraud.yaml', args: () => [CLI, 'explain', FRAUD] },
  { name: 'pipe run balances.yaml, cold', args: data => [CLI, 'run', BALANCES, '--brokers', 'none', '--data-dir', data], prints: 'first row' },
];

async function commands(runs, dir) {
  const results = COMMANDS.map(() => []);
  for (let round = 0; round < runs; round++) {
    for (const [i, { args }] of COMMANDS.entries()) {
      const data = join(dir, `cold-${round}`);
      results[i].push(await measured(args(data), { dir, cwd: dir }));
      rmSync(data, { recursive: true, force: true });
    }
  }
  return COMMANDS.flatMap(({ name, prints }, i) => [
    ...(prints === undefined ? [] : [row(`${name}: ${prints}`, 'ms', results[i].map(r => r.firstMs))]),
    row(`${name}: all of it`, 'ms', results[i].map(r => r.ms)),
    row(`${name}: CPU`, 'ms', results[i].map(r => r.cpuSeconds * 1000)),
  ]);
}

/** CPU of a run that follows, once nothing comes any more. */
async function idle(runs, dir) {
  const args = [CLI, 'run', BALANCES, '--follow', '--no-print', '--brokers', 'none', '--data-dir', join(dir, 'idle')];
  const child = spawn(process.execPath, ['--require', PRELOAD, ...args], { cwd: dir, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const ended = once(child, 'exit').then(([code, signal]) => { throw new Error(`the run that follows ended with ${signal ?? code}`); });
  ended.catch(() => undefined);
  const used = async () => {
    child.send('how much?');
    const [{ user, system }] = await Promise.race([once(child, 'message'), ended]);
    return { us: user + system, at: performance.now() };
  };
  try {
    await Promise.race([sleep(SETTLE_MS), ended]);
    const shares = [];
    for (let round = 0; round < runs; round++) {
      const before = await used();
      await sleep(IDLE_MS);
      const after = await used();
      shares.push((after.us - before.us) / 10 / (after.at - before.at));
    }
    return [row(`pipe run --follow, no records for ${IDLE_MS / 1000} s: CPU of one core`, '%', shares)];
  } finally {
    child.kill('SIGINT');
    await ended.catch(() => undefined);
  }
}

/** Rows [{name, median, low, high, unit}]; `dir` is an empty folder on a disk. */
export async function start({ runs, dir }) {
  return [...await commands(runs, dir), ...await idle(runs, dir)];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values: flags } = parseArgs({ options: { runs: { type: 'string', default: '5' } } });
  const runs = Number(flags.runs);
  if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`--runs takes a whole number above 0, not "${flags.runs}"`);
  mkdirSync(here('../../.pipe'), { recursive: true });
  const dir = mkdtempSync(here('../../.pipe/bench-'));
  try {
    process.stdout.write(printStart(await start({ runs, dir }), runs));
  } finally {
    rmSync(dir, { recursive: true });
  }
}
