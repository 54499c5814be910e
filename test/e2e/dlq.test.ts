import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PipeProject } from '../cli/pipe.ts';
import { main, Project } from './project.ts';

let p: Project;
/** The same project, with commands called in this process. */
let here: PipeProject;
beforeEach(() => { p = new Project(); here = new PipeProject(p.dir); });
afterEach(() => { p.remove(); });

const values = async (topic: string): Promise<unknown[]> => (await here.records(topic)).map(r => r['value']).sort();
const letters = async (): Promise<unknown[]> => (await here.ok(['dlq', 'ls', 'counts', '--json'])).json.map(l => l['value']).sort();
const run = (): ReturnType<PipeProject['ok']> => here.ok(['run', 'counts', '--until-end', '--no-print']);

/** One pipeline whose dead letters are the values that are no INT. */
function write(type: string): void {
  p.write('counts.yaml', `name: counts\nsources:\n  s: {schema: "v ${type}"}\nsinks:\n  out: {sql: SELECT v FROM s}\n`);
}

it.each(['replay.noted', 'replay.sent'])('a replay that is killed at %s sends each record once, whoever goes on', async point => {
  write('INT');
  await here.ok(['topics', 'create', 's', '--partitions', '2']);
  await here.send('s', ['{"v":1}', '{"v":"a"}', '{"v":"b"}']);
  await run();
  const killed = await p.run(['dlq', 'replay', 'counts', '--all'], { env: { PIPE_FAILPOINT: point } });
  expect([killed.signal, killed.err]).toEqual(['SIGKILL', '']);
  const sent = point === 'replay.sent';
  expect(await values('s')).toEqual(['{"v":"a"}', ...(sent ? ['{"v":"a"}'] : []), '{"v":"b"}', ...(sent ? ['{"v":"b"}'] : []), '{"v":1}']);
  // nobody knows yet, so nothing may be dropped
  const drop = await here.call(['dlq', 'drop', 'counts', '--all']);
  expect([drop.exit, drop.problem?.message]).toEqual([21, expect.stringContaining('it is not known yet whether it arrived')]);
  write('STRING');
  await run();
  expect(await letters()).toEqual(sent ? [] : ['{"v":"a"}', '{"v":"b"}']);
  await here.ok(['dlq', 'replay', 'counts', '--all']);
  await run();
  expect(await letters()).toEqual([]);
  expect(await values('s')).toEqual(['{"v":"a"}', '{"v":"a"}', '{"v":"b"}', '{"v":"b"}', '{"v":1}']);
  expect(await values('out')).toEqual(['{"v":"a"}', '{"v":"b"}', '{"v":1}']);
});

it('while a pipeline runs its dead letters are listed and its state is copied, but nothing is replayed, dropped, restored or reset', async () => {
  write('INT');
  await here.ok(['topics', 'create', 's', '--partitions', '1']);
  await here.send('s', ['{"v":"a"}']);
  await run();
  await here.send('s', ['{"v":"b"}']);
  const running = p.start(['run', 'counts', '--follow']);
  await running.until('following');
  while ((await letters()).length < 2 && running.child.exitCode === null) await new Promise(done => setTimeout(done, 20));
  expect(await letters()).toEqual(['{"v":"a"}', '{"v":"b"}']);
  expect((await here.ok(['dlq', 'show', 'counts', '1', '--raw'])).out).toBe('{"v":"a"}');
  await here.ok(['state', 'backup', 'counts', 'b.db']);
  for (const args of [['dlq', 'replay', 'counts', '--all'], ['dlq', 'drop', 'counts', '--all'], ['state', 'restore', 'counts', 'b.db'], ['state', 'reset', 'counts', '--yes']]) {
    const r = await here.call(args);
    expect([args, r.exit, r.problem?.message]).toEqual([args, 21, expect.stringContaining(`is running already (process ${running.child.pid})`)]);
  }
  running.kill('SIGTERM');
  expect((await running.finished).code).toBe(0);
  expect(await letters()).toEqual(['{"v":"a"}', '{"v":"b"}']);
});

it('the last line of a run asks for the file of a pipeline that came from a pipe, and dlq says that its file is not there', async () => {
  const text = 'name: piped\nsources:\n  s: {schema: "v INT"}\nsinks:\n  out: {sql: SELECT v FROM s}\n';
  await here.send('s', ['nope']);
  const shell = (line: string): [number | null, string] => {
    const { status, stderr } = spawnSync('bash', ['-c', line, process.execPath, main], { cwd: p.dir, encoding: 'utf8', env: { ...process.env, PIPE_BROKERS: 'none', NO_COLOR: '1', TEXT: text } });
    return [status, stderr];
  };
  expect(shell('"$0" "$1" run <(printf %s "$TEXT") --until-end --no-print')).toEqual([0, expect.stringMatching(/ 1 bad record · [\d.]+ s · pipe dlq ls - < FILE\n$/)]);
  // whatever this process has there
  expect(shell('"$0" "$1" dlq ls piped')).toEqual([3, expect.stringMatching(/^error\[user\.config\.file_missing\]: pipeline "piped" has run here, and it came from \/\S+, which gives it only once\n {2}hint: give the file that holds it, or - with its text on stdin; /)]);
  expect(shell('"$0" "$1" dlq ls <(printf %s "$TEXT")')).toEqual([0, '1 dead letter; pipe dlq show - < FILE ID shows all of one\n']);
  for (const command of ['show - 99', 'drop - --id 99 --dry-run', 'replay - --id 99 --dry-run']) expect(shell(`printf %s "$TEXT" | "$0" "$1" dlq ${command}`)).toEqual([2, expect.stringContaining('hint: pipe dlq ls - < FILE --limit 20 lists them')]);
  p.write('piped.yaml', text);
  expect(shell('"$0" "$1" dlq ls piped')[0]).toBe(0);
  expect(shell('"$0" "$1" run piped --until-end --no-print')).toEqual([0, expect.stringMatching(/ 0 bad records · [\d.]+ s\n$/)]);
  // with the flags that say where
  expect(shell('"$0" "$1" run piped.yaml --until-end --no-print --reset-state --brokers none')).toEqual([0, expect.stringMatching(/ 1 bad record · [\d.]+ s · pipe dlq ls pipelines\/piped\.yaml --brokers none\n$/)]);
});
