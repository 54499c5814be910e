/**
 * npm run bench -- [SECTION ...] [--records N] [--accounts N[,N]] [--runs N] [--brokers LIST] [--only WORD[,WORD]] [--against DIR] [--profile] [--json]
 *
 * Sections, all of them when none is named: jobs (balances and fraud beside a naive kafkajs loop and a consumer that only counts; --only
 * kafka, embedded, fraud, both, naive, count), project (a filter and a projection, every record out), append (the embedded log), state
 * (memory of a key, pauses, restart), start (start-up and idle), latency, scale (how the cost grows), workers (two threads beside one).
 * Only when named: micro (decode and encode alone), against (balances beside --against DIR, another checkout that has been built).
 * --profile writes a CPU profile of balances instead and names its top ten functions.
 *
 * Parties are processes of their own and take turns; figures are medians with their spread, ratios are taken within each round. Kafka:
 * --brokers, else PIPE_TEST_BROKERS, else a broker of its own.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print } from './print.mjs';
import { sections } from './sections.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string' }, accounts: { type: 'string', default: '1000,1000000' }, runs: { type: 'string', default: '5' },
    brokers: { type: 'string' }, only: { type: 'string' }, against: { type: 'string' }, profile: { type: 'boolean', default: false }, json: { type: 'boolean', default: false },
  },
});

const whole = (name, text) => {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 1) throw new Error(`--${name} takes a whole number above 0, not "${text}"`);
  return n;
};
const options = {
  records: flags.records === undefined ? null : whole('records', flags.records), runs: whole('runs', flags.runs), accountCounts: flags.accounts.split(',').map(a => whole('accounts', a)),
  brokers: flags.brokers, only: flags.only?.split(','), against: flags.against, say: line => process.stderr.write(`${line}\n`),
};
if (!existsSync(new URL('../../dist/cli/main.js', import.meta.url))) throw new Error('dist/ is missing: npm run prepare');

if (flags.profile) {
  const { profile } = await import('./profile.mjs');
  const keep = fileURLToPath(new URL('../../.pipe/profiles', import.meta.url));
  mkdirSync(keep, { recursive: true });
  const { path, functions } = await profile({ records: options.records ?? 2_000_000, accounts: options.accountCounts[0], top: 10, keep });
  process.stdout.write(flags.json ? `${JSON.stringify({ path, functions })}\n` : `${path}\n${functions.map(f => `${f.ms.toFixed(0).padStart(7)} ms ${(100 * f.share).toFixed(1).padStart(5)} %  ${f.name}\n`).join('')}`);
} else {
  const unknown = positionals.find(p => !(p in sections));
  if (unknown !== undefined) throw new Error(`there is no section "${unknown}": ${Object.keys(sections).join(', ')}`);
  const wanted = positionals.length > 0 ? positionals : Object.keys(sections).filter(s => s !== 'micro' && s !== 'against');
  const results = [];
  for (const name of wanted) {
    options.say(`== ${name}`);
    const found = await sections[name](options);
    results.push(...found);
    if (!flags.json) for (const r of found) process.stdout.write(print(r));
  }
  if (flags.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
}
