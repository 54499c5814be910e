import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project, type Finished, type Running } from './project.ts';

// the built command (dist): what others see of a run, and how they end it
let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

type Line = Record<string, any>;
const jsonOf = (text: string): Line[] => text.split('\n').filter(l => l.startsWith('{')).map(l => JSON.parse(l) as Line);
const status = async (...args: string[]): Promise<Finished & { readonly jobs: Line[] }> => {
  const r = await p.run(['status', '--json', ...args]);
  return { ...r, jobs: jsonOf(r.out) };
};

/** Runs that follow and have read the sample; as told to the live files. */
async function follow(names: readonly string[], ...flags: string[]): Promise<Running> {
  const run = p.start(['run', ...names.map(n => `${n}.yaml`), '--follow', '--no-print', ...flags]);
  for (const end = performance.now() + 30_000; performance.now() < end; await new Promise(r => setTimeout(r, 50))) {
    const { jobs } = await status();
    if (names.every(n => jobs.some(j => j['pipeline'] === n && j['pid'] === run.child.pid && j['state'] === 'running' && j['run'].records_in === 1000))) return run;
  }
  throw new Error(`not running: ${run.err}`);
}

it('a run without a terminal says each ten seconds how it goes, in one line of JSON a job', async () => {
  const run = p.start(['run', 'balances.yaml', '--follow', '--no-print']);
  await run.until(r => r.err.includes('"msg":"progress"'), 20_000);
  const [line, ...more] = jsonOf(run.err);
  expect(more).toEqual([]);
  expect(line).toMatchObject({ v: 1, level: 30, msg: 'progress', pipeline: 'balances', state: 'running', records_in: 1000, lag: 0, late: 0, dead_letters: 0, away: false, last_problem: null });
  expect((line as Line)['keys']).toBeTypeOf('number');
  run.kill('SIGTERM');
  const { code, err } = await run.finished;
  expect([code, err]).toEqual([0, expect.stringMatching(/\nbalances {2}✓ 1,000 in · 639 out /)]);
});

it('--log-format json: each line of stderr has level, time and msg, also that of a failure', async () => {
  const logs = (err: string): Line[] => err.trimEnd().split('\n').map(l => JSON.parse(l) as Line);
  const before = Date.now();
  const good = await p.run(['run', 'balances.yaml', '--until-end', '--no-print', '--log-format', 'json']);
  const stopped = await p.run(['run', 'nowhere.yaml', '--log-format', 'json']);
  const away = await p.run(['run', 'balances.yaml', '--brokers', '127.0.0.1:1', '--connect-timeout', '1s', '--log-format', 'json']);
  for (const r of [good, stopped, away]) {
    for (const l of logs(r.err)) {
      expect([30, 40, 50]).toContain(l['level']);
      expect(l['msg']).toMatch(/\S/);
      expect(l['time']).toBeGreaterThanOrEqual(before);
      expect(l['time']).toBeLessThanOrEqual(Date.now());
    }
  }
  expect([good.code, good.out]).toEqual([0, '']);
  expect(logs(good.err).at(-1)).toMatchObject({ level: 30, msg: 'summary', pipeline: 'balances', records_in: 1000 });
  expect(logs(good.err)[0]).toMatchObject({ level: 30, msg: expect.stringMatching(/^balances {2}embedded log/) });
  expect([stopped.code, away.code]).toEqual([3, 10]);
  expect(logs(stopped.err).at(-1)).toMatchObject({ level: 50 });
  expect(logs(away.err).at(-1)).toMatchObject({ level: 50, code: 'system.source.unreachable' });
});

