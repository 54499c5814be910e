/**
 * npm run bench:deopt
 *
 * Runs `pipe run balances.yaml` over the embedded log with V8's log of deoptimisations and prints what was optimised and thrown away again,
 * by its place in dist/: in the first half of the run, when V8 learns, in steady state, and in the last tenth, when windows close for good
 * and the run ends. Exit code 1 when a function is deoptimised in steady state. The topic has one partition: where the first of several
 * ends, V8 makes code anew that took it for endless.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { valueOf } from './generate.mjs';
import { writePipeline } from './parties.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const RECORDS = 8_000_000;
/** Parts of the run between which it is in steady state. */
const STEADY = [0.5, 0.9];

/** "chunks/run.js:438 next: to < records.length ? .." for a file:line:column of V8's. */
function place(location) {
  const [, url, line] = /^<(file:.*?):(\d+):\d+>/.exec(location) ?? [];
  if (url === undefined) return 'generated code';
  const path = fileURLToPath(url);
  const text = readFileSync(path, 'utf8').split('\n')[Number(line) - 1]?.trim() ?? '';
  return `${path.replace(/^.*\/(dist|node_modules)\//, '')}:${line} ${text.length > 60 ? `${text.slice(0, 58)}..` : text}`;
}

const dir = workspace();
try {
  const lines = join(dir, 'lines.jsonl');
  await writeLines(lines, RECORDS, i => valueOf(i, 1000));
  await load({ log: 'none', topic: 'in', file: lines, dir, partitions: 1 });
  const file = writePipeline(dir, 'balances', 'deopt', 'in');
  const log = join(dir, 'v8.log');
  const began = performance.now();
  const r = spawnSync(process.execPath, ['--log-deopt', '--no-logfile-per-isolate', `--logfile=${log}`, CLI, 'run', file, '--until-end', '--no-print', '--workers', '1', '--quiet', '--brokers', 'none', '--data-dir', join(dir, 'data')], { cwd: dir, encoding: 'utf8' });
  if (r.status !== 0) throw new Error(r.stderr);
  const us = (performance.now() - began) * 1000;
  // code-deopt,time in us,size,code,inlining id,script offset,kind,location,reason
  const found = readFileSync(log, 'utf8').split('\n').filter(l => l.startsWith('code-deopt,')).map(l => l.split(','))
    .map(f => ({ at: Number(f[1]) / us, text: `${place(f[7])}: ${f[8]} (${f[6]})` }));
  if (found.length === 0) throw new Error('V8 has logged nothing');
  const between = (title, from, to) => {
    const list = found.filter(d => d.at >= from && d.at < to);
    process.stdout.write(`${title}: ${list.length}\n`);
    for (const text of new Set(list.map(d => d.text))) process.stdout.write(`  ${text}\n`);
    return list.length;
  };
  between('deoptimised in the first half', 0, STEADY[0]);
  process.exitCode = between('in steady state', ...STEADY) === 0 ? 0 : 1;
  between('in the last tenth', STEADY[1], Infinity);
} finally {
  rmSync(dir, { recursive: true });
}
