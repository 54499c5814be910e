/**
 * node test/bench/project.mjs [--records N] [--runs N] [--brokers LIST]
 *
 * A filter and a projection that every record passes, from a topic to a topic, exactly once: what the way out costs. From Kafka to Kafka and
 * on the embedded log, beside a kafkajs loop that does the same with its transactional producer.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PARTITIONS, valueOf } from './generate.mjs';
import { measured } from './measure.mjs';
import { kafka, reported, rounds, summarise } from './parties.mjs';
import { load, workspace, writeLines } from './workspace.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const ACCOUNTS = 1000;

const pipeline = name => `name: ${name}
sources:
  transactions:
    topic: ${name}-in
    schema: {account: STRING, amount: "DECIMAL(12,2)", timestamp: STRING, type: STRING}
sinks:
  kept:
    topic: ${name}-out
    key: account
    create: {partitions: ${PARTITIONS}}
    sql: |
      SELECT account, amount, type, timestamp AS at FROM transactions WHERE amount >= 0
`;

function pipeParty(name, log, { file, records, dir }) {
  return {
    name,
    run: async () => {
      const used = await measured([CLI, 'run', file, '--until-end', '--reset-state', '--json', '--no-print', '--workers', '1', '--brokers', log, '--data-dir', join(dir, 'data')], { dir, cwd: dir });
      const summary = reported(used.stderr + used.stdout, 'records_in');
      if (summary.rows_out !== records) throw new Error(`${name} did not write all records: ${JSON.stringify(summary)}`);
      return { ...used, seconds: summary.ms / 1000 };
    },
  };
}

function kafkajsParty(name, { topic, records, brokers, dir }) {
  let turn = 0;
  return {
    name,
    run: async () => {
      const env = { BENCH_BROKERS: brokers, BENCH_TOPIC: topic, BENCH_GROUP: `${topic}-project-${turn++}`, BENCH_RECORDS: String(records), KAFKAJS_NO_PARTITIONER_WARNING: '1' };
      const used = await measured([fileURLToPath(new URL('project-kafkajs.mjs', import.meta.url))], { dir, cwd: dir, env });
      return { ...used, seconds: reported(used.stdout, 'seconds').seconds };
    },
  };
}

/** The parties by the word that `only` takes. */
const PARTIES = {
  kafka: o => pipeParty('pipe, Kafka to Kafka, exactly once', o.brokers, o),
  embedded: o => pipeParty('pipe, embedded log, exactly once', 'none', o),
  kafkajs: o => kafkajsParty('kafkajs, consume and produce in transactions', o),
};

/** One result in the shape of parties(), of `runs` rounds in which the parties take turns. */
export async function project({ records, runs, brokers, only = Object.keys(PARTIES), say }) {
  for (const word of only) if (!(word in PARTIES)) throw new Error(`--only takes ${Object.keys(PARTIES).join(', ')}, not "${word}"`);
  const dir = workspace();
  const cluster = only.some(word => word !== 'embedded') ? await kafka(brokers, dir) : { address: 'none', stop: async () => {} };
  try {
    const name = `project-${process.pid}`;
    const file = join(dir, 'pipelines', `${name}.yaml`);
    const lines = join(dir, `${name}.jsonl`);
    writeFileSync(file, pipeline(name));
    say(`${records} records: loading`);
    const bytes = await writeLines(lines, records, i => valueOf(i, ACCOUNTS));
    const common = { file, topic: `${name}-in`, records, brokers: cluster.address, dir };
    if (only.includes('embedded')) await load({ log: 'none', topic: common.topic, file: lines, dir });
    if (only.some(word => word !== 'embedded')) await load({ log: cluster.address, topic: common.topic, file: lines, dir });
    const parties = summarise(await rounds(only.map(word => PARTIES[word](common)), runs, say), records);
    return { kind: 'project', records, accounts: ACCOUNTS, partitions: PARTITIONS, bytes, runs, parties };
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' }, brokers: { type: 'string' }, only: { type: 'string' } } });
  const { printParties } = await import('./print.mjs');
  const result = await project({
    records: Number(values.records), runs: Number(values.runs), brokers: values.brokers, only: values.only?.split(','), say: line => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(printParties(result));
}
