import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import { canonical, truth } from '../cases/edit-project.ts';
import { unique } from '../unique.ts';
import { Project, type Running } from './project.ts';

// of the built command: dist/

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const brokers = inject('brokers') as string | null;
const event = (i: number): { k: string; v: number; at: number } => ({ k: `k${i % 3}`, v: 1 + ((i * 17) % 50), at: i * 500 });
const lines = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `${JSON.stringify(event(from + i))}\n`).join('');
const file = (name: string, more = ''): string => `name: ${name}
sources:
  events:
    topic: ${name}-events
    schema: k STRING, v INT, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
    create: {partitions: 1}
sinks:
  sums:
    topic: ${name}-sums
    create: {partitions: 1}
    sql: SELECT k, SUM(v) AS total, window_start FROM events GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
${more}`;
const counts = (name: string): string => `  counts:
    topic: ${name}-counts
    create: {partitions: 1}
    sql: SELECT k, COUNT(*) AS n, window_start FROM events GROUP BY k, TUMBLE(ts, INTERVAL '5' SECOND)
`;
const SUMS = 'SELECT k, SUM(v) AS total, at / 10000 * 10000 AS window_start FROM events GROUP BY 1, 3';
const COUNTS = 'SELECT k, COUNT(*) AS n, at / 5000 * 5000 AS window_start FROM events GROUP BY 1, 3';
const of = (sql: string, n: number): string[] => canonical(truth(sql, { events: Array.from({ length: n }, (_, i) => event(i)) }));

async function rows(topic: string, env: Record<string, string>): Promise<string[]> {
  const { lines: found } = await p.run(['topics', 'tail', topic, '--from-beginning', '--until-end'], { env });
  return canonical(found.map(l => JSON.parse(l) as Record<string, unknown>));
}

describe.each([['the embedded log', null], ['Kafka', brokers]] as const)('on %s', (where, address) => {
  it.skipIf(where === 'Kafka' && address === null)('an edit is compared while the pipeline runs, and a backfill gives a new sink its history', async () => {
    const env: Record<string, string> = address === null ? {} : { PIPE_BROKERS: address };
    const name = unique('edit');
    p.write(`${name}.yaml`, file(name));
    await p.run(['topics', 'create', `${name}-events`, '--partitions', '1'], { env });
    await p.run(['topics', 'send', `${name}-events`], { env, input: lines(0, 51) });
    const running = p.start(['run', `${name}.yaml`, '--follow', '--no-print'], { env });
    await running.until(`topic ${name}-sums`);
    // it waits for records, not for a topic
    const tail = p.start(['topics', 'tail', `${name}-sums`, '--from-beginning', '--count', '6'], { env });
    await tail.finished;
    writeFileSync(join(p.dir, 'pipelines/next.yaml'), file(name, counts(name)));
    const diff = await p.run(['explain', 'next.yaml', '--diff', '--json'], { env });
    expect([diff.code, diff.err]).toEqual([0, '']);
    const { next, parts } = JSON.parse(diff.out) as { next: string; parts: { kind: string; name: string; fate: string }[] };
    expect([next, parts.map(x => `${x.kind} ${x.name} ${x.fate}`)]).toEqual(['goes on', ['source events kept', 'operator sums kept', 'operator counts new', 'sink sums kept', 'sink counts new']]);
    running.kill('SIGINT');
    expect((await running.finished).code).toBe(0);
    await p.run(['topics', 'send', `${name}-events`], { env, input: lines(51, 111) });
    const built = await p.run(['run', 'next.yaml', '--backfill', '--until-end', '--no-print'], { env });
    expect([built.code, built.err]).toEqual([0, expect.stringContaining('"counts" built again from 51 records; 15 rows of history for counts')]);
    expect(await rows(`${name}-sums`, env)).toEqual(of(SUMS, 111));
    expect(await rows(`${name}-counts`, env)).toEqual(of(COUNTS, 111));
  });
});

