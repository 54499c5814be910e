import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricsFlag } from '../../src/cli/ui-flags.ts';
import type { JobReport } from '../../src/observe/job.ts';
import { prometheusText } from '../../src/observe/prometheus.ts';
import { Project, type Running } from '../e2e/project.ts';
import { raw } from './dash.ts';
import { NOW, running as runningJob } from './scenes.ts';

const here = spawnSync('promtool', ['--version']).error === undefined;
if (!here && process.env['PIPE_REQUIRE_BROWSER'] !== undefined) throw new Error('promtool is missing: Debian has it in prometheus');
const withPromtool = it.skipIf(!here);

let p: Project;
let running: Running;
let port: number;
let text: string;

/** The sum of all samples of a metric whose labels hold all of these. */
function sum(name: string, ...labels: string[]): number {
  const lines = text.split('\n').filter(l => l.startsWith(`${name}{`) && labels.every(x => l.includes(x)));
  return lines.reduce((n, l) => n + Number(l.slice(l.lastIndexOf(' '))), 0);
}

const row = (account: string, second: number, amount: unknown): string => `${JSON.stringify({ account, amount, timestamp: String(1_704_110_400 + second), type: 'deposit' })}\n`;

/** Asks until it says so. */
async function scrapeUntil(enough: () => boolean): Promise<void> {
  do {
    ({ text } = await raw(port, 'GET', '/metrics', {}, null));
  } while (!enough());
}

beforeAll(async () => {
  p = new Project();
  await p.run(['topics', 'create', 'transactions', '--partitions', '1']);
  const inTime = Array.from({ length: 10 }, (_, i) => row('7', i, 600));
  await p.run(['topics', 'send', 'transactions'], { input: `${inTime.join('')}${row('8', 100, 1)}${row('8', 100, 'much')}no JSON\n` });
  running = p.start(['run', 'pipelines/', '--follow', '--no-print', '--metrics', '0']);
  await running.until('/metrics');
  port = Number(/metrics {2}http:\/\/127\.0\.0\.1:(\d+)\/metrics/.exec(running.err)?.[1]);
  await scrapeUntil(() => sum('pipe_sink_rows_total') === 2);
  await p.run(['topics', 'send', 'transactions'], { input: row('8', 0, 1) });
  await scrapeUntil(() => sum('pipe_source_records_total') === 28);
}, 60_000);
afterAll(() => p.remove());

describe('metrics', () => {
  withPromtool('are as Prometheus wants them', () => {
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([checked.status, checked.stderr]).toEqual([0, '']);
  });

  it('count what the run counts: each record once, late and bad ones by their cause', async () => {
    // 14 records: 12 rows, one of them 100 s behind the others, and two that are no rows
    expect(sum('pipe_source_lag_records')).toBe(0);
    for (const pipeline of ['pipeline="balances"', 'pipeline="fraud"']) {
      expect(sum('pipe_operator_late_total', pipeline)).toBe(1);
      expect(sum('pipe_dead_letters_total', pipeline, 'code="user.data.type"')).toBe(1);
      expect(sum('pipe_dead_letters_total', pipeline, 'code="user.data.decode"')).toBe(1);
      expect(sum('pipe_state', pipeline, 'state="running"')).toBe(1);
      expect(sum('pipe_state', pipeline)).toBe(1);
    }
    // account 7 has 6000 in its ten seconds and in its minute
    expect(sum('pipe_sink_rows_total', 'sink="account-balances"')).toBe(1);
    expect(sum('pipe_sink_rows_total', 'sink="fraud-alerts"')).toBe(1);
    expect(sum('pipe_end_to_end_latency_seconds_count')).toBeGreaterThan(0);
    expect(sum('pipe_end_to_end_latency_seconds_bucket', 'le="+Inf"')).toBe(sum('pipe_end_to_end_latency_seconds_count'));
    const { lines } = await p.run(['status', '--json']);
    for (const job of lines.map(l => JSON.parse(l) as { readonly pipeline: string; readonly run: Readonly<Record<string, number>> })) {
      const of = `pipeline="${job.pipeline}"`;
      expect(job.run).toMatchObject({ records_in: sum('pipe_source_records_total', of), rows_out: sum('pipe_sink_rows_total', of), late: sum('pipe_operator_late_total', of), undecodable: 2 });
    }
    expect(lines.length).toBe(2);
  });

  it('are told to this machine only, and nothing else is', async () => {
    expect((await raw(port, 'GET', '/metrics', { Host: 'evil.example' }, null)).status).toBe(421);
    expect((await raw(port, 'POST', '/metrics', {}, '{}')).status).toBe(405);
    expect((await raw(port, 'GET', '/api/v1/jobs', {}, null)).status).toBe(404);
    expect(await raw(port, 'GET', '/healthz', {}, null)).toMatchObject({ status: 200, text: 'ok\n' });
    expect(await raw(port, 'GET', '/readyz', {}, null)).toMatchObject({ status: 200, text: 'ok\n' });
    const second = await p.run(['run', 'balances.yaml', '--data-dir', 'other', '--metrics', String(port)]);
    expect([second.code, second.err]).toEqual([2, expect.stringContaining(`metrics: port ${port} is taken`)]);
    // it never ran, so nobody says that it is gone
    expect((await p.run(['status', '--data-dir', 'other', '--json'])).out).toBe('');
  });
});

