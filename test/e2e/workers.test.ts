import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { main, Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const pipeline = `name: sums
sources:
  events:
    schema: id STRING, v BIGINT, at BIGINT
    event_time: {from: at, unit: ms, delay: 1ms}
sinks:
  totals:
    key: id
    sql: SELECT id, SUM(v) AS s, window_start FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' SECOND)
settings: {workers: 2, checkpoint: 10ms}
`;

const RECORDS = 300_000;
const lines = (): string => Array.from({ length: RECORDS }, (_, i) => `{"id":"k${i % 997}","v":${i},"at":${Math.floor(i / 100)}}\n`).join('');

/** Sums by group, as one would add them up by hand. */
function expected(): string[] {
  const sums = new Map<string, number>();
  for (let i = 0; i < RECORDS; i++) {
    const key = `{"id":"k${i % 997}"|${Math.floor(i / 100_000) * 1000}`;
    sums.set(key, (sums.get(key) ?? 0) + i);
  }
  return [...sums].map(([key, s]) => { const [id, start] = key.split('|'); return `${id},"s":${s},"window_start":${start}}`; }).sort();
}

it('SIGTERM drains the workers, and the next run goes on where they stopped', async () => {
  p.write('sums.yaml', pipeline);
  await p.run(['topics', 'create', 'events', '--partitions', '1']);
  await p.run(['topics', 'send', 'events'], { input: lines() });
  const first = p.start(['run', 'sums.yaml', '--follow', '--no-print'], { env: { PIPE_BATCH_ROWS: '50' } });
  await first.until('following');
  await new Promise(r => setTimeout(r, 400));
  first.kill('SIGTERM');
  const stopped = await first.finished;
  expect([stopped.code, stopped.err]).toEqual([0, expect.stringContaining('2 threads share the work')]);
  const rest = await p.run(['run', 'sums.yaml', '--until-end', '--print', '--json']);
  expect(rest.code).toBe(0);
  const rows = await p.run(['topics', 'tail', 'totals', '--from-beginning', '--until-end']);
  expect([...rows.lines].sort()).toEqual(expected());
  // what this run wrote is what it printed
  expect(rest.lines.length).toBe((JSON.parse(rest.err.trim().split('\n').at(-1) as string) as { rows_out: number }).rows_out);
});

it('windows close by themselves when the stream goes quiet, with workers too', async () => {
  p.write('sums.yaml', pipeline.replace('delay: 1ms', 'delay: 1ms, idle: 300ms'));
  await p.run(['topics', 'create', 'events', '--partitions', '3']);
  const run = p.start(['run', 'sums.yaml', '--follow', '--print']);
  await run.until('following');
  await p.run(['topics', 'send', 'events'], { input: '{"id":"a","v":1,"at":1500}\n{"id":"b","v":2,"at":1600}\n' });
  await run.until(r => r.out.split('\n').length > 2, 20_000);
  run.kill('SIGTERM');
  const { code, lines: rows } = await run.finished;
  expect([code, [...rows].sort()]).toEqual([0, ['{"id":"a","s":1,"window_start":1000}', '{"id":"b","s":2,"window_start":1000}']]);
});

it('a wrong unit of event time is said once, however many threads find it', async () => {
  p.write('sums.yaml', pipeline.replace('unit: ms', 'unit: s').replace('delay: 1ms', 'delay: 1s, max_future: 3650000d'));
  const now = Date.now();
  await p.run(['topics', 'create', 'events', '--partitions', '2']);
  for (const k of [0, 1]) await p.run(['topics', 'send', 'events', '--key-field', 'id'], { input: Array.from({ length: 3000 }, (_, i) => `{"id":"k${i}","v":${k},"at":${now + i}}\n`).join('') });
  const run = await p.run(['run', 'sums.yaml', '--until-end', '--no-print'], { env: { PIPE_BATCH_ROWS: '150' } });
  expect(run.code, run.err).toBe(0);
  expect(run.err.match(/values look like ms, but event_time\.unit is s/g)).toEqual([expect.any(String)]);
});

it('explain says how many threads may share the work, or why it is one', async () => {
  p.write('sums.yaml', pipeline);
  p.write('whole.yaml', pipeline.replace('name: sums', 'name: whole').replace(", TUMBLE(ts, INTERVAL '1' SECOND)", '').replace(', window_start', ''));
  expect((await p.run(['explain', 'sums.yaml'])).out).toContain('2 threads share the work: rows go to the one that holds their key');
  expect((await p.run(['explain', 'whole.yaml'])).out).toContain('one thread, whatever settings.workers says: its grouping has no window');
});

it('a file of which only the tests are wrong runs, also in threads and from a pipe that gives it once', async () => {
  p.write('sums.yaml', `${pipeline}tests:\n  - {name: old, input: {events: []}, expect: {totals: [{gone: 1}]}}\n`);
  await p.run(['topics', 'send', 'events'], { input: '{"id":"a","v":1,"at":1}\n' });
  const run = await p.run(['run', 'sums.yaml', '--until-end']);
  expect([run.code, run.lines]).toEqual([0, ['{"id":"a","s":1,"window_start":0}']]);
  expect(run.err).toMatch(/warning\[user\.sql\.unknown_column\][^]*sums {2}2 threads share the work\n/);
  const piped = spawnSync('bash', ['-c', 'exec "$0" "$1" run <(cat pipelines/sums.yaml) --until-end --reset-state', process.execPath, main], { cwd: p.dir, encoding: 'utf8', env: { ...process.env, PIPE_BROKERS: 'none', NO_COLOR: '1' } });
  expect([piped.status, piped.stdout]).toEqual([0, '{"id":"a","s":1,"window_start":0}\n']);
}, 60_000);
