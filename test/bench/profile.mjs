/** Where the time goes: a CPU profile of `pipe run balances.yaml` on the embedded log, and its functions by self time. */
import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { valueOf } from './generate.mjs';
import { measured } from './measure.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';
import { writePipeline } from './parties.mjs';

/** [{name, ms, share}] of the functions that took most, and the profile's path; `keep` is the folder that it is left in. */
export async function profile({ records, accounts, top, keep }) {
  const dir = workspace();
  try {
    const lines = join(dir, 'lines.jsonl');
    await writeLines(lines, records, i => valueOf(i, accounts));
    await load({ log: 'none', topic: 'in', file: lines, dir });
    const file = writePipeline(dir, 'balances', 'profile', 'in');
    await measured(['--cpu-prof', '--cpu-prof-dir', keep, CLI, 'run', file, '--until-end', '--no-print', '--workers', '1', '--quiet', '--brokers', 'none', '--data-dir', join(dir, 'data')], { dir, cwd: dir });
    const path = readdirSync(keep).filter(f => f.endsWith('.cpuprofile')).map(f => join(keep, f)).sort().at(-1);
    return { path, functions: byFunction(JSON.parse(readFileSync(path, 'utf8'))).slice(0, top) };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function byFunction({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [id, `${functionName || '(anonymous)'} ${url.replace(/^.*\/(dist|node_modules)\//, '')}${lineNumber >= 0 ? `:${lineNumber + 1}` : ''}`]));
  const self = new Map();
  let all = 0;
  samples.forEach((id, i) => {
    const name = names.get(id);
    self.set(name, (self.get(name) ?? 0) + timeDeltas[i]);
    all += timeDeltas[i];
  });
  return [...self].sort((a, b) => b[1] - a[1]).map(([name, us]) => ({ name, ms: us / 1000, share: us / all }));
}
