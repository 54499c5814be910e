/**
 * node test/bench/latency.mjs [--brokers LIST] [--checkpoints 20,50,200] [--seconds N] [--rate N]
 *
 * From a record's append to its row's arrival: a filter and a projection from Kafka to Kafka, exactly once, at a steady rate. Records carry the
 * time at which they were sent; the output is read like a consumer of committed records would, in this process.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openKafkaLog } from '../../dist/connectors/kafka/log.js';

const CLI = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PARTITIONS = 3;
const TICK_MS = 2;
/** After the first row has come: the first epochs run cold. */
const WARM_MS = 3000;
/** A pipeline that has written nothing by then does not work. */
const START_MS = 60_000;

const pipeline = (name, checkpoint) => `name: ${name}
settings: {checkpoint: ${checkpoint}ms}
sources:
  numbers:
    topic: ${name}-in
    schema: {id: BIGINT, sent: DOUBLE, kind: STRING}
    start: earliest
sinks:
  kept:
    topic: ${name}-out
    key: id
    sql: |
      SELECT id, sent, kind FROM numbers WHERE id >= 0
`;

const record = id => ({ key: Buffer.from(String(id % 1000)), value: Buffer.from(`{"id":${id},"sent":${(performance.timeOrigin + performance.now()).toFixed(3)},"kind":"deposit"}`), headers: [], partition: null, timestamp: null });

/** Appends `rate` records a second until the signal. */
async function produce(log, topic, rate, signal) {
  const began = performance.now();
  let sent = 0;
  while (!signal.aborted) {
    const n = Math.floor(((performance.now() - began) * rate) / 1000) - sent;
    if (n > 0) await log.append(topic, Array.from({ length: n }, (_, i) => record(sent + i)));
    sent += n;
    await sleep(TICK_MS);
  }
}

/** Adds the latency (ms) of each row to `found` that arrives `seconds` long after the warm-up. */
async function consume(log, topic, seconds, found) {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'latest', onDataLoss: 'earliest' });
  await source.open();
  const { signal } = new AbortController();
  const giveUp = performance.now() + START_MS;
  let from = Infinity;
  for (;;) {
    const batches = await source.poll(new Set(), 100, signal);
    const time = performance.now();
    const now = performance.timeOrigin + time;
    if (from === Infinity && batches.some(b => b.length > 0)) from = time + WARM_MS;
    if (from === Infinity && time > giveUp) throw new Error(`no row has come to ${topic}`);
    if (time > from + seconds * 1000) break;
    if (time < from) continue;
    for (const b of batches) for (let i = 0; i < b.length; i++) found.push(now - JSON.parse(b.data.toString('utf8', b.valueStart[i], b.valueEnd[i])).sent);
  }
  await source.close();
}

async function once({ brokers, dir, checkpoint, seconds, rate }) {
  const name = `latency-${process.pid}-${checkpoint}`;
  const file = join(dir, 'pipelines', `${name}.yaml`);
  writeFileSync(file, pipeline(name, checkpoint));
  const notices = { warn: text => process.stderr.write(`${text}\n`), info: () => {} };
  const open = async () => { const log = openKafkaLog({ brokers: brokers.split(','), settings: null, notices }); await log.open(10_000, new AbortController().signal); return log; };
  const [input, output] = [await open(), await open()];
  for (const topic of [`${name}-in`, `${name}-out`]) await input.createTopic({ name: topic, partitions: PARTITIONS, retention: null, config: {} });
  const child = spawn(process.execPath, [CLI, 'run', file, '--follow', '--no-print', '--quiet', '--brokers', brokers, '--data-dir', join(dir, 'data')], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise(resolve => child.on('exit', resolve));
  const stop = new AbortController();
  const found = [];
  try {
    const producing = produce(input, `${name}-in`, rate, stop.signal);
    await Promise.race([consume(output, `${name}-out`, seconds, found), ended.then(code => { throw new Error(`pipe ended with ${code}`); })]);
    stop.abort();
    await producing;
  } finally {
    child.kill('SIGTERM');
    await ended;
    await input.close();
    await output.close();
  }
  return found;
}

/** Rows {checkpoint (ms), rate, rows, p50, p95, p99, max}, latencies in ms. `dir` is a folder that may be filled. */
export async function latency({ brokers, dir, checkpoints = [20, 50, 200], seconds = 10, rate = 5000 }) {
  mkdirSync(join(dir, 'pipelines'), { recursive: true });
  const rows = [];
  for (const checkpoint of checkpoints) {
    const found = Float64Array.from(await once({ brokers, dir, checkpoint, seconds, rate })).sort();
    if (found.length < rate * seconds * 0.5) throw new Error(`only ${found.length} rows came within ${seconds} s`);
    const at = share => found[Math.min(found.length - 1, Math.floor(found.length * share))];
    rows.push({ checkpoint, rate, rows: found.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) });
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { brokers: { type: 'string' }, checkpoints: { type: 'string', default: '20,50,200' }, seconds: { type: 'string', default: '10' }, rate: { type: 'string', default: '5000' } },
  });
  const home = fileURLToPath(new URL('../../.pipe/', import.meta.url));
  mkdirSync(home, { recursive: true });
  const dir = mkdtempSync(join(home, 'latency-'));
  const { kafka } = await import('./parties.mjs');
  const cluster = await kafka(values.brokers, dir);
  try {
    const rows = await latency({ brokers: cluster.address, dir, checkpoints: values.checkpoints.split(',').map(Number), seconds: Number(values.seconds), rate: Number(values.rate) });
    for (const r of rows) process.stdout.write(`checkpoint ${String(r.checkpoint).padStart(4)} ms: p50 ${r.p50.toFixed(1)}, p95 ${r.p95.toFixed(1)}, p99 ${r.p99.toFixed(1)}, max ${r.max.toFixed(1)} ms (${r.rows} rows)\n`);
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
