import { copyFileSync, existsSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogDb } from '../../src/connectors/log/database.ts';
import { lockState } from '../../src/state/lock.ts';
import { PipeProject } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); p.write('sums.yaml', pipeline('sums')); });
afterEach(() => { p.remove(); });

const STATE = '.pipe/state/sums@embedded.db';
const T = 1_704_110_400_000;
const pipeline = (name: string): string => `name: ${name}
sources:
  s: {schema: "k STRING, v BIGINT, at BIGINT", event_time: {from: at, unit: ms, delay: 0s}}
sinks:
  out: {topic: ${name}-out, key: k, sql: "SELECT k, SUM(v) AS total, COUNT(*) AS n, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"}
settings: {checkpoint: 5ms}
`;
/** Record i of a stream of 20 a window; some are late, some are none. */
const line = (i: number): string => (i % 97 === 13 ? 'nope' : JSON.stringify({ k: `k${(i * 7) % 5}`, v: i, at: T + i * 500 - (i % 31 === 5 ? 60_000 : 0) }));
const lines = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => line(from + i));
const run = (...flags: string[]): ReturnType<PipeProject['ok']> => p.ok(['run', 'sums', '--until-end', '--no-print', ...flags]);
const rows = async (...flags: string[]): Promise<unknown[]> => (await p.records('sums-out', ...flags)).map(r => `${String(r['key'])} ${String(r['value'])}`).sort();

async function ran(n = 40): Promise<void> {
  await p.ok(['topics', 'create', 's', '--partitions', '1']);
  await p.send('s', lines(0, n));
  await run();
}

describe('pipe state backup', () => {
  it('makes one file for its owner alone, whole or not at all, and overwrites nothing unasked', async () => {
    expect((await p.call(['state', 'backup', 'sums', 'b.db'])).exit).toBe(2);
    await ran();
    const made = await p.ok(['state', 'backup', 'sums', 'b.db', '--json']);
    expect(made.json).toEqual([{ v: 1, pipeline: 'sums', log: 'embedded', epoch: p.sql(STATE, "SELECT value FROM meta WHERE key = 'epoch'").flat()[0], file: p.path('b.db'), bytes: statSync(p.path('b.db')).size }]);
    expect(statSync(p.path('b.db')).mode & 0o777).toBe(0o600);
    expect(readdirSync(p.dir).filter(f => f.startsWith('b.db'))).toEqual(['b.db']);
    expect(p.sql('b.db', 'SELECT count(*) FROM dead_letters')).toEqual(p.sql(STATE, 'SELECT count(*) FROM dead_letters'));
    const bytes = readFileSync(p.path('b.db'));
    expect((await p.call(['state', 'backup', 'sums', 'b.db'])).problem).toMatchObject({ code: 'user.usage.bad_value', hint: '--force replaces it' });
    expect(readFileSync(p.path('b.db')).equals(bytes)).toBe(true);
    await p.ok(['state', 'backup', 'sums', 'b.db', '--force']);
    await p.ok(['state', 'backup', 'sums', 'pipelines']);
    expect(existsSync(p.path('pipelines/sums@embedded.db'))).toBe(true);
    expect((await p.call(['state', 'backup', 'sums', 'no/such/b.db'])).exit).toBe(2);
    writeFileSync(p.path(STATE), readFileSync(p.path(STATE)).subarray(0, 9000));
    expect((await p.call(['state', 'backup', 'sums', 'c.db'])).exit).toBe(31);
    expect(existsSync(p.path('c.db'))).toBe(false);
  });

  it('with topics is a new folder that appears as a whole', async () => {
    await ran();
    p.write('more.yaml', pipeline('more'));
    await p.ok(['run', 'more', '--until-end', '--no-print']);
    await p.ok(['state', 'backup', 'pipelines', 'moved', '--with-topics']);
    expect(readdirSync(p.path('moved')).sort()).toEqual(['more@embedded.db', 'sums@embedded.db', 'topics.db']);
    expect([statSync(p.path('moved')).mode & 0o777, statSync(p.path('moved/topics.db')).mode & 0o777]).toEqual([0o700, 0o600]);
    expect((await p.call(['state', 'backup', 'pipelines', 'moved', '--with-topics'])).exit).toBe(2);
    expect((await p.call(['state', 'backup', 'pipelines', 'two.db'])).exit).toBe(2);
    await p.ok(['state', 'restore', 'pipelines', 'moved', '--with-topics', '--data-dir', 'new']);
    expect(await rows('--data-dir', 'new')).toEqual(await rows());
    expect(readdirSync(p.dir).filter(f => f.includes('draft'))).toEqual([]);
  });
});

