import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBroker } from './broker.mjs';
import { PARTITIONS, valueOf } from './generate.mjs';
import { measured, spread } from './measure.mjs';

const here = name => fileURLToPath(new URL(name, import.meta.url));
const CLI = here('../../dist/cli/main.js');

/** Everything of one bench lives in one folder, which is a project root of its own; beside the user's data, because /tmp may be memory. */
function workspace() {
  mkdirSync(here('../../.pipe'), { recursive: true });
  const dir = mkdtempSync(here('../../.pipe/bench-'));
  mkdirSync(join(dir, 'pipelines'));
  return dir;
}

/** The shipped balances.yaml, on a topic and a name of the bench's own and without its sample. */
function writePipeline(dir, name) {
  const shipped = readFileSync(here('../../pipelines/balances.yaml'), 'utf8');
  const edited = shipped
    .replace(/^name:.*$/m, `name: ${name}`)
    .replace(/^ {4}sample:.*\n/m, '')
    .replace(/^ {2}transactions:.*\n/m, line => `${line}    topic: ${name}-in\n`)
    .replace(/^ {2}account-balances:.*\n/m, line => `${line}    topic: ${name}-out\n`);
  for (const topic of [`topic: ${name}-in`, `topic: ${name}-out`]) if (!edited.includes(topic)) throw new Error(`balances.yaml has changed: no place for "${topic}"`);
  const file = join(dir, 'pipelines', `${name}.yaml`);
  writeFileSync(file, edited);
  return file;
}

/** The records as lines; returns the mean bytes of one. */
async function writeRecords(file, records, accounts) {
  const out = createWriteStream(file);
  let bytes = 0;
  for (let at = 0; at < records; at += 10_000) {
    const lines = `${Array.from({ length: Math.min(10_000, records - at) }, (_, k) => valueOf(at + k, accounts)).join('\n')}\n`;
    bytes += lines.length;
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return bytes / records - 1;
}

/** One JSON object with `key` among the lines that a party printed. */
function reported(text, key) {
  const line = text.split('\n').find(l => l.startsWith('{') && l.includes(`"${key}"`));
  if (line === undefined) throw new Error(`no line with "${key}" in: ${text.slice(-2000)}`);
  return JSON.parse(line);
}

function pipeParty(name, log, { file, records, dir }) {
  const data = join(dir, 'data');
  return {
    name,
    run: async () => {
      const used = await measured([CLI, 'run', file, '--until-end', '--reset-state', '--json', '--no-print', '--brokers', log, '--data-dir', data], { dir, cwd: dir });
      const summary = reported(used.stderr + used.stdout, 'records_in');
      if (summary.records_in !== records || summary.undecodable + summary.late + summary.future + summary.failed > 0) throw new Error(`${name} did not take all records: ${JSON.stringify(summary)}`);
      return { ...used, seconds: summary.ms / 1000, groups: summary.rows_out };
    },
  };
}

function kafkajsParty(name, script, { topic, records, brokers, dir }) {
  let turn = 0;
  return {
    name,
    run: async () => {
      const env = { BENCH_BROKERS: brokers, BENCH_TOPIC: topic, BENCH_GROUP: `${topic}-${process.pid}-${script}-${turn++}`, BENCH_RECORDS: String(records), KAFKAJS_NO_PARTITIONER_WARNING: '1' };
      const used = await measured([here(script)], { dir, cwd: dir, env });
      const done = reported(used.stdout, 'seconds');
      if (done.records !== records) throw new Error(`${name} read ${done.records} of ${records} records`);
      return { ...used, seconds: done.seconds, groups: done.groups };
    },
  };
}

async function load({ log, topic, file, dir }) {
  const more = ['--brokers', log, '--data-dir', join(dir, 'data')];
  await measured([CLI, 'topics', 'create', topic, '--partitions', String(PARTITIONS), ...more], { dir, cwd: dir });
  await measured([CLI, 'topics', 'send', topic, '--file', file, '--key-field', 'account', ...more], { dir, cwd: dir });
}

const NAIVE = 'naive kafkajs loop, nothing durable';

/** Runs all parties in turns; a round is one run of each. */
async function rounds(contenders, runs, say) {
  const results = new Map(contenders.map(p => [p.name, []]));
  for (let round = 1; round <= runs; round++) {
    for (const p of contenders) {
      const r = await p.run();
      say(`  round ${round}: ${p.name}: ${r.cpuSeconds.toFixed(2)} s CPU, ${r.seconds.toFixed(2)} s`);
      results.get(p.name).push(r);
    }
  }
  const groups = new Set([...results.values()].flat().map(r => r.groups).filter(g => g !== undefined));
  if (groups.size > 1) throw new Error(`the parties do not agree on the number of results: ${[...groups].join(', ')}`);
  return results;
}

function summarise(results, records) {
  const naive = results.get(NAIVE);
  return [...results].map(([name, list]) => ({
    name,
    recordsPerSecond: spread(list.map(r => records / r.seconds)),
    cpuSecondsPerMillion: spread(list.map(r => (r.cpuSeconds * 1e6) / records)),
    rssMb: spread(list.map(r => r.rssMb)),
    ofNaive: naive === undefined ? null : spread(list.map((r, i) => r.cpuSeconds / naive[i].cpuSeconds)),
  }));
}

/** The brokers that are named, else those of the tests. */
async function kafka(named, dir) {
  if (named !== undefined) return { address: named, stop: async () => {} };
  const broker = await findBroker(dir);
  if (broker === null) throw new Error('no Kafka: name one with --brokers, or install Java 17 and Maven, or leave it out with --only embedded');
  return broker;
}

/** The parties by the word that --only takes. */
const PARTIES = {
  kafka: o => pipeParty('pipe, Kafka, exactly once', o.brokers, o),
  embedded: o => pipeParty('pipe, embedded log, exactly once', 'none', o),
  naive: o => kafkajsParty(NAIVE, 'naive.mjs', o),
  count: o => kafkajsParty('kafkajs that only counts', 'count.mjs', o),
};

/** `only`: words of PARTIES, default all. */
export async function parties({ records, accountCounts, runs, brokers, only = Object.keys(PARTIES), say }) {
  for (const word of only) if (!(word in PARTIES)) throw new Error(`--only takes ${Object.keys(PARTIES).join(', ')}, not "${word}"`);
  const dir = workspace();
  const cluster = only.some(word => word !== 'embedded') ? await kafka(brokers, dir) : { address: 'none', stop: async () => {} };
  try {
    const results = [];
    for (const accounts of accountCounts) {
      const name = `bench-${process.pid}-${accounts}`;
      const lines = join(dir, `${name}.jsonl`);
      say(`${records} records, ${accounts} accounts: loading`);
      const bytes = await writeRecords(lines, records, accounts);
      const common = { file: writePipeline(dir, name), topic: `${name}-in`, records, brokers: cluster.address, dir };
      if (only.includes('embedded')) await load({ log: 'none', topic: common.topic, file: lines, dir });
      if (only.some(word => word !== 'embedded')) await load({ log: cluster.address, topic: common.topic, file: lines, dir });
      rmSync(lines);
      const done = await rounds(only.map(word => PARTIES[word](common)), runs, say);
      results.push({ kind: 'parties', records, accounts, partitions: PARTITIONS, bytes, runs, parties: summarise(done, records) });
    }
    return results;
  } finally {
    await cluster.stop();
    if (existsSync(dir)) rmSync(dir, { recursive: true });
  }
}
