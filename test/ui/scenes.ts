import { resolve } from 'node:path';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import type { HistogramReport, JobReport } from '../../src/observe/job.ts';
import { planReport } from '../../src/observe/plan-report.ts';
import type { PlanReport } from '../../src/observe/plan.ts';
import type { DeadCode, DeadLetter, Info, SavedState, Topic, TopicRecord } from '../../src/ui/answers.ts';

const root = resolve(import.meta.dirname, '../..');

/** All that a dashboard of one data folder could be asked for. */
export interface Scene {
  readonly info: Info;
  readonly jobs: (at: number) => readonly JobReport[];
  readonly plans: Readonly<Record<string, PlanReport>>;
  readonly topics: readonly Topic[];
  /** The record of a partition at an offset. */
  readonly record: (topic: string, partition: number, offset: number) => TopicRecord;
  readonly states: readonly SavedState[];
  readonly codes: readonly DeadCode[];
  readonly letters: (code: string) => readonly DeadLetter[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** A time that does not move, so that pictures of a page are alike. */
export const NOW = Date.UTC(2026, 4, 12, 12, 0, 41);

const STEPS = `name: orders
sources:
  orders:
    schema: {shop: STRING, amount: "DECIMAL(12,2)", state: STRING, at: BIGINT}
    event_time: {from: at, unit: ms, as: ts, delay: 5s}
steps:
  paid: |
    SELECT shop, amount, ts
    FROM orders
    WHERE state = 'paid' AND amount > 0
sinks:
  turnover:
    key: shop
    sql: |
      SELECT shop, SUM(amount) AS turnover, COUNT(*) AS orders, window_end
      FROM paid
      GROUP BY shop, TUMBLE(ts, INTERVAL '1' MINUTE)
  large-orders:
    key: shop
    sql: |
      SELECT shop, amount, ts
      FROM paid
      WHERE amount > 10000
  paid-orders:
    key: shop
    from: paid
`;

const planOf = (file: string, text?: string): PlanReport => planReport(compilePipeline(loadPipeline(file, { env: {}, root, ...(text === undefined ? {} : { text }) })));

export const PLANS: Readonly<Record<string, PlanReport>> = {
  fraud: planOf(resolve(root, 'pipelines/fraud.yaml')), balances: planOf(resolve(root, 'pipelines/balances.yaml')), orders: planOf('/nowhere/orders.yaml', STEPS),
};

const LE = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Counts around a bucket. */
function histogram(middle: number, count: number): HistogramReport {
  const weight = (i: number): number => Math.exp(-((i - middle) ** 2) / 3);
  const all = [...LE, 0].map((_, i) => weight(i));
  const sum = all.reduce((a, b) => a + b, 0);
  const counts = all.map(w => Math.round((count * w) / sum));
  const n = counts.reduce((a, b) => a + b, 0);
  return { le: LE, counts, count: n, sum: counts.reduce((s, c, i) => s + c * (LE[i] ?? 400), 0) * 0.7 };
}

const NOTHING: HistogramReport = { le: LE, counts: [...LE, 0].map(() => 0), sum: 0, count: 0 };

/** A rate that swings, by the second. */
const wave = (second: number, mean: number, phase: number): number => Math.max(0, mean * (1 + 0.25 * Math.sin(second / 47 + phase) + 0.12 * Math.sin(second / 7.3 + phase) + 0.06 * Math.sin(second * 1.7)));

interface Made {
  readonly name: string;
  readonly plan: string;
  readonly in: number;
  readonly out: number;
  readonly log?: JobReport['log'];
}

export const EMBEDDED = { kind: 'embedded', id: 'embedded', label: 'embedded log' } as const;
export const KAFKA = { kind: 'kafka', id: 'MkU3OEVBNTcwNTJENDM2Qg', label: 'Kafka at broker-1.example:9092' } as const;

/** A job that runs well, `at` its last report. */
export function running({ name, plan: of, in: mean, out, log = EMBEDDED }: Made, at: number): JobReport {
  const plan = PLANS[of] as PlanReport;
  const second = Math.floor(at / 1000);
  const history = Array.from({ length: 600 }, (_, i) => second - 599 + i);
  const [started, ran] = [at - 3_724_000, 3724];
  const counts = { records_in: Math.round(mean * ran), rows_out: Math.round(out * ran), filtered: Math.round(mean * 80), late: 3, future: 0, undecodable: 12, failed: 0 };
  const minute = Math.floor((at - 7000) / 60_000) * 60_000;
  const windows = Array.from({ length: 3 }, (_, i) => ({ start: minute + (i - 1) * 60_000, end: minute + i * 60_000, keys: [120, 913, 41][i] as number })).filter(w => w.end > at - 7000);
  const rate = { in: wave(second, mean, 0), out: wave(second, out, 1) };
  return {
    v: 1, pipeline: name, file: `/home/me/bank/pipelines/${name}.yaml`, log, state_file: `/home/me/bank/.pipe/state/${name}@${log.id}.db`, pid: 48_121, version: '0.1.0', started_at: started, at,
    state: 'running', error: null, following: true, away: false, restarts: 1, run: counts, totals: { ...counts, records_in: counts.records_in * 3 }, rate,
    history: { every_ms: 1000, in: history.map(s => wave(s, mean, 0)), out: history.map(s => wave(s, out, 1)) },
    lag: 0, backlog_s: null, epoch: 18_412, last_commit_at: at - 140, keys: 1074, memory_bytes: 1_240_000, disk_bytes: 0,
    sources: plan.sources.map(s => ({
      id: s.id, name: s.name, topic: s.topic, records: counts.records_in, bytes: counts.records_in * 96, per_s: rate.in, busy: 0.41, event_time: true, watermark: at - 7000, lag: 0, holder: 2,
      partitions: [0, 1, 2].map(p => ({ partition: p, position: 104_200 + p, end: 104_200 + p, max_event_time: at - [600, 1400, 2000][p]!, state: p === 1 ? 'idle' as const : 'live' as const })),
    })),
    operators: plan.operators.map((o, i) => ({
      id: o.id, rows_in: counts.records_in >> i, rows_out: o.kind === 'aggregate' ? counts.rows_out * 4 : counts.records_in >> (i + 1), in_per_s: rate.in / 2 ** i, out_per_s: o.kind === 'aggregate' ? rate.out * 4 : rate.in / 2 ** (i + 1),
      filtered: i * 17_204, late: o.kind === 'aggregate' ? 3 : 0, failed: 0, busy: [0.52, 0.71, 0.08, 0.02][i] ?? 0.1, busy_ms: 812_000 / (i + 1), watermark: at - 7000,
      keys: o.kind === 'aggregate' ? 1074 : null, memory_bytes: o.kind === 'aggregate' ? 1_240_000 : 0, disk_bytes: 0, open_windows: o.kind === 'aggregate' ? windows.length : 0, windows: o.kind === 'aggregate' ? windows : [],
    })),
    sinks: plan.sinks.map((s, i) => ({ name: s.name, topic: s.topic, rows: counts.rows_out >> i, per_s: rate.out / (i + 1), bytes: (counts.rows_out >> i) * 140, busy: 0.04 })),
    dead: [{ code: 'user.data.type', n: 11 }, { code: 'user.data.json', n: 1 }],
    problems: [{ at: at - 42_000, code: 'user.data.type', message: 'amount "abc" is not DECIMAL(12,2)', where: 'transactions/1, offset 104133' }, { at: at - 1_204_000, code: 'user.data.json', message: 'the value is no JSON: unexpected end', where: 'transactions/0, offset 88120' }],
    latency: histogram(8.2, 51_234), window_close: histogram(9.4, 1203), commit: histogram(3.1, 18_412), delivery: histogram(1.8, 9214),
  };
}

/** One that has just begun and has seen nothing. */
export function fresh(name: string, at: number): JobReport {
  const j = running({ name, plan: 'fraud', in: 0, out: 0 }, at);
  const none = { records_in: 0, rows_out: 0, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 };
  return {
    ...j, started_at: at - 4000, restarts: 0, run: none, totals: none, rate: { in: 0, out: 0 }, history: { every_ms: 1000, in: [0, 0, 0, 0], out: [0, 0, 0, 0] }, epoch: 0, last_commit_at: null, keys: 0, memory_bytes: 0,
    sources: j.sources.map(s => ({ ...s, records: 0, bytes: 0, per_s: 0, busy: 0, watermark: null, holder: null, partitions: s.partitions.map(p => ({ ...p, position: 0, end: 0, max_event_time: null, state: 'live' as const })) })),
    operators: j.operators.map(o => ({ ...o, rows_in: 0, rows_out: 0, in_per_s: 0, out_per_s: 0, filtered: 0, late: 0, busy: 0, busy_ms: 0, watermark: null, keys: o.keys === null ? null : 0, memory_bytes: 0, open_windows: 0, windows: [] })),
    sinks: j.sinks.map(s => ({ ...s, rows: 0, per_s: 0, bytes: 0, busy: 0 })), dead: [], problems: [], latency: NOTHING, window_close: NOTHING, commit: NOTHING, delivery: NOTHING,
  };
}

const topic = (log: string, name: string, ends: readonly number[], columns: Topic['columns']): Topic => ({
  log, name, partitions: ends.map((end, partition) => ({ partition, begin: 0, end, bytes: end * 112 })), records: ends.reduce((a, b) => a + b, 0), bytes: ends.reduce((a, b) => a + b, 0) * 112, declared: true, columns,
});

const TRANSACTION = [{ name: 'account', type: 'BIGINT' }, { name: 'amount', type: 'DECIMAL(12,2)' }, { name: 'timestamp', type: 'STRING' }, { name: 'type', type: 'STRING' }, { name: 'key', type: 'STRING' }, { name: 'offset', type: 'BIGINT' }];

function record(topicName: string, partition: number, offset: number): TopicRecord {
  const account = 1000 + ((offset * 7919 + partition) % 9000);
  const at = NOW - 3_600_000 + offset * 300;
  const value = topicName === 'fraud-alerts'
    ? `{"account":${account},"total_activity":${5000 + (offset % 900)}.50,"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"Account ${account} has $${5000 + (offset % 900)}.50 activity in 1 minute (threshold: $5000.0)"}`
    : `{"account":${account},"amount":${(offset % 500) + 1}.${String(offset % 100).padStart(2, '0')},"timestamp":"${Math.floor(at / 1000)}","type":"${offset % 3 === 0 ? 'withdrawal' : 'deposit'}"}`;
  return { partition, offset, timestamp: at, key: String(account), value, headers: offset % 5 === 0 ? [{ key: 'traceparent', value: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }] : [], size: value.length + 12, truncated: false };
}

const letter = (code: string, i: number): DeadLetter => ({
  id: String(400 - i), at: NOW - i * 61_000, code, message: code === 'user.data.json' ? 'the value is no JSON: unexpected end' : 'amount "abc" is not DECIMAL(12,2)', place: code === 'user.data.json' ? null : 'amount', source: 'transactions', operator: null,
  topic: 'transactions', partition: i % 3, offset: 104_133 - i * 31, timestamp: NOW - i * 61_000 - 200, key: String(1234 + i), size: 78, truncated: false, unfit: i === 2 ? 'cut' : null,
  ...(code === 'user.data.json' && i === 0 ? { value: null, value_base64: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x00, 0x41, 0x42, 0x0a, 0x22, 0x3a]).toString('base64') } : { value: `{"account":${1234 + i},"amount":"abc","timestamp":"1778587200","type":"deposit"}` }),
});