describe('pipe state restore', () => {
  it('puts back what was, keeps what is there aside, and the pipeline goes on', async () => {
    await ran();
    await p.ok(['state', 'backup', 'sums', 'b.db']);
    const before = readFileSync(p.path(STATE));
    for (const n of ['', '.2']) {
      await p.ok(['state', 'restore', 'sums', 'b.db']);
      expect(existsSync(p.path(`${STATE}.before-restore${n}`))).toBe(true);
    }
    expect(readFileSync(p.path(`${STATE}.before-restore`)).equals(before)).toBe(true);
    const made = await rows();
    await p.send('s', lines(40, 60));
    await run();
    const all = await rows();
    expect(all.length).toBeGreaterThan(made.length);
    expect(all).toEqual([...new Set(all)]);
  });

  it('refuses while the pipeline runs, and a backup that is damaged, foreign, newer, or of something else', async () => {
    await ran();
    await p.ok(['state', 'backup', 'sums', 'b.db']);
    const before = readFileSync(p.path(STATE));
    const lock = lockState(p.path(STATE), 'sums');
    expect((await p.call(['state', 'restore', 'sums', 'b.db'])).exit).toBe(21);
    lock.release();
    const spoilt = (name: string, spoil: (path: string) => void): string => { copyFileSync(p.path('b.db'), p.path(name)); spoil(p.path(name)); return name; };
    const patch = (at: number, bytes: readonly number[]) => (path: string): void => { const b = readFileSync(path); b.set(bytes, at); writeFileSync(path, b); };
    p.write('other.yaml', pipeline('other'));
    const cases: [string, string, number][] = [
      ['sums', spoilt('empty.db', path => { truncateSync(path, 0); }), 31],
      ['sums', spoilt('cut.db', path => { truncateSync(path, 9000); }), 31],
      ['sums', spoilt('short.db', path => { truncateSync(path, statSync(path).size - 16384); }), 31],
      ['sums', spoilt('page.db', patch(16384, Array.from({ length: 4096 }, () => 0xff))), 31],
      ['sums', spoilt('magic.db', patch(0, [0x51])), 31],
      ['sums', spoilt('app.db', patch(68, [1, 2, 3, 4])), 31],
      ['sums', spoilt('newer.db', patch(60, [0, 0, 1, 0])), 33],
      ['other', 'b.db', 31],
      ['sums', 'pipelines', 2], ['sums', 'nowhere', 2],
    ];
    for (const [name, file, exit] of cases) {
      const refused = await p.call(['state', 'restore', name, file]);
      expect([file, refused.exit]).toEqual([file, exit]);
      // the ways out of a damaged state are none here
      if (refused.problem?.code === 'system.state.corrupt') expect([file, refused.problem.hint]).toEqual([file, expect.stringContaining('give another backup')]);
    }
    const said = async (name: string, file: string): Promise<string> => { const { problem } = await p.call(['state', 'restore', name, file]); return `${problem?.message} (${problem?.hint})`; };
    expect(await said('sums', 'pipelines/sums.yaml')).toBe(`${p.path('pipelines/sums.yaml')} is no backup of pipe: it is no SQLite file (give another backup, a file that pipe state backup has made: nothing was changed)`);
    expect(await said('sums', 'cut.db')).toBe(`the backup ${p.path('cut.db')} is damaged: it has been cut (give another backup, a file that pipe state backup has made: nothing was changed)`);
    expect(await said('other', 'b.db')).toContain('(name that pipeline, or a backup of this one: pipe state backup other makes it)');
    expect(await said('sums', 'nowhere')).toBe('there is no backup at nowhere (pipe state backup makes one)');
    expect((await p.call(['state', 'restore', 'sums', 'b.db', '--log', 'kafka-1'])).exit).toBe(31);
    expect((await p.call(['state', 'restore', 'sums', 'b.db', '--with-topics'])).exit).toBe(2);
    expect(readFileSync(p.path(STATE)).equals(before)).toBe(true);
    expect(readdirSync(p.path('.pipe/state')).filter(f => /draft|before/.test(f))).toEqual([]);
  });

  it('never lets rows come twice, or vanish: a state or a log that is behind the other is refused', async () => {
    await ran();
    await p.ok(['state', 'backup', 'sums', 'old.db']);
    copyFileSync(p.path('.pipe/topics.db'), p.path('old-topics.db'));
    await p.ok(['state', 'backup', 'sums', 'whole', '--with-topics']);
    await p.send('s', lines(40, 80));
    await run();
    const refused = await p.call(['state', 'restore', 'sums', 'old.db']);
    expect([refused.exit, refused.problem?.message]).toEqual([32, expect.stringContaining('has been delivered')]);
    // by hand, past the command
    copyFileSync(p.path(STATE), p.path('new.db'));
    copyFileSync(p.path(STATE, '../sums@embedded.db.epoch'), p.path('new.epoch'));
    copyFileSync(p.path('old.db'), p.path(STATE));
    expect((await p.call(['run', 'sums', '--until-end'])).exit).toBe(32);
    writeFileSync(p.path(`${STATE}.epoch`), '');
    expect((await p.call(['run', 'sums', '--until-end'])).exit).toBe(32);
    // the other way round: newer state, older log
    copyFileSync(p.path('new.db'), p.path(STATE));
    const topics = readFileSync(p.path('.pipe/topics.db'));
    copyFileSync(p.path('old-topics.db'), p.path('.pipe/topics.db'));
    const lost = await p.call(['run', 'sums', '--until-end']);
    expect([lost.exit, lost.problem?.message]).toEqual([32, expect.stringContaining('the log is an older copy')]);
    writeFileSync(p.path('.pipe/topics.db'), topics);
    await run();
    // with its topics the backup is whole; the newer log stays aside
    expect((await p.call(['state', 'restore', 'sums', 'whole', '--with-topics'])).exit).toBe(2);
    const used = new LogDb(p.path('.pipe/topics.db'));
    const state = readFileSync(p.path(STATE));
    expect((await p.call(['state', 'restore', 'sums', 'whole', '--with-topics', '--force'])).exit).toBe(21);
    expect(readFileSync(p.path(STATE)).equals(state)).toBe(true);
    used.close();
    await p.ok(['state', 'restore', 'sums', 'whole', '--with-topics', '--force']);
    expect(existsSync(p.path('.pipe/topics.db.before-restore'))).toBe(true);
    await p.send('s', lines(40, 80));
    await run();
    await p.ok(['state', 'reset', 'sums', '--yes']);
    expect((await p.call(['state', 'restore', 'sums', 'old.db'])).exit).toBe(31);
  });

  it('while the pipeline takes records: restored elsewhere, each backup goes on to the same rows', async () => {
    const N = 20;
    const all = 3000;
    await p.ok(['topics', 'create', 's', '--partitions', '1', '--data-dir', 'whole']);
    await p.ok(['topics', 'send', 's', '--data-dir', 'whole'], { input: lines(0, all).map(l => `${l}\n`).join('') });
    await run('--data-dir', 'whole');
    const expected = await rows('--data-dir', 'whole');
    const letters = async (dir: string): Promise<unknown> => (await p.ok(['dlq', 'ls', 'sums', '--json', '--data-dir', dir])).json.map(l => [l['code'], l['offset']]);
    const kept = await letters('whole');
    expect(expected.length).toBeGreaterThan(500);

    await p.ok(['topics', 'create', 's', '--partitions', '1']);
    const stop = new AbortController();
    const running = p.call(['run', 'sums', '--follow', '--no-print'], { signal: stop.signal });
    const pause = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms));
    const epoch = (): number => p.sql(STATE, "SELECT value FROM meta WHERE key = 'epoch'").flat()[0] as number;
    let sent = 0;
    let sending = true;
    const load = (async (): Promise<void> => {
      for (; sent < all - 100 && sending; sent += 5) {
        await p.send('s', lines(sent, sent + 5));
        await pause(2);
      }
    })();
    try {
      const backups: { dir: string; epoch: number }[] = [];
      for (let i = 0; i < N; i++) {
        while (!existsSync(p.path(STATE)) || (epoch() <= (backups.at(-1)?.epoch ?? 0) && sent < all - 100)) await pause(1);
        const { json } = await p.ok(['state', 'backup', 'sums', `b${i}`, '--with-topics', '--json']);
        backups.push({ dir: `b${i}`, epoch: json[0]?.['epoch'] as number });
      }
      sending = false;
      await load;
      stop.abort();
      expect((await running).exit).toBe(0);
      expect(new Set(backups.map(b => b.epoch)).size).toBe(N);
      let restored = 0;
      for (const { dir } of backups) {
        const data = `at-${dir}`;
        await p.ok(['state', 'restore', 'sums', dir, '--with-topics', '--data-dir', data]);
        const topics = JSON.parse((await p.ok(['topics', 'ls', '--json', '--data-dir', data])).out) as { name: string; records: number }[];
        const had = topics.find(t => t.name === 's')?.records as number;
        expect(had).toBeLessThan(all);
        await p.ok(['topics', 'send', 's', '--data-dir', data], { input: lines(had, all).map(l => `${l}\n`).join('') });
        await run('--data-dir', data);
        expect(await rows('--data-dir', data)).toEqual(expected);
        expect(await letters(data)).toEqual(kept);
        restored++;
      }
      process.stdout.write(`restored=${restored}/${N}\n`);
    } finally {
      sending = false;
      stop.abort();
      await Promise.allSettled([load, running]);
    }
  }, 300_000);
});

