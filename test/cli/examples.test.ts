import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import type { Command } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { PipeProject } from './pipe.ts';

/** Words of the `pipe` in a line of a shell, without what it reads and writes. */
function words(line: string): string[] {
  const [, call = ''] = /\bpipe ([^|<>)]*)/.exec(line) ?? [];
  return [...call.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(m => m[1] ?? m[2] ?? m[3] as string);
}
const isCall = (line: string): boolean => /\bpipe /.test(line) && !line.startsWith('#');

let all: readonly Command[];
let p: PipeProject;
beforeAll(async () => {
  all = await Promise.all(commands.map(c => c.load()));
  p = new PipeProject();
  await p.ok(['init', '.']);
  // dead letters up to number 17
  await p.ok(['topics', 'send', 'transactions'], { input: `${readFileSync(p.path('pipelines/data/transactions.jsonl'), 'utf8').trimEnd()}\n${'{"account":"9","amount":"much","timestamp":1704110400,"type":"deposit"}\n'.repeat(17)}` });
  await p.ok(['run', 'pipelines', '--until-end', '--no-print']);
});
afterAll(() => { p.remove(); });

/** An example of each command that ends by itself and asks no broker, in an order in which each has what it needs; those that change state come last. */
const RUN = [
  'pipe init bank --template blank', 'pipe run balances.yaml', 'pipe explain fraud.yaml', 'pipe validate balances.yaml', 'pipe test', 'pipe config balances.yaml', 'pipe schema > pipelines/pipe.schema.json', 'pipe status', 'pipe stop --all',
  'pipe topics ls', 'pipe topics describe transactions', 'pipe topics create transactions --partitions 3', 'pipe topics tail account-balances --from-beginning --until-end', 'echo hello | pipe topics send notes --key greeting --header from=me',
  'pipe state ls balances.yaml', 'pipe state query balances.yaml "SELECT * FROM state_account_balances LIMIT 10"', 'pipe dlq ls fraud.yaml', 'pipe dlq show fraud.yaml 17', 'pipe dlq replay fraud.yaml --code user.data.type', 'pipe dlq drop fraud.yaml --all',
  'pipe state backup balances.yaml balances.backup.db', 'pipe state restore balances.yaml balances.backup.db', 'pipe state reset fraud.yaml --yes', 'pipe doctor balances.yaml', 'pipe generate transactions --rate max --count 1000000 --accounts 100000', 'source <(npx pipe completion bash)',
];

describe('the help of a command', () => {
  it('has examples, which its flags allow', () => {
    for (const c of all) {
      const lines = c.examples.map(([line]) => line).filter(isCall);
      expect([c.name, lines.length > 0]).toEqual([c.name, true]);
      for (const line of lines) {
        const argv = words(line);
        const name = c.name.split(' ');
        expect([line, argv.slice(0, name.length)]).toEqual([line, name]);
        parseCommandLine(c, argv.slice(name.length));
      }
    }
  });

  it('has one below, but for ui, which serves until it is stopped', () => {
    expect(all.map(c => c.name).filter(name => !RUN.some(line => words(line).join(' ').startsWith(name)))).toEqual(['ui']);
  });

  it.each(RUN)('has one that runs: %s', async line => {
    expect(all.flatMap(c => c.examples.map(([l]) => l))).toContain(line);
    const r = await p.call(words(line), line.startsWith('echo ') ? { input: 'hello\n' } : {});
    expect([r.problem?.message, r.exit]).toEqual([undefined, 0]);
  });
});