it('a backfill that is killed leaves the state as it was, and starts over', async () => {
  const many = 60_000;
  p.write('big.yaml', file('big'));
  await p.run(['topics', 'create', 'big-events', '--partitions', '1']);
  await p.run(['topics', 'send', 'big-events'], { input: lines(0, many) });
  const first = p.start(['run', 'big.yaml', '--follow', '--no-print']);
  await first.until('topic big-sums');
  await p.start(['topics', 'tail', 'big-sums', '--from-beginning', '--count', '1000']).finished;
  first.kill('SIGINT');
  expect((await first.finished).code).toBe(0);
  p.write('big.yaml', file('big', counts('big')));
  for (const ms of [0, 150, 300, 500]) {
    const run = p.start(['run', 'big.yaml', '--backfill', '--until-end', '--no-print'], { env: { PIPE_BATCH_ROWS: '20' } });
    await run.until('goes on where it stopped');
    await new Promise(r => setTimeout(r, ms));
    run.kill('SIGKILL');
    await run.finished;
  }
  expect((await p.run(['run', 'big.yaml', '--backfill', '--until-end', '--no-print'])).code).toBe(0);
  expect(await rows('big-sums', {})).toEqual(of(SUMS, many));
  expect(await rows('big-counts', {})).toEqual(of(COUNTS, many));
});

/** All of the state but what a backfill lays aside. */
function kept(name: string): unknown {
  const db = new Database(join(p.dir, `.pipe/state/${name}@embedded.db`), { readonly: true });
  try {
    const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('backlog', 'sqlite_sequence', 'sqlite_stat1') ORDER BY 1").pluck().all() as string[];
    return tables.map(t => [t, db.prepare(`SELECT * FROM "${t}"`).raw().all()]);
  } finally {
    db.close();
  }
}

/** Rows that lie aside. */
function staged(name: string): number {
  const db = new Database(join(p.dir, `.pipe/state/${name}@embedded.db`), { readonly: true });
  try {
    return db.prepare('SELECT coalesce(sum(rows), 0) FROM backlog').pluck().get() as number;
  } finally {
    db.close();
  }
}

it('a backfill ends at SIGTERM, while it reads and while it lays its rows aside, and leaves the state as it was', async () => {
  const keys = 300_000;
  const wide = (more: string): string => `name: wide
sources:
  events:
    schema: k STRING, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
    create: {partitions: 1}
steps:
  counted: SELECT k, COUNT(*) AS n FROM events GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
sinks:
  first:
    create: {partitions: 1}
    sql: SELECT k FROM counted WHERE n > 1
${more}`;
  p.write('wide.yaml', wide(''));
  await p.run(['topics', 'create', 'events', '--partitions', '1']);
  await p.run(['topics', 'send', 'events'], { input: Array.from({ length: keys }, (_, i) => `{"k":"k${i}","at":1000}\n`).join('') });
  // the end of the input closes the window: the backfill does so behind its last record
  expect((await p.run(['run', 'wide.yaml', '--until-end', '--no-print'])).code).toBe(0);
  const before = kept('wide');
  // some 190 MB of history, which are laid aside in six parts
  p.write('wide.yaml', wide("  long:\n    create: {partitions: 1}\n    sql: SELECT k, n, REPEAT('x', 600) AS pad FROM counted\n"));
  for (const [env, begun] of [
    [{ PIPE_BATCH_ROWS: '20' }, (r: Running) => r.err.includes('goes on where it stopped')],
    [{}, () => staged('wide') > 0],
  ] as const) {
    const run = p.start(['run', 'wide.yaml', '--backfill', '--until-end', '--no-print'], { env });
    await run.until(begun, 120_000);
    run.kill('SIGTERM');
    const { code, err } = await run.finished;
    expect([code, err], err).toEqual([0, expect.stringContaining('stopped before the run began: what --backfill had not put in its place yet starts over with it')]);
    expect([err.includes('built again'), err.includes('error')], err).toEqual([false, false]);
    expect(kept('wide')).toEqual(before);
  }
  const built = await p.run(['run', 'wide.yaml', '--backfill', '--until-end', '--no-print']);
  expect([built.code, built.err]).toEqual([0, expect.stringContaining('300,000 rows of history for long')]);
  expect(staged('wide')).toBe(0);
  const { lines: found } = await p.run(['topics', 'tail', 'long', '--from-beginning', '--until-end']);
  expect(found.map(l => JSON.parse(l) as { k: string; n: number; pad: string }).map(r => `${r.k} ${r.n} ${r.pad.length}`).sort()).toEqual(Array.from({ length: keys }, (_, i) => `k${i} 1 600`).sort());
}, 600_000);
