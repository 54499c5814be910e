import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBroker } from './broker.mjs';
import { PARTITIONS, valueOf } from './generate.mjs';
import { measured, spread } from './measure.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const here = name => fileURLToPath(new URL(name, import.meta.url));

/** A shipped pipeline on topics and under a name of the bench's own, without its sample and tests. */
export function writePipeline(dir, shipped, name, input) {
  const edited = readFileSync(here(`../../pipelines/${shipped}.yaml`), 'utf8')
    .replace(/^name:.*$/m, `name: ${name}-${shipped}`)
    .replace(/^ {4}sample:.*\n/m, '')
    .replace(/^tests:\n[^]*/m, '')
    .replace(/^ {2}transactions:.*\n/m, line => `${line}    topic: ${input}\n`)
    .replace(/^sinks:\n {2}[\w-]+:\n/m, line => `${line}    topic: ${name}-${shipped}-out\n`);
  for (const topic of [`topic: ${input}`, `topic: ${name}-${shipped}-out`]) if (!edited.includes(topic)) throw new Error(`${shipped}.yaml has changed: no place for "${topic}"`);
  const file = join(dir, 'pipelines', `${name}-${shipped}.yaml`);
  writeFileSync(file, edited);
  return file;
}

/** One JSON object with `key` among the lines that a party printed. */
export function reported(text, key) {
  const line = text.split('\n').find(l => l.startsWith('{') && l.includes(`"${key}"`));
  if (line === undefined) throw new Error(`no line with "${key}" in: ${text.slice(-2000)}`);
  return JSON.parse(line);
}

/** `files`: one pipeline, or several in one process; `cli`: the command of another checkout. */
export function pipeParty(name, log, files, { records, dir }, cli = CLI) {
  const data = join(dir, 'data');
  return {
    name,
    run: async () => {
      const used = await measured([cli, 'run', ...files, '--until-end', '--reset-state', '--json', '--no-print', '--workers', '1', '--brokers', log, '--data-dir', data], { dir, cwd: dir });
      const summaries = used.stderr.split('\n').filter(l => l.startsWith('{') && l.includes('"records_in"')).map(l => JSON.parse(l));
      for (const s of summaries) if (s.records_in !== records || s.undecodable + s.late + s.future + s.failed > 0) throw new Error(`${name} did not take all records: ${JSON.stringify(s)}`);
      if (summaries.length !== files.length) throw new Error(`${name} left ${summaries.length} summaries`);
      return { ...used, seconds: Math.max(...summaries.map(s => s.ms)) / 1000, rows: summaries.map(s => s.rows_out) };
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
      return { ...used, seconds: done.seconds, ...(done.groups === undefined ? {} : { rows: [done.groups] }) };
    },
  };
}

const NAIVE = 'naive kafkajs loop, nothing durable';

/** Runs all parties in turns; a round is one run of each. */
export async function rounds(contenders, runs, say) {
  const results = new Map(contenders.map(p => [p.name, []]));
  for (let round = 1; round <= runs; round++) {
    for (const p of contenders) {
      const r = await p.run();
      say(`  round ${round}: ${p.name}: ${r.cpuSeconds.toFixed(2)} s CPU, ${r.seconds.toFixed(2)} s`);
      results.get(p.name).push(r);
    }
  }
  // a group of the naive loop is a row of balances
  const rows = [...results].flatMap(([name, list]) => (name.startsWith('pipe balances, ') || name === NAIVE ? list.map(r => r.rows[0]) : []));
  if (new Set(rows).size > 1) throw new Error(`the parties do not agree on the number of results: ${[...new Set(rows)].join(', ')}`);
  return results;
}

/** A row for each party: what it did, also as a share of the naive loop's CPU where that took part. */
export function summarise(results, records) {
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
export async function kafka(named, dir) {
  if (named !== undefined) return { address: named, stop: async () => {} };
  const broker = await findBroker(dir);
  if (broker === null) throw new Error('no Kafka: name one with --brokers, or install Java 17 and Maven, or leave it out with --only embedded');
  return broker;
}

/** The parties by the word that --only takes. */
const PARTIES = {
  kafka: o => pipeParty('pipe balances, Kafka, exactly once', o.brokers, [o.balances], o),
  embedded: o => pipeParty('pipe balances, embedded log, exactly once', 'none', [o.balances], o),
  fraud: o => pipeParty('pipe fraud, Kafka, exactly once', o.brokers, [o.fraud], o),
  both: o => pipeParty('pipe balances and fraud in one process, Kafka', o.brokers, [o.balances, o.fraud], o),
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
      const bytes = await writeLines(lines, records, i => valueOf(i, accounts));
      const topic = `${name}-in`;
      const common = { balances: writePipeline(dir, 'balances', name, topic), fraud: writePipeline(dir, 'fraud', name, topic), topic, records, brokers: cluster.address, dir };
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
