import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../unique.ts';
import { Project, main } from './project.ts';

/** host:port of the Kafka broker of this run, or null. */
const brokers = inject('brokers');

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

/** Exit code and stderr; stdout must be empty. */
async function failed(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ code: number | null; err: string }> {
  const { code, out, err } = await p.run(args, { env });
  expect(out).toBe('');
  expect(err).not.toMatch(/\n\s+at .*:\d+:\d+/);
  return { code, err };
}

it('an aggregate without a window is refused when following', async () => {
  p.write('totals.yaml', 'name: totals\nsources:\n  transactions:\n    schema: account STRING, amount DECIMAL(12,2)\nsinks:\n  totals:\n    sql: SELECT account, SUM(amount) AS total FROM transactions GROUP BY account\n');
  expect(await failed(['run', 'totals.yaml', '--follow'])).toEqual({
    code: 3,
    err: `pipelines/totals.yaml:7:10 error[user.sql.unbounded_aggregate]: this aggregate has no window, so while following it is never final
      6 |   totals:
  >   7 |     sql: SELECT account, SUM(amount) AS total FROM transactions GROUP BY account
        |          ${'^'.repeat('SELECT account, SUM(amount) AS total FROM transactions GROUP BY account'.length)}
  hint: add a window such as GROUP BY .., TUMBLE(ts, INTERVAL '1' MINUTE), or run it with --until-end
`,
  });
});

it('a broker that is away is tried, then said with what was tried', async () => {
  const { code, err } = await failed(['run', 'balances.yaml', '--connect-timeout', '1s'], { PIPE_BROKERS: 'localhost:1' });
  expect(code).toBe(10);
  expect(err.replace(/tried \d+ times/, 'tried n times').replace(/127\.0\.0\.1|::1/, 'ADDRESS')).toBe(`error[system.source.unreachable]: no Kafka broker answers at localhost:1 (tried n times in 1 s): ADDRESS: connection refused
  hint: start one, set --brokers or PIPE_BROKERS, or go without a broker: --brokers none
`);
});

it('a file that is missing', async () => {
  expect(await failed(['run', 'balance.yaml'])).toEqual({ code: 3, err: `error[user.config.file_missing]: there is no pipeline "balance.yaml"; looked for balance.yaml, pipelines/balance.yaml
  hint: did you mean "balances.yaml"?
` });
});

it('a sample that is missing, where it is needed', async () => {
  p.write('gone.yaml', 'name: gone\nsources:\n  t:\n    schema: a STRING\n    sample: data/gone.jsonl\nsinks:\n  o:\n    sql: SELECT a FROM t\n');
  const { code, err } = await failed(['run', 'gone.yaml', '--quiet']);
  expect([code, err]).toEqual([3, `pipelines/gone.yaml:5:13 error[user.config.path]: topic "t" does not exist, and the sample that would fill it is not there
      4 |     schema: a STRING
  >   5 |     sample: data/gone.jsonl
        |             ^^^^^^^^^^^^^^^ no such file
      6 | sinks:
  hint: the path is relative to this file; without a sample: pipe topics create t --partitions 3
`]);
  expect((await failed(['validate'])).code).toBe(2);
  expect(await failed(['schema', 'extra'])).toEqual({ code: 2, err: 'error[user.usage.bad_value]: pipe schema takes no argument, not "extra"\n  hint: see: pipe schema --help\n' });
});

it('--from with saved state', async () => {
  await p.run(['run', 'fraud.yaml', '--no-print']);
  expect(await failed(['run', 'fraud.yaml', '--from', 'latest'])).toEqual({ code: 2, err: `error[system.state.not_fresh]: pipeline "fraud" goes on from its saved state, so --from does not apply
  hint: add --reset-state to start again: rows are sent a second time
` });
});

it('a topic that is missing', async () => {
  expect(await failed(['topics', 'tail', 'nope'])).toEqual({ code: 11, err: `error[system.source.topic_missing]: topic "nope" does not exist on the embedded log (no broker set)
  hint: create it: pipe topics create nope --partitions 3
` });
});

it('a broker that takes connections and never answers: the time-out holds, and so does the first signal', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>(ready => silent.listen(0, '127.0.0.1', ready));
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const { code, err } = await failed(['run', 'balances.yaml', '--connect-timeout', '1s'], { PIPE_BROKERS: address });
  expect([code, err.split('\n')[0]]).toEqual([10, `error[system.source.unreachable]: no Kafka broker answers at ${address} (tried once in 1 s): 127.0.0.1: no answer`]);
  const waiting = p.start(['run', 'balances.yaml'], { env: { PIPE_BROKERS: address } });
  await new Promise(r => setTimeout(r, 1000));
  waiting.kill('SIGTERM');
  expect((await waiting.finished).code).toBe(0);
  silent.close();
});

it('a data folder that cannot be written', async () => {
  p.write('file', '');
  const { code, err } = await failed(['run', 'balances.yaml', '--data-dir', 'pipelines/file']);
  expect([code, err]).toEqual([30, expect.stringMatching(/^error\[system\.resource\.disk\]: the state folder .*pipelines\/file\/state cannot be written: ENOTDIR/)]);
  p.write('settings.yaml', 'name: elsewhere\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: SELECT a FROM t\nsettings: {state: file/x}\n');
  const state = await failed(['run', 'settings.yaml']);
  expect([state.code, state.err]).toEqual([30, expect.stringMatching(/^error\[system\.resource\.disk\]: the state folder .* cannot be written: /)]);
});