it('status: running, stopped and crashed', async () => {
  expect(await p.run(['status'])).toMatchObject({ code: 0, out: expect.stringMatching(/^no job has run on /) });
  const run = await follow(['balances', 'fraud']);
  const { jobs, code } = await status();
  expect(code).toBe(0);
  expect(jobs.map(j => [j['v'], j['pipeline'], j['state'], j['pid'], j['following'], j['lag'], j['restarts'], j['error']])).toEqual(
    ['balances', 'fraud'].map(n => [1, n, 'running', run.child.pid, true, 0, 0, null]));
  expect(jobs[1]).not.toHaveProperty('history');
  const words = await p.run(['status', 'fraud']);
  expect([words.code, words.err, words.lines.length]).toEqual([0, '', 3]);
  expect(words.lines[0]).toMatch(/^ JOB +STATE +IN\/s +OUT\/s +LAG +WATERMARK +KEYS +MEMORY +LATE +BAD$/);
  expect(words.lines[1]).toMatch(/^ fraud +● run +\d+ +\d+ +0 +2024-01-01 12:\d\d +\d+ +.* 0 +0$/);
  expect(words.lines[2]).toBe(`   fraud: process ${run.child.pid}, embedded log, following`);

  run.kill('SIGKILL');
  await run.finished;
  const gone = await status('fraud');
  expect([gone.code, gone.jobs.map(j => j['state'])]).toEqual([4, ['crashed']]);
  const crashed = await p.run(['status', 'fraud.yaml']);
  expect([crashed.code, crashed.lines[1]]).toEqual([4, expect.stringMatching(/^ fraud +✗ gone +0 +0 /)]);
  expect(crashed.lines[2]).toMatch(new RegExp(`^   fraud: its process ${run.child.pid} ended without a word, .* ago or later: the next run goes on from epoch \\d+, on embedded log$`));

  // the next run goes on from where status says, and the word about the crash is gone with it
  const next = await p.run(['run', 'fraud.yaml', '--until-end', '--no-print']);
  expect([next.code, next.err]).toEqual([0, expect.stringContaining(`goes on where it stopped (epoch ${/from epoch (\d+)/.exec(crashed.out)?.[1]})`)]);
  const after = await status();
  expect(after.jobs.map(j => [j['pipeline'], j['state'], j['restarts']])).toEqual([['balances', 'crashed', 0], ['fraud', 'done', 1]]);
  expect(after.code).toBe(0);
  const done = await p.run(['status', 'fraud']);
  expect([done.code, done.lines[1], done.lines[2]]).toEqual([4, expect.stringMatching(/^ fraud +✓ done /), expect.stringMatching(/^   fraud: ended .* ago, on embedded log$/)]);
  const typo = await p.run(['status', 'frau']);
  expect([typo.code, typo.out]).toEqual([2, '']);
  expect(typo.err).toMatch(/^error\[user\.usage\.bad_value\]: no job "frau" has run on .*\n {2}hint: did you mean "fraud"\?\n$/);
});

it('status of a run that was cut before its end says so: by a reader that went away, following or not', async () => {
  p.write('pass.yaml', 'name: pass\nsources:\n  notes:\n    schema: n BIGINT\nsinks:\n  out:\n    sql: SELECT n FROM notes\n');
  const lines = Array.from({ length: 600_000 }, (_, i) => `{"n":${i}}\n`).join('');
  expect((await p.run(['topics', 'send', 'notes'], { input: lines })).code).toBe(0);
  const state = async (): Promise<unknown[]> => (await status('pass')).jobs.map(j => j['state']);
  const cut = async (...flags: string[]): Promise<Finished> => {
    const run = p.start(['run', 'pass.yaml', ...flags]);
    run.child.stdout?.once('data', () => run.child.stdout?.destroy());
    return run.finished;
  };
  const first = await cut('--until-end');
  expect([first.code, first.err]).toEqual([0, expect.stringMatching(/\npass {2}■ stopped before the end: /)]);
  expect(await state()).toEqual(['stopped']);
  const { code, lines: [, job, note] } = await p.run(['status', 'pass']);
  expect([code, job, note]).toEqual([4, expect.stringMatching(/^ pass +■ stop /), expect.stringMatching(/^   pass: stopped before its end .* ago: the next run goes on from epoch \d+, on embedded log$/)]);
  const second = await cut('--follow');
  expect([second.code, second.err]).toEqual([0, expect.stringMatching(/\npass {2}■ stopped before the end: /)]);
  expect(await state()).toEqual(['stopped']);
  // what is left is read by a run that has its reader
  expect((await p.run(['run', 'pass.yaml', '--until-end'])).code).toBe(0);
  expect(await state()).toEqual(['done']);
  const all = await p.run(['topics', 'tail', 'out', '--from-beginning', '--until-end']);
  expect(new Set(all.lines).size).toBe(600_000);
  expect(all.lines).toHaveLength(600_000);
});

