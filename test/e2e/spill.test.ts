import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLog } from '../../src/cli/make-log.ts';
import { Database } from '../../src/state/database.ts';
import { readAll } from '../cases/run-case.ts';
import { Project } from './project.ts';

/** More keys for a longer run: PIPE_SPILL_KEYS=5000000. */
const KEYS = Number(process.env['PIPE_SPILL_KEYS'] ?? 150_000);
const PAD = 'x'.repeat(400);
const MEMORY_MB = 32;
/** Node itself, its code and what is read and written at once; beside `settings.memory`. */
const PROCESS_MB = 170;
const notices = { warn: () => undefined, info: () => undefined };

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const pipeline = (memory: string): string => `name: many
sources:
  events:
    schema: id STRING, v BIGINT, f DOUBLE, at BIGINT
    event_time: {from: at, unit: ms}
sinks:
  counts:
    sql: SELECT CHAR_LENGTH(id) AS l, COUNT(*) AS n, SUM(v) AS s, AVG(f) AS a FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' MINUTE)
settings: {memory: ${memory}}
`;

async function withLog<T>(work: (log: Awaited<ReturnType<typeof makeLog>>) => Promise<T>): Promise<T> {
  const log = await makeLog({ brokers: null, origin: 'test' }, join(p.dir, '.pipe'), null, notices);
  await log.open(1000, new AbortController().signal);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

/** Each key twice, far from each other; of key k the values k and k + 1, and 0.1 and 0.2. */
async function fill(keys: number, pad = PAD): Promise<void> {
  await withLog(async log => {
    await log.createTopic({ name: 'events', partitions: 1, retention: null, config: {} });
    const CHUNK = 5000;
    for (let at = 0; at < 2 * keys; at += CHUNK) {
      await log.append('events', Array.from({ length: Math.min(CHUNK, 2 * keys - at) }, (_, i) => {
        const second = at + i >= keys ? 1 : 0;
        const k = (((at + i) % keys) * 7919) % keys;
        return { key: null, value: Buffer.from(`{"id":"${k}-${pad}","v":${k + second},"f":0.${1 + second},"at":${1000 + (i % 1000)}}`), headers: [], partition: 0, timestamp: null };
      }));
    }
  });
}

/** By hand: 0.1 + 0.2 from left to right is 0.30000000000000004. */
const expected = (keys: number): string[] => Array.from({ length: keys }, (_, k) => `{"l":${String(k).length + 1 + PAD.length},"n":2,"s":${2 * k + 1},"a":0.15000000000000002}`).sort();

const results = async (): Promise<string[]> => (await withLog(log => readAll(log, 'counts'))).sort();

function spilledBytes(): number {
  const db = new Database(join(p.dir, '.pipe/state/many@embedded.db'), { readonly: true });
  try {
    return db.prepare('SELECT coalesce(sum(length(data)), 0) FROM spilled').pluck().get() as number;
  } finally {
    db.close();
  }
}

describe.runIf(process.platform === 'linux')('a window of several times settings.memory', () => {
  it('is exact in bounded memory, says when it goes to disk, and leaves no state behind', async () => {
    await fill(KEYS);
    p.write('many.yaml', pipeline(`${MEMORY_MB}MB`));
    const run = p.start(['run', 'many.yaml', '--no-print', '--until-end']);
    const most = await run.highestMb();
    const { code, err } = await run.finished;
    expect([code, err.match(/state goes to disk from here on: operator "counts" holds \d+ keys/g)?.length], err).toEqual([0, 1]);
    expect(await results()).toEqual(expected(KEYS));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(MEMORY_MB + PROCESS_MB);
    expect(spilledBytes()).toBe(0);
    for (const f of readdirSync(join(p.dir, '.pipe/state'))) if (f.endsWith('-wal')) expect(statSync(join(p.dir, '.pipe/state', f)).size).toBeLessThan(80 << 20);
  }, 600_000);

  it('survives kill -9 at any time, and a start reads back no more than memory holds', async () => {
    const keys = Math.min(KEYS, 100_000);
    await fill(keys);
    p.write('many.yaml', pipeline(`${MEMORY_MB}MB`));
    const at = ['commit.before:4', 'commit.after:4', 'delivery.after:1', 'commit.after:2', 'commit.before:2'];
    for (const failpoint of at) {
      const killed = await p.run(['run', 'many.yaml', '--no-print', '--until-end'], { env: { PIPE_FAILPOINT: failpoint } });
      expect([killed.signal, killed.err.includes('error')], `${failpoint} ${killed.err}`).toEqual(['SIGKILL', false]);
    }
    expect(spilledBytes()).toBeGreaterThan(0);
    const last = p.start(['run', 'many.yaml', '--no-print', '--until-end']);
    const most = await last.highestMb();
    const { code, err } = await last.finished;
    expect(code, err).toBe(0);
    expect(most).toBeLessThan(MEMORY_MB + PROCESS_MB);
    expect(await results()).toEqual(expected(keys));
  }, 600_000);

  it('runs on in one thread where workers were asked for', async () => {
    const keys = 20_000;
    await fill(keys);
    p.write('many.yaml', pipeline('4MB'));
    const killed = await p.run(['run', 'many.yaml', '--no-print', '--until-end'], { env: { PIPE_FAILPOINT: 'commit.after:2' } });
    expect(killed.signal).toBe('SIGKILL');
    expect(spilledBytes()).toBeGreaterThan(0);
    const done = await p.run(['run', 'many.yaml', '--no-print', '--until-end', '--workers', '2']);
    expect([done.code, done.err.includes('many runs in one thread: a part of its state is on disk')], done.err).toEqual([0, true]);
    expect(await results()).toEqual(expected(keys));
  }, 600_000);

  it.each([['of a minute', ", TUMBLE(ts, INTERVAL '1' MINUTE)"], ['without an end', '']])('a SIGTERM while a window %s closes is heard between two steps, and the next start goes on', async (_, window) => {
    const keys = 200_000;
    const LONG = 600;
    await fill(keys, '');
    p.write('many.yaml', `${pipeline('16MB').replace(/SELECT .*/, `SELECT id, COUNT(*) AS n, SUM(v) AS s, REPEAT('x', ${LONG}) AS pad FROM events GROUP BY id${window}`)}`);
    const first = p.start(['run', 'many.yaml', '--print', '--until-end']);
    // rows are printed behind the epoch that has them: the first of some four
    await first.until(r => r.out !== '', 120_000);
    first.kill('SIGTERM');
    const { code, err } = await first.finished;
    expect([code, err.match(/state goes to disk/g)?.length, err.includes('error')], err).toEqual([0, 1, false]);
    const sent = (await results()).length;
    expect([sent > 0, sent < keys, spilledBytes() > 0], `${sent} rows of ${keys}`).toEqual([true, true, true]);
    const last = await p.run(['run', 'many.yaml', '--no-print', '--until-end']);
    expect([last.code, last.err.includes('error')], last.err).toEqual([0, false]);
    const found = (await results()).map(r => JSON.parse(r) as { id: string; n: number; s: number; pad: string }).map(r => `${r.id}${r.n} ${r.s} ${r.pad.length}`);
    expect(found.sort()).toEqual(Array.from({ length: keys }, (_k, k) => `${k}-2 ${2 * k + 1} ${LONG}`).sort());
  }, 600_000);
});
