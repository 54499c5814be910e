/**
 * node test/bench/append.mjs [--records N] [--runs N]
 *
 * The embedded log by its own interface: appends of 1,000 records, as `topics send` and `generate` make them, of one record each, and how long a
 * consumer takes from opening the log to its first records.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openEmbeddedLog } from '../../dist/connectors/log/log.js';
import { PARTITIONS, accountOf, valueOf } from './generate.mjs';
import { spread } from './measure.mjs';

const BATCH = 1000;
const SINGLE = 500;
const ACCOUNTS = 1000;
const notices = { warn: text => { throw new Error(text); }, info: () => {} };

const recordsOf = n => Array.from({ length: n }, (_, i) => ({ key: Buffer.from(accountOf(i, ACCOUNTS)), value: Buffer.from(valueOf(i, ACCOUNTS)), headers: [], partition: null, timestamp: null }));

/** {seconds, cpu} of `work`. */
async function timed(work) {
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

async function once(path, batches, single) {
  const log = openEmbeddedLog({ path, notices });
  await log.open(0, new AbortController().signal);
  for (const name of ['many', 'single']) await log.createTopic({ name, partitions: PARTITIONS, retention: null, config: {} });
  const many = await timed(async () => { for (const b of batches) await log.append('many', b); });
  const one = await timed(async () => { for (const r of single) await log.append('single', [r]); });
  await log.close();
  const first = await timed(() => poll(path));
  return { many, one, first };
}

async function poll(path) {
  const log = openEmbeddedLog({ path, notices });
  const { signal } = new AbortController();
  await log.open(0, signal);
  const source = log.source({ topic: 'many', topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
  await source.open();
  const found = await source.poll(new Set(), 1000, signal);
  if (found.length === 0) throw new Error('nothing to read');
  await source.close();
  await log.close();
}

/** {recordsPerSecond, cpuSecondsPerMillion, single: records/s, firstPollMs}, each {median, low, high}; the first round warms up. */
export async function append({ records, runs, dir }) {
  const all = recordsOf(Math.min(records, 200_000));
  const batches = Array.from({ length: Math.ceil(records / BATCH) }, (_, i) => { const at = (i * BATCH) % all.length; return all.slice(at, at + BATCH); });
  const rounds = [];
  for (let run = 0; run <= runs; run++) {
    const path = join(dir, `topics-${run}.db`);
    const r = await once(path, batches, all.slice(0, SINGLE));
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    if (run > 0) rounds.push(r);
  }
  const sent = batches.reduce((n, b) => n + b.length, 0);
  return {
    recordsPerSecond: spread(rounds.map(r => sent / r.many.seconds)), cpuSecondsPerMillion: spread(rounds.map(r => (r.many.cpu * 1e6) / sent)),
    single: spread(rounds.map(r => SINGLE / r.one.seconds)), firstPollMs: spread(rounds.map(r => r.first.seconds * 1000)),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '5' } } });
  const home = fileURLToPath(new URL('../../.pipe/', import.meta.url));
  mkdirSync(home, { recursive: true });
  const dir = mkdtempSync(join(home, 'append-'));
  try {
    for (const [name, s] of Object.entries(await append({ records: Number(values.records), runs: Number(values.runs), dir }))) {
      process.stdout.write(`${name.padEnd(22)} ${s.median.toFixed(2)} (${s.low.toFixed(2)} to ${s.high.toFixed(2)})\n`);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
