import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const tail = async (topic: string): Promise<string[]> => [...(await p.run(['topics', 'tail', topic, '--from-beginning', '--until-end'])).lines].sort();
const letters = async (): Promise<unknown[]> => (await p.run(['dlq', 'ls', 'counts', '--json'])).lines.map(l => (JSON.parse(l) as { value: string }).value).sort();

/** One pipeline whose dead letters are the values that are no INT, and a control that reads the same topic. */
function write(type: string): void {
  p.write('counts.yaml', `name: counts\nsources:\n  s: {schema: "v ${type}"}\nsinks:\n  out: {sql: SELECT v FROM s}\n`);
}

it.each(['replay.noted', 'replay.sent'])('a replay that is killed at %s sends each record once, whoever goes on', async point => {
  write('INT');
  await p.run(['topics', 'create', 's', '--partitions', '2']);
  await p.run(['topics', 'send', 's'], { input: '{"v":1}\n{"v":"a"}\n{"v":"b"}\n' });
  expect((await p.run(['run', 'counts'])).code).toBe(0);
  const killed = await p.run(['dlq', 'replay', 'counts', '--all'], { env: { PIPE_FAILPOINT: point } });
  expect(killed.signal).toBe('SIGKILL');
  const sent = point === 'replay.sent';
  expect(await tail('s')).toEqual(['{"v":"a"}', ...(sent ? ['{"v":"a"}'] : []), '{"v":"b"}', ...(sent ? ['{"v":"b"}'] : []), '{"v":1}']);
  // nobody knows yet, so nothing may be dropped
  const drop = await p.run(['dlq', 'drop', 'counts', '--all']);
  expect([drop.code, drop.err]).toEqual([21, expect.stringContaining('it is not known yet whether it arrived')]);
  write('STRING');
  const run = await p.run(['run', 'counts', '--json']);
  expect([run.code, [...run.lines].sort()]).toEqual([0, sent ? ['{"v":"a"}', '{"v":"b"}'] : []]);
  expect(await letters()).toEqual(sent ? [] : ['{"v":"a"}', '{"v":"b"}']);
  expect((await p.run(['dlq', 'replay', 'counts', '--all'])).code).toBe(0);
  await p.run(['run', 'counts']);
  expect(await letters()).toEqual([]);
  expect(await tail('s')).toEqual(['{"v":"a"}', '{"v":"a"}', '{"v":"b"}', '{"v":"b"}', '{"v":1}']);
  expect(await tail('out')).toEqual(['{"v":"a"}', '{"v":"b"}', '{"v":1}']);
});

it('while a pipeline runs its dead letters are listed and its state is copied, but nothing is replayed, dropped, restored or reset', async () => {
  write('INT');
  await p.run(['topics', 'create', 's', '--partitions', '1']);
  await p.run(['topics', 'send', 's'], { input: '{"v":"a"}\n' });
  const running = p.start(['run', 'counts', '--follow']);
  await running.until(() => true);
  for (let n = 0; n < 100 && (await letters().catch(() => [])).length === 0; n++);
  expect(await letters()).toEqual(['{"v":"a"}']);
  expect((await p.run(['dlq', 'show', 'counts', '1', '--raw'])).out).toBe('{"v":"a"}');
  expect((await p.run(['state', 'backup', 'counts', 'b.db'])).code).toBe(0);
  for (const args of [['dlq', 'replay', 'counts', '--all'], ['dlq', 'drop', 'counts', '--all'], ['state', 'restore', 'counts', 'b.db'], ['state', 'reset', 'counts', '--yes']]) {
    const r = await p.run(args);
    expect([args, r.code]).toEqual([args, 21]);
    expect(r.err).toContain('is running already');
  }
  running.kill('SIGTERM');
  expect((await running.finished).code).toBe(0);
  expect(await letters()).toEqual(['{"v":"a"}']);
});
