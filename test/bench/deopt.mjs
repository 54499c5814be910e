/**
 * npm run bench:deopt
 *
 * Runs `pipe run balances.yaml` over the embedded log under V8's --trace-deopt and prints what was optimised and thrown away again: in the
 * first half of the run, when V8 learns, in steady state, and in the last tenth, when windows close for good and the run ends. Exit code 1
 * when a function is deoptimised in steady state.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { valueOf } from './generate.mjs';
import { writePipeline } from './parties.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const RECORDS = 8_000_000;
const MARK = '=== mark ===';
/** Parts of the run between which there is a mark. */
const STEADY = [0.5, 0.9];
/** Loaded into the process: says when it is at such a part of the time (ms) that a run before it took. */
const marker = ms => STEADY.map(part => `setTimeout(() => process.stdout.write('${MARK}\\n'), ${Math.round(part * ms)}).unref();`).join('\n');

const dir = workspace();
try {
  const lines = join(dir, 'lines.jsonl');
  await writeLines(lines, RECORDS, i => valueOf(i, 1000));
  await load({ log: 'none', topic: 'in', file: lines, dir });
  const file = writePipeline(dir, 'balances', 'deopt', 'in');
  const run = flags => {
    const began = performance.now();
    const r = spawnSync(process.execPath, [...flags, CLI, 'run', file, '--until-end', '--reset-state', '--no-print', '--quiet', '--brokers', 'none', '--data-dir', join(dir, 'data')], { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (r.status !== 0) throw new Error(r.stderr);
    return { ms: performance.now() - began, out: r.stdout };
  };
  const { ms } = run([]);
  const preload = join(dir, 'marker.mjs');
  writeFileSync(preload, marker(ms));
  const { out } = run(['--trace-deopt', '--import', preload]);
  const [early, steady, end] = out.split(MARK).map(text => [...(text ?? '').matchAll(/bailout \(kind: ([\w-]+), reason: ([^)]*)\): begin\. deoptimizing \w+ <JSFunction ([^ >]*)(?: \(sfi = \w+\))?>?/g)].map(([, kind, reason, name]) => `${name || '(anonymous)'}: ${reason} (${kind})`));
  if (end === undefined) throw new Error('the run was over before its last tenth');
  const print = (title, list) => {
    process.stdout.write(`${title}: ${list.length}\n`);
    for (const line of new Set(list)) process.stdout.write(`  ${line}\n`);
  };
  print('deoptimised in the first half', early);
  print('in steady state', steady);
  print('in the last tenth', end);
  process.exitCode = steady.length === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true });
}
