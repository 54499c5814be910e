/**
 * npm run bench:deopt
 *
 * Runs `pipe run balances.yaml` over the embedded log under V8's --trace-deopt and prints what was optimised and thrown away again, before
 * and after the first third of the records. Early on that is how V8 learns; later each is work done twice. Exit code 1 when a function of
 * ours is deoptimised in the later part.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { valueOf } from './generate.mjs';
import { writePipeline } from './parties.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const RECORDS = 4_000_000;
const STEADY = '=== steady ===';
/** Loaded into the process: says when a third of the work is done, by the CPU time of a run before it. */
const marker = ms => `setTimeout(() => process.stdout.write('${STEADY}\\n'), ${ms}).unref();`;

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
  writeFileSync(preload, marker(Math.round(ms / 3)));
  const { out } = run(['--trace-deopt', '--import', preload]);
  const [early, late] = out.split(STEADY).map(text => [...(text ?? '').matchAll(/bailout \(kind: ([\w-]+), reason: ([^)]*)\): begin\. deoptimizing \w+ <JSFunction ([^ >]*)(?: \(sfi = \w+\))?>?/g)].map(([, kind, reason, name]) => `${name || '(anonymous)'}: ${reason} (${kind})`));
  if (late === undefined) throw new Error('the run was over before its first third');
  const print = (title, list) => {
    process.stdout.write(`${title}: ${list.length}\n`);
    for (const line of new Set(list)) process.stdout.write(`  ${line}\n`);
  };
  print('deoptimised while warming up', early);
  print('deoptimised in the two thirds after', late);
  process.exitCode = late.length === 0 ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true });
}