describe('the flags of a run', () => {
  it.each([
    [['--metrics=all'], '--metrics takes a port, or HOST:PORT, not "all"'], [['--metrics', '70000'], '--metrics takes a port: 0 to 65535, not 70000'], [['--ui', '70000'], '--ui takes a port: 0 to 65535, not 70000'], [['--allow-actions'], '--allow-actions is for a dashboard'],
  ])('%j are refused before anything is made', async (flags, words) => {
    const run = await p.run(['run', 'balances.yaml', '--data-dir', 'none', ...flags]);
    expect([run.code, run.err]).toEqual([2, expect.stringContaining(words)]);
    expect(existsSync(join(p.dir, 'none'))).toBe(false);
  });

  it('take an IPv6 address as the web writes it', () => {
    expect([metricsFlag('[::1]:9464'), metricsFlag('::1:9464'), metricsFlag('127.0.0.1:0'), metricsFlag('9464'), metricsFlag('')]).toEqual([
      { host: '::1', port: 9464 }, { host: '::1', port: 9464 }, { host: '127.0.0.1', port: 0 }, { host: null, port: 9464 }, { host: null, port: null },
    ]);
  });
});

describe('the Grafana board', () => {
  const board = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../grafana/pipe.json'), 'utf8')) as { panels: { title: string; targets?: { expr: string }[] }[]; annotations: { list: { expr: string }[] } };
  const queries = [...board.panels.flatMap(x => x.targets ?? []), ...board.annotations.list].map(t => t.expr);

  it('asks only for metrics that there are', () => {
    const there = new Set([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name, kind]) => (kind === 'histogram' ? [`${name}_bucket`] : [name])));
    expect(queries.length).toBeGreaterThan(20);
    for (const name of queries.flatMap(q => q.match(/\bpipe_\w+/g) ?? [])) expect(there).toContain(name);
  });

  withPromtool('asks in PromQL', () => {
    const dir = mkdtempSync(join(tmpdir(), 'pipe-rules-'));
    try {
      const rules = queries.map((q, i) => ({ record: `board:${i}`, expr: q.replace(/\$__(rate_interval|range)/g, '5m').replace(/\$pipeline/g, '.*') }));
      writeFileSync(join(dir, 'rules.yml'), JSON.stringify({ groups: [{ name: 'board', rules }] }));
      const checked = spawnSync('promtool', ['check', 'rules', join(dir, 'rules.yml')], { encoding: 'utf8' });
      expect([checked.status, checked.stderr]).toEqual([0, '']);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe('the text for Prometheus', () => {
  const samples = (jobs: readonly JobReport[]): string[] => prometheusText(jobs).split('\n').filter(l => l !== '' && !l.startsWith('#')).map(l => l.slice(0, l.lastIndexOf(' ')));

  it('has each series once, also where a pipeline has run on two logs', () => {
    const job = runningJob({ name: 'fraud', plan: 'fraud', in: 100, out: 1 }, NOW);
    const all = samples([job, { ...job, log: { kind: 'kafka', id: 'AbC', label: 'Kafka at 127.0.0.1:9092' } }]);
    expect(all).toContain('pipe_epoch{pipeline="fraud",log_id="AbC"}');
    expect(new Set(all).size).toBe(all.length);
    expect(samples([job])).toContain('pipe_epoch{pipeline="fraud"}');
  });

  it('says that a process is gone', () => {
    expect(prometheusText([{ ...runningJob({ name: 'fraud', plan: 'fraud', in: 100, out: 1 }, NOW), state: 'crashed' }])).toContain('pipe_state{pipeline="fraud",state="crashed"} 1\n');
  });
});
