/**
 * npm run bench -- [--records N] [--accounts N[,N]] [--runs N] [--brokers LIST] [--only WORD[,WORD]] [--micro] [--json]
 *
 * Drains the same records with pipe from Kafka and from the embedded log, with a naive kafkajs loop and with a kafkajs consumer that only
 * counts (--only kafka, embedded, naive, count), each as a process of its own and in turns; prints medians with their spread, and ratios
 * taken within each round. Kafka: --brokers, else PIPE_TEST_BROKERS, else a broker of its own.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { printMicro, printParties } from './print.mjs';

const { values: flags } = parseArgs({
  options: {
    records: { type: 'string' }, accounts: { type: 'string', default: '1000,1000000' }, runs: { type: 'string', default: '3' },
    brokers: { type: 'string' }, only: { type: 'string' }, micro: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
  },
});

const whole = (name, text) => {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`--${name} takes a whole number above 0, not "${text}"`);
  return n;
};
const runs = whole('runs', flags.runs);
const records = whole('records', flags.records ?? (flags.micro ? '200000' : '1000000'));
const accountCounts = flags.accounts.split(',').map(a => whole('accounts', a));
if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url))) throw new Error('dist/ is missing: npm run prepare');

const results = [];
if (flags.micro) {
  const { micro } = await import('./micro.mjs');
  for (const accounts of accountCounts) results.push({ kind: 'micro', records, accounts, runs, nsPerRecord: micro({ records, accounts, runs }) });
} else {
  const { parties } = await import('./parties.mjs');
  results.push(...await parties({ records, accountCounts, runs, brokers: flags.brokers, only: flags.only?.split(','), say: line => process.stderr.write(`${line}\n`) }));
}
if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
else for (const r of results) process.stdout.write(r.kind === 'micro' ? printMicro(r) : printParties(r));