it('status says what made a run fail', async () => {
  p.write('stops.yaml', 'name: stops\nsources:\n  numbers:\n    schema: n INT\n    on_error: stop\nsinks:\n  out:\n    sql: SELECT n FROM numbers\n');
  expect((await p.run(['topics', 'send', 'numbers'], { input: '{"n":1}\n{"n":"many"}\n' })).code).toBe(0);
  const failed = await p.run(['run', 'stops.yaml', '--until-end', '--no-print']);
  expect(failed.code).toBe(13);
  const { jobs } = await status('stops');
  expect(jobs.map(j => [j['state'], j['error'].code])).toEqual([['failed', /error\[([\w.]+)\]/.exec(failed.err)?.[1]]]);
  const { code, out } = await p.run(['status', 'stops']);
  expect([code, out]).toEqual([4, expect.stringMatching(/^ stops +✗ fail [^]* ▲ stops: \S/m)]);
  // its name once
  expect(out.split('\n').find(l => l.startsWith(' ▲'))).toBe(' ▲ stops: n: "many" is not INT at numbers/0 offset 1'.replace('numbers/0 offset 1', /numbers\/\d offset \d/.exec(out)?.[0] ?? ''));
});

it('stop drains a run: it ends with 0 and its summary, and so does stop', async () => {
  const run = await follow(['balances']);
  const stopped = await p.run(['stop', 'balances']);
  expect([stopped.code, stopped.out, stopped.err]).toEqual([0, '', 'balances  stopped\n']);
  const { code, signal, err } = await run.finished;
  expect([code, signal, err]).toEqual([0, null, expect.stringMatching(/\nbalances {2}✓ 1,000 in · 639 out · 0 late · 0 bad records · /)]);
  expect((await status()).jobs.map(j => j['state'])).toEqual(['done']);

  const again = await p.run(['stop', 'balances']);
  expect([again.code, again.out, again.err]).toEqual([0, '', 'balances  does not run\n']);
  const none = await p.run(['stop', '--all']);
  expect([none.code, none.err]).toEqual([0, 'nothing runs\n']);
  expect((await p.run(['stop', '--json', 'balances'])).out).toMatch(/^\{"v":1,"pipeline":"balances","log":"[^"]+","stopped":false\}\n$/);
});

it('stop of one job names those that end with it; --all ends all processes; --quiet says nothing', async () => {
  const both = await follow(['balances', 'fraud']);
  p.write('third.yaml', readFileSync(join(p.dir, 'pipelines/fraud.yaml'), 'utf8').replace('name: fraud', 'name: third').replace('  fraud-alerts:', '  third-alerts:').replace(/\ntests:[\s\S]*$/, '\n'));
  const third = await follow(['third']);
  const one = await p.run(['stop', 'fraud.yaml']);
  expect([one.code, one.err]).toEqual([0, `fraud  ends with balances: they run in one process (${both.child.pid})\nfraud  stopped\n`]);
  expect((await both.finished).code).toBe(0);
  expect((await status('third')).code).toBe(0);

  const anew = await follow(['balances'], '--reset-state');
  const all = await p.run(['stop', '--all', '--quiet']);
  expect([all.code, all.out, all.err]).toEqual([0, '', '']);
  expect([(await third.finished).code, (await anew.finished).code]).toEqual([0, 0]);
});

it('stop refuses a command line that does not say what to stop', async () => {
  await p.run(['run', 'balances.yaml', '--until-end', '--no-print']);
  const codes: unknown[] = [];
  for (const args of [[], ['balances', '--all'], ['unheard-of'], ['balances', '--timeout', 'soon']]) {
    const r = await p.run(['stop', ...args]);
    codes.push([r.code, /error\[([\w.]+)\]/.exec(r.err)?.[1]]);
  }
  expect(codes).toEqual([[2, 'user.usage.missing_argument'], [2, 'user.usage.bad_value'], [2, 'user.usage.bad_value'], [2, 'user.usage.bad_value']]);
});

it('stop says so when a drain takes longer than it waits, and --now ends the run at once', async () => {
  p.write('big.yaml', 'name: big\nsources:\n  events:\n    schema: id STRING\nsinks:\n  out:\n    sql: SELECT id, id AS a, id AS b FROM events\n');
  await p.run(['topics', 'send', 'events'], { input: Array.from({ length: 50_000 }, (_, i) => `{"id":"number ${i}"}\n`).join('') });
  /** Nobody reads stdout: rows cannot leave, and the drain waits for them. */
  const stuck = async (): Promise<Running> => {
    const run = p.start(['run', 'big.yaml', '--follow', '--print', '--reset-state']);
    run.child.stdout?.pause();
    await run.until('following');
    for (const end = performance.now() + 20_000; performance.now() < end && (await status()).jobs[0]?.['pid'] !== run.child.pid;) await new Promise(r => setTimeout(r, 50));
    await new Promise(r => setTimeout(r, 1000));
    return run;
  };
  const end = async (run: Running): Promise<number | null> => {
    run.child.stdout?.resume();
    return (await run.finished).code;
  };
  const drains = await stuck();
  const slow = await p.run(['stop', 'big', '--timeout', '1s']);
  expect([slow.code, slow.err]).toEqual([23, 'error[system.run.drain_deadline]: big still drains after 1 s\n  hint: wait longer with --timeout, or --now: nothing is lost\n']);
  expect((await status('big')).jobs[0]?.['state']).toBe('draining');
  for (const made of [() => Promise.resolve(drains), stuck, stuck]) {
    const run = await made();
    const now = await p.run(['stop', 'big', '--now', '--timeout', '5s']);
    expect([now.code, now.err]).toEqual([0, 'big  stopped\n']);
    expect(await end(run)).toBe(143);
  }
});

it('explain --live shows rows, selectivity and busy share of each part of the job, and says when it does not run', async () => {
  const never = await p.run(['explain', 'fraud.yaml', '--live']);
  expect([never.code, never.out]).toEqual([2, '']);
  expect(never.err).toMatch(/^error\[user\.usage\.bad_value\]: pipeline "fraud" has not run on the data folder .*\n {2}hint: start it: pipe run pipelines\/fraud\.yaml --follow\n$/);

  const run = await follow(['fraud']);
  const live = await p.run(['explain', 'fraud.yaml', '--live']);
  expect([live.code, live.err]).toEqual([0, '']);
  const part = (head: RegExp): string => live.lines.slice(live.lines.findIndex(l => head.test(l))).find(l => l.includes('▸')) as string;
  expect(live.lines[1]).toMatch(/^▸ running on embedded log · epoch \d+ · since /);
  expect(part(/^SOURCE transactions/)).toMatch(/^ {2}▸ [\d,]+ records\/s · 1,000 read · lag 0 · watermark 2024-01-01 12:\d\d:\d\d · busy [\d.]+ %$/);
  expect(part(/^① AGGREGATE/)).toMatch(/^ +▸ [\d,]+ rows\/s in, [\d,]+ out · 1,000 in, [\d,]+ out \([\d.]+ %\) · busy [\d.]+ % · \d+ keys, .* · \d open windows?$/);
  expect(part(/^② SELECT/)).toMatch(/^ +▸ [\d,]+ rows\/s in, [01] out · [\d,]+ in, 1 out \([\d.]+ %\) · busy [\d.]+ %$/);
  expect(part(/^SINK fraud-alerts/)).toMatch(/^ {2}▸ [\d,]+ rows\/s · 1 written · \d+ B · busy [\d.]+ %$/);
  // without those lines it is what explain says
  expect(live.lines.filter(l => !/^ *▸/.test(l))).toEqual((await p.run(['explain', 'fraud.yaml'])).lines);

  const json = JSON.parse((await p.run(['explain', 'fraud.yaml', '--live', '--format', 'json'])).out) as Line;
  expect(json['live'].operators.map((o: Line) => o['id'])).toEqual(json['operators'].map((o: Line) => o['id']));
  expect(json['live']).toMatchObject({ pipeline: 'fraud', state: 'running', pid: run.child.pid, run: { records_in: 1000, rows_out: 1 } });

  run.kill('SIGTERM');
  await run.finished;
  expect((await p.run(['explain', 'fraud.yaml', '--live'])).lines[1]).toMatch(/^▸ done on embedded log · epoch \d+ · since .* · ended .* ago$/);
  // an edit since: operators of the file that the job does not have
  p.write('fraud.yaml', readFileSync(join(p.dir, 'pipelines/fraud.yaml'), 'utf8').replace(/\ntests:[\s\S]*$/, '\n').replace('  fraud-alerts:', '  fraud-warnings:'));
  expect((await p.run(['explain', 'fraud.yaml', '--live'])).lines[1]).toContain('it runs an older version of this file');
});