it.skipIf(!existsSync('/dev/full'))('a stdout that takes nothing more', () => {
  const r = spawnSync('bash', ['-c', `"${process.execPath}" "${main}" run balances.yaml > /dev/full`], { cwd: p.dir, encoding: 'utf8', env: { ...process.env, PIPE_BROKERS: '' } });
  expect([r.status, r.stderr.trim().split('\n').at(-1)]).toEqual([30, 'error[system.resource.disk]: stdout cannot be written: ENOSPC: no space left on device, write']);
});

it('a column that a window would hide', async () => {
  p.write('clash.yaml', `name: clash
sources:
  t:
    schema: k STRING, window_start BIGINT, at BIGINT
    event_time: {from: at, unit: ms}
sinks:
  o:
    sql: |
      SELECT k, MAX(window_start) AS m
      FROM t
      GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
`);
  const { code, err } = await failed(['run', 'clash.yaml']);
  expect([code, err.split('\n')[0], err.trim().split('\n').at(-1)]).toEqual([
    3, 'pipelines/clash.yaml:11:26 error[user.sql.window]: TUMBLE adds a column "window_start", and its input has one of that name',
    '  hint: select it under another name first: FROM (SELECT window_start AS old_window_start, ..)',
  ]);
});

it('an edit that changes what open windows mean: only what differs', async () => {
  const run = p.start(['run', 'fraud.yaml', '--follow', '--no-print']);
  await run.until('made with');
  await new Promise(r => setTimeout(r, 1000));
  run.kill('SIGINT');
  expect((await run.finished).code).toBe(0);
  const text = readFileSync(join(p.dir, 'pipelines/fraud.yaml'), 'utf8');
  p.write('fraud.yaml', text.replace("INTERVAL '1' MINUTE", "INTERVAL '2' MINUTE").replace(/\ntests:[^]*$/, '\n'));
  const { code, err } = await failed(['run', 'fraud.yaml']);
  expect([code, err.slice(err.indexOf('error['))]).toEqual([33, `error[system.state.incompatible]: the saved state of "fraud-alerts" holds open groups of other SQL
    saved: TUMBLE 1 min on EVENT_TIME(timestamp in s)
    now:   TUMBLE 2 min on EVENT_TIME(timestamp in s)
  hint: put it back as it was; or build what changed again from its topics with --backfill; or start all of it again with --reset-state, which sends rows a second time
`]);
});

it('steps in a circle are one problem', async () => {
  p.write('circle.yaml', 'name: circle\nsources:\n  t:\n    schema: a STRING\nsteps:\n  p: SELECT a FROM q\n  q: SELECT a FROM p\nsinks:\n  o:\n    sql: SELECT a FROM p\n');
  const { code, err } = await failed(['run', 'circle.yaml']);
  expect([code, err.match(/error\[/g)?.length]).toEqual([3, 1]);
  expect(err).toContain('error[user.sql.unknown_table]: step "q" reads itself through "p"');
});

it('--json gives the same problem as one object a line', async () => {
  const { code, err } = await failed(['run', 'nope', '--json']);
  expect([code, JSON.parse(err)]).toEqual([3, { code: 'user.config.file_missing', severity: 'error', file: null, line: null, col: null, endCol: null, message: 'there is no pipeline "nope"; looked for nope, pipelines/nope, pipelines/nope.yaml', hint: 'pipelines here: balances, fraud' }]);
});

describe.skipIf(brokers === null)('on Kafka', () => {
  it('a setting that the broker does not know is a matter of the command line, as on the embedded log', async () => {
    const args = ['topics', 'create', unique('set'), '--config', 'foo.bar=1'];
    const { code, err } = await failed(args, { PIPE_BROKERS: brokers as string });
    expect([code, err]).toEqual([2, expect.stringMatching(/^error\[user\.usage\.bad_value\]: the broker refused to create topic/)]);
    expect((await failed(args)).code).toBe(2);
  });

  it('a topic that is missing and that the file does not create: close names and the line to paste', async () => {
    const name = unique('missing');
    const env = { PIPE_BROKERS: brokers as string };
    await p.run(['topics', 'create', `${name}-events`, '--partitions', '2'], { env });
    p.write(`${name}.yaml`, `name: ${name}\nsources:\n  events:\n    topic: ${name}-event\n    schema: account STRING\nsinks:\n  out:\n    topic: ${name}-out\n    sql: SELECT account FROM events\n`);
    const { code, err } = await failed(['run', `${name}.yaml`], env);
    expect([code, err]).toEqual([11, `pipelines/${name}.yaml:4:12 error[system.source.topic_missing]: topic "${name}-event" does not exist on Kafka at ${brokers}
      3 |   events:
  >   4 |     topic: ${name}-event
        |            ${'^'.repeat(name.length + 6)} did you mean "${name}-events" (2 partitions, 0 records)?
      5 |     schema: account STRING
  hint: create it: pipe topics create ${name}-event --partitions 3, or say create: {partitions: 3} in the file

pipelines/${name}.yaml:8:12 error[system.sink.topic_missing]: topic "${name}-out" does not exist on Kafka at ${brokers}
      7 |   out:
  >   8 |     topic: ${name}-out
        |            ${'^'.repeat(name.length + 4)} did you mean "${name}-events" (2 partitions, 0 records)?
      9 |     sql: SELECT account FROM events
  hint: create it: pipe topics create ${name}-out --partitions 3, or say create: {partitions: 3} in the file
`]);
  });
});
