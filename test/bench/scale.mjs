/** How the cost grows: one thing is made larger at a time, all else stays. On the embedded log, each run a process of its own. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { measured, spread } from './measure.mjs';
import { CLI, load, workspace, writeLines } from './workspace.mjs';

const START = 1_704_110_400_000;
const SOURCE = (topic, schema) => `sources:\n  s:\n    topic: ${topic}\n    schema: "${schema}"\n    event_time: {from: at, unit: ms, delay: 5s}\n`;
const columns = n => Array.from({ length: n }, (_, i) => `c${i}`);
const at = i => START + Math.floor(i / 50);

/** {what, records, line(i), schema, sql[], partitions}: the sinks of `sql` over these records. */
function wide(used) {
  const names = columns(100);
  const line = i => `{"k":"${i % 1000}","at":${at(i)},${names.map((c, j) => `"${c}":${(i * (j + 7)) % 10_000}.25`).join(',')}}`;
  return { what: `${used} of 100 columns used`, records: 100_000, line, schema: `k STRING, at BIGINT, ${names.map(c => `${c} DECIMAL(12,2)`).join(', ')}`, sql: [`SELECT ${names.slice(0, used).map(c => `SUM(${c}) AS ${c}`).join(', ')} FROM s`] };
}
const narrow = { line: i => `{"k":"${i % 1000}","v":${i % 997}.50,"at":${at(i)}}`, schema: 'k STRING, v DECIMAL(12,2), at BIGINT' };
const perKey = "SELECT k, SUM(v) AS total, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '1' DAY)";
const keys = n => ({ ...narrow, what: `${n.toLocaleString('en-US')} keys`, records: Math.max(1_000_000, n), line: i => `{"k":"${(i * 7919) % n}","v":${i % 997}.50,"at":${at(i)}}`, sql: [perKey] });
const sinks = n => ({ ...narrow, what: `${n} ${n === 1 ? 'sink' : 'sinks'}, a filter each`, records: 500_000, sql: Array.from({ length: n }, (_, j) => `SELECT k, v FROM s WHERE v > ${1000 + j}`) });
const partitions = n => ({ ...narrow, what: `${n.toLocaleString('en-US')} ${n === 1 ? 'partition' : 'partitions'}`, records: 1_000_000, sql: [perKey], partitions: n });
const bytes = n => ({ ...narrow, what: `records of ${n.toLocaleString('en-US')} bytes`, records: Math.min(1_000_000, Math.floor(4e8 / n)), line: i => { const head = narrow.line(i).slice(0, -1); return `${head},"pad":"${'x'.repeat(Math.max(0, n - head.length - 9))}"}`; }, sql: [perKey] });

const CASES = [wide(1), wide(10), wide(100), keys(1000), keys(100_000), keys(1_000_000), keys(5_000_000), sinks(1), sinks(10), sinks(100), partitions(1), partitions(10), partitions(100), partitions(1000), bytes(100), bytes(1000), bytes(10_000)];

async function measure(c, dir, runs) {
  const topic = 'in';
  const lines = join(dir, 'lines.jsonl');
  const file = join(dir, 'pipelines', 'scale.yaml');
  writeFileSync(file, `name: scale\n${SOURCE(topic, c.schema)}sinks:\n${c.sql.map((sql, i) => `  out${i}:\n    sql: "${sql}"\n`).join('')}`);
  await writeLines(lines, c.records, c.line);
  await load({ log: 'none', topic, file: lines, dir, partitions: c.partitions ?? 3, key: 'k' });
  rmSync(lines);
  const found = [];
  for (let run = 0; run < runs; run++) {
    const used = await measured([CLI, 'run', file, '--until-end', '--reset-state', '--json', '--no-print', '--workers', '1', '--brokers', 'none', '--data-dir', join(dir, 'data')], { dir, cwd: dir });
    const summary = JSON.parse(used.stderr.split('\n').find(l => l.includes('"records_in"')));
    if (summary.records_in !== c.records) throw new Error(`${c.what}: ${JSON.stringify(summary)}`);
    found.push({ ...used, seconds: summary.ms / 1000 });
  }
  return { what: c.what, records: c.records, recordsPerSecond: spread(found.map(f => c.records / f.seconds)), cpuSecondsPerMillion: spread(found.map(f => (f.cpuSeconds * 1e6) / c.records)), rssMb: spread(found.map(f => f.rssMb)) };
}

/** A row for each case whose name holds `only`. */
export async function scale({ runs, only = '', say = () => {} }) {
  const rows = [];
  for (const c of CASES.filter(x => x.what.includes(only))) {
    const dir = workspace();
    try {
      rows.push(await measure(c, dir, runs));
      say(`  ${c.what}: ${Math.round(rows.at(-1).recordsPerSecond.median).toLocaleString('en-US')} records/s`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
  return rows;
}
