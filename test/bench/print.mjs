const count = n => Math.round(n).toLocaleString('en-US');

const line = (cells, widths) => `${cells.map((c, i) => (i === 0 ? c.padEnd(widths[i]) : c.padStart(widths[i]))).join('  ').trimEnd()}\n`;

function table(rows) {
  const widths = rows[0].map((_, c) => Math.max(...rows.map(r => r[c].length)));
  return rows.map(r => line(r, widths)).join('');
}

const between = (s, show) => `${show(s.median)} (${show(s.low)} to ${show(s.high)})`;

function printMicro({ records, accounts, runs, nsPerRecord }) {
  const ns = n => n.toFixed(0);
  const rows = Object.entries(nsPerRecord).map(([name, s]) => [name, between(s, ns)]);
  return `${count(records)} records, ${count(accounts)} accounts, median of ${runs}\n${table([['', 'ns CPU a record'], ...rows])}\n`;
}

export function printParties({ records, accounts, partitions, bytes, runs, parties }) {
  const fixed = n => n.toFixed(2);
  const rows = parties.map(p => [p.name, between(p.recordsPerSecond, count), between(p.cpuSecondsPerMillion, fixed), between(p.rssMb, count), p.ofNaive === null ? '-' : between(p.ofNaive, fixed)]);
  const head = `${count(records)} records of ${count(bytes)} bytes, ${count(accounts)} accounts, ${partitions} partitions; medians of ${runs} (lowest to highest)\n`;
  return `${head}${table([['', 'records/s', 'CPU s per M records', 'peak RSS MB', 'CPU of naive'], ...rows])}\n`;
}

export function printStart(rows, runs) {
  const shown = ({ median, low, high, unit }) => between({ median, low, high }, n => (unit === '%' ? n.toFixed(2) : count(n)));
  return `medians of ${runs} (lowest to highest)\n${table(rows.map(r => [r.name, shown(r), r.unit]))}\n`;
}

const figure = n => (Math.abs(n) >= 1000 ? count(n) : Math.abs(n) >= 100 ? n.toFixed(0) : n.toFixed(Math.abs(n) >= 10 ? 1 : 2));

function printRows({ title, rows }) {
  const limit = r => (r.limit === null ? '' : `${r.unit === 'records/s' || r.unit.startsWith('times') ? '>=' : '<='} ${figure(r.limit)}`);
  return `${title} (lowest to highest)\n${table([['', '', '', 'to reach'], ...rows.map(r => [r.name, between(r, figure), r.unit, limit(r)])])}\n`;
}

function printScale({ runs, rows }) {
  return `How the cost grows, embedded log, medians of ${runs}\n${table([['', 'records', 'records/s', 'CPU s per M records', 'peak RSS MB'],
    ...rows.map(r => [r.what, count(r.records), between(r.recordsPerSecond, count), between(r.cpuSecondsPerMillion, figure), between(r.rssMb, count)])])}\n`;
}

function printLatency({ rows }) {
  return `Latency of a filter and projection, Kafka to Kafka, exactly once, ms\n${table([['checkpoint', 'records/s', 'p50', 'p95', 'p99', 'most', 'p99 to reach'],
    ...rows.map(r => [`${r.checkpoint} ms`, count(r.rate), figure(r.p50), figure(r.p95), figure(r.p99), figure(r.max), `<= ${r.checkpoint + 20}`])])}\n`;
}

/** A result of any kind as a table. */
export function print(r) {
  switch (r.kind) {
    case 'micro': return printMicro(r);
    case 'rows': return printRows(r);
    case 'scale': return printScale(r);
    case 'latency': return printLatency(r);
    default: return printParties(r);
  }
}