describe('pipe state reset', () => {
  it('says what goes, wants a yes, and lets the next run start again', async () => {
    expect((await p.call(['state', 'reset', 'sums', '--yes'])).exit).toBe(2);
    await ran();
    const once = await rows();
    const asked = await p.call(['state', 'reset', 'sums']);
    expect([asked.exit, asked.problem?.hint]).toEqual([2, 'nothing was deleted']);
    expect(asked.err).toMatch(/^sums {2}would delete \.pipe\/state\/sums@embedded\.db \(.* KB, epoch \d+, \d+ dead letters?\); the next run reads s from the start and sends its rows to sums-out on the embedded log a second time\n$/);
    const lock = lockState(p.path(STATE), 'sums');
    const running = await p.call(['state', 'reset', 'sums', '--yes']);
    expect([running.exit, running.err]).toEqual([21, '']);
    // what would go is said also then
    expect((await p.ok(['state', 'reset', 'sums', '--dry-run', '--yes'])).err).toBe(asked.err);
    lock.release();
    expect((await p.ok(['state', 'reset', 'sums', '--dry-run', '--json'])).json).toEqual([{ v: 1, pipeline: 'sums', log: 'embedded', file: p.path(STATE), was_empty: false, dry_run: true }]);
    expect((await p.ok(['state', 'reset', 'sums', '--yes'])).err).toMatch(/^sums {2}deletes \.pipe.*\nsums {2}state deleted; the next run starts again\n$/);
    for (const flags of [['--dry-run'], [], ['--yes']]) expect((await p.ok(['state', 'reset', 'sums', ...flags])).err).toBe('sums  there is nothing to reset: the next run starts at the beginning as it is\n');
    await run();
    expect(await rows()).toEqual([...once, ...once].sort());
  });

  it('of a state that is damaged, too', async () => {
    await ran();
    truncateSync(p.path(STATE), 5000);
    expect((await p.call(['run', 'sums', '--until-end'])).exit).toBe(31);
    expect((await p.ok(['state', 'reset', 'sums', '--yes'])).err).toContain('cannot be read');
    await run();
  });
});
