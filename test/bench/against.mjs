import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { valueOf } from './generate.mjs';
import { spread } from './measure.mjs';
import { pipeParty, writePipeline } from './parties.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

/** What balances cost on the embedded log, beside another checkout of pipe that has been built: in pairs, each first in turn. */
export async function against({ other, records, accounts, runs, say }) {
  const cli = resolve(other, 'dist/cli/main.js');
  if (!existsSync(cli)) throw new Error(`--against takes a checkout that has been built: there is no ${cli}`);
  const dir = workspace();
  try {
    const name = `against-${process.pid}`;
    const lines = join(dir, 'lines.jsonl');
    say(`${records} records, ${accounts} accounts: loading`);
    await writeLines(lines, records, i => valueOf(i, accounts));
    await load({ log: 'none', topic: `${name}-in`, file: lines, dir });
    rmSync(lines);
    const file = writePipeline(dir, 'balances', name, `${name}-in`);
    const both = [['this', CLI], ['other', cli]].map(([who, main]) => ({ who, party: pipeParty(who, 'none', [file], { records, dir }, main), seconds: [] }));
    for (const b of both) await b.party.run();
    for (let round = 0; round < runs; round++) {
      for (const b of round % 2 === 0 ? both : both.toReversed()) b.seconds.push((await b.party.run()).cpuSeconds);
      say(`  round ${round + 1}: ${both.map(b => `${b.who} ${b.seconds.at(-1).toFixed(2)}`).join(', ')} s CPU`);
    }
    const [mine, its] = both.map(b => b.seconds);
    const perMillion = list => spread(list.map(s => (s * 1e6) / records));
    return [
      { name: 'this', unit: 'CPU s per M records', limit: null, ...perMillion(mine) }, { name: other, unit: 'CPU s per M records', limit: null, ...perMillion(its) },
      { name: 'this by the other, pair by pair', unit: 'times', limit: null, ...spread(mine.map((s, i) => s / its[i])) },
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