const LETTERS: Readonly<Record<string, readonly DeadLetter[]>> = {
  'user.data.type': Array.from({ length: 11 }, (_, i) => letter('user.data.type', i)), 'user.data.json': [letter('user.data.json', 0)],
};

const info: Info = {
  version: '0.1.0', root: '/home/me/bank', data_dir: '/home/me/bank/.pipe', actions: true, own: true, pipelines: ['balances', 'fraud', 'orders'],
  logs: [{ id: 'embedded', kind: 'embedded', label: 'embedded log', error: null }, { id: KAFKA.id, kind: 'kafka', label: KAFKA.label, error: null }],
};

export const BUSY: Scene = {
  info,
  jobs: at => [
    running({ name: 'fraud', plan: 'fraud', in: 8412, out: 2.4 }, at),
    { ...running({ name: 'balances', plan: 'balances', in: 8412, out: 1204 }, at), lag: 48_120, backlog_s: 14, dead: [], problems: [], run: { records_in: 31_326_288, rows_out: 4_483_696, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 } },
    running({ name: 'orders', plan: 'orders', in: 120, out: 31, log: KAFKA }, at),
    { ...running({ name: 'fraud-replay', plan: 'fraud', in: 0, out: 0 }, at - 400_000), state: 'failed', error: { code: 'system.source.unreachable', message: 'no Kafka broker answers at broker-1.example:9092 (tried for 30 s)' }, problems: [{ at: at - 400_000, code: 'system.source.unreachable', message: 'no Kafka broker answers at broker-1.example:9092 (tried for 30 s)', where: null }] },
  ],
  plans: { ...PLANS, 'fraud-replay': PLANS['fraud'] as PlanReport },
  topics: [topic('embedded', 'transactions', [5200, 4700, 5100], TRANSACTION), topic('embedded', 'fraud-alerts', [120, 88, 92], [{ name: 'account', type: 'BIGINT' }, { name: 'total_activity', type: 'DECIMAL(38,2)' }]), topic('embedded', 'account-balances', [41_020, 40_871, 41_190], []), topic(KAFKA.id, 'orders', [912_400, 911_870, 913_001, 912_220, 911_004, 912_900], [])],
  record,
  states: ['fraud', 'balances'].map(p => ({
    id: `${p}@embedded`, pipeline: p, log: 'embedded', file: `/home/me/bank/.pipe/state/${p}@embedded.db`, epoch: 18_412, bytes: 1_240_000, error: null,
    tables: [{ name: 'state_fraud_alerts', operator: 'fraud-alerts', columns: ['window_end', 'account', 'window_start', 'sum_amount_lo', 'sum_amount_hi'], keys: ['account'], rows: 1074 }, { name: 'dead_letters', operator: null, columns: ['id', 'at', 'code', 'message', 'topic', 'part', 'offset', 'key', 'value'], keys: [], rows: 12 }, { name: 'positions', operator: null, columns: ['source', 'part', 'next', 'max_event_time'], keys: [], rows: 3 }],
  })),
  codes: [{ code: 'user.data.type', n: 11, first: NOW - 671_000, last: NOW, message: null, means: 'a value does not fit the type of its column', hint: 'repair the producer, or declare the column as STRING; then send the letters again' }, { code: 'user.data.json', n: 1, first: NOW - 1_204_000, last: NOW - 1_204_000, message: null, means: 'the value of a record is no JSON', hint: null }],
  letters: code => LETTERS[code] ?? [],
  config: {
    v: 1, name: 'fraud', file: '/home/me/bank/pipelines/fraud.yaml', description: 'Alerts when an account moves more than $5000 in one minute.',
    sources: { transactions: { topic: 'transactions', format: { type: 'json' }, schema: { account: 'BIGINT', amount: 'DECIMAL(12,2)' }, event_time: { from: 'timestamp', unit: 's', as: 'ts', delay: '5s', idle: '10s', max_future: '1h' }, start: 'earliest', on_error: 'dead_letters', on_data_loss: 'stop' } },
    sinks: { 'fraud-alerts': { topic: 'fraud-alerts', format: { type: 'json', timestamps: 'epoch-ms', decimals: 'number' }, key: ['account'], emit: 'final', sql: 'SELECT account\nFROM transactions', on_error: 'dead_letters' } },
    settings: { kafka: { brokers: ['broker-1.example:9092'], id_prefix: '', sasl: { mechanism: 'scram-sha-512', username: '***', password: '***' } }, checkpoint: '200ms', delivery: 'exactly-once', memory: '1GB', workers: 1, max_record_bytes: '1MB' },
  },
};

export const EMPTY: Scene = { ...BUSY, info: { ...info, actions: false, own: false, pipelines: [], logs: info.logs.slice(0, 1) }, jobs: () => [], topics: [], states: [], codes: [], letters: () => [] };

/** It runs, and there is nothing in it. */
export const IDLE: Scene = { ...BUSY, jobs: at => [fresh('fraud', at)], topics: [topic('embedded', 'transactions', [0, 0, 0], TRANSACTION), topic('embedded', 'fraud-alerts', [0, 0, 0], [])], codes: [], letters: () => [] };
