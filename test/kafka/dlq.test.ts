import { afterEach, beforeEach, expect, it } from 'vitest';
import { PipeProject } from '../cli/pipe.ts';
import { brokers, createTopic, describeKafka, hasKcat, kcatRead, kcat, unique, withAdmin } from './support.ts';
import { Project } from '../e2e/project.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => { p.remove(); });

const on = (): string[] => ['--brokers', brokers as string];
const yaml = (name: string, topic: string, type: string, onError = ''): string =>
  `name: ${name}\nsources:\n  s: {topic: ${topic}, schema: "v ${type}"${onError}}\nsinks:\n  out: {topic: ${topic}-out, create: {partitions: 1}, sql: SELECT v FROM s}\n`;

describeKafka('pipe dlq on Kafka', () => {
  it.skipIf(!hasKcat())('sends records again in a transaction, with their key, partition and timestamp', async () => {
    const topic = await createTopic('dlq', 2);
    const name = unique('dlq');
    p.write('p.yaml', yaml(name, topic, 'INT'));
    await p.send(topic, ['{"v":1}', '{"v":"a"}', 'nope'], '--key', 'k', ...on());
    await p.ok(['run', 'p', '--until-end', ...on()]);
    const before = kcatRead(topic, 0, 'beginning', '%p %k %s %T\n').concat(kcatRead(topic, 1, 'beginning', '%p %k %s %T\n'));
    expect((await p.ok(['dlq', 'ls', 'p', '--json', ...on()])).json.map(l => [l['code'], l['value']])).toEqual([['user.data.type', '{"v":"a"}'], ['user.data.decode', 'nope']]);
    expect((await p.ok(['dlq', 'show', 'p', '1', ...on()])).out).toContain('v: "a" is not INT');
    await p.ok(['dlq', 'replay', 'p', '--code', 'user.data.type', ...on()]);
    const after = kcatRead(topic, 0, 'beginning', '%p %k %s %T\n').concat(kcatRead(topic, 1, 'beginning', '%p %k %s %T\n'));
    const sent = before.find(l => l.includes('"a"')) as string;
    expect(after.sort()).toEqual([...before, sent].sort());
    p.write('p.yaml', yaml(name, topic, 'STRING'));
    await p.ok(['run', 'p', '--until-end', ...on()]);
    expect(kcatRead(`${topic}-out`, 0, 'beginning', '%s\n').sort()).toEqual(['{"v":"a"}', '{"v":1}']);
    expect((await p.ok(['dlq', 'drop', 'p', '--all', '--json', ...on()])).json).toMatchObject([{ dropped: 1 }]);
  });

  it.skipIf(!hasKcat())('reads and replays a topic of dead letters, and asks for no group of its own', async () => {
    const topic = await createTopic('dlq', 1);
    const bad = await createTopic('bad', 1);
    const name = unique('dlq');
    p.write('p.yaml', yaml(name, topic, 'INT', `, on_error: {topic: ${bad}}`));
    kcat(['-P', '-t', topic, '-k', 'k\u001b[31m'], '{"v":"a"}\n\u001b[2Jnope\n{"v":1}\n');
    await p.ok(['run', 'p', '--until-end', ...on()]);
    const ls = await p.ok(['dlq', 'ls', 'p', '--limit', '5', ...on()]);
    expect(ls.out).toMatch(/1 {2}user\.data\.decode {2}s /);
    expect(ls.out).not.toContain('\u001b');
    const { json } = await p.ok(['dlq', 'ls', 'p', '--json', ...on()]);
    expect(json.map(l => [l['topic'], l['partition'], l['offset'], l['key'], l['value'], l['source']])).toEqual([
      [topic, 0, 0, 'k\u001b[31m', '{"v":"a"}', 's'], [topic, 0, 1, 'k\u001b[31m', '\u001b[2Jnope', 's'],
    ]);
    await p.ok(['dlq', 'replay', 'p', '--id', `${topic}-0-0`, ...on()]);
    expect(kcatRead(topic, 0, 'beginning', '%s\n')).toEqual(['{"v":"a"}', '\u001b[2Jnope', '{"v":1}', '{"v":"a"}']);
    expect((await p.ok(['dlq', 'ls', 'p', '--json', ...on()])).json.map(l => l['offset'])).toEqual([1]);
    expect((await p.call(['dlq', 'replay', 'p', '--id', `${topic}-0-0`, ...on()])).exit).toBe(2);
    const groups = await withAdmin(async admin => (await admin.listGroups()).groups.map(g => g.groupId).filter(g => g.includes(name)));
    expect(groups).toEqual([`pipe-${name}`]);
  });

  it.skipIf(!hasKcat()).each(['replay.noted', 'replay.sent'])('killed at %s: no record twice, none lost', async point => {
    const topic = await createTopic('dlq', 1);
    const name = unique('dlq');
    const project = new Project();
    try {
      project.write('p.yaml', yaml(name, topic, 'INT'));
      const env = { PIPE_BROKERS: brokers as string };
      kcat(['-P', '-t', topic], '{"v":"a"}\n');
      expect((await project.run(['run', 'p', '--until-end'], { env })).code).toBe(0);
      expect((await project.run(['dlq', 'replay', 'p', '--all'], { env: { ...env, PIPE_FAILPOINT: point } })).signal).toBe('SIGKILL');
      for (let n = 0; n < 2; n++) expect((await project.run(['dlq', 'replay', 'p', '--all'], { env })).code).toBe(0);
      expect(kcatRead(topic, 0, 'beginning', '%s\n')).toEqual(['{"v":"a"}', '{"v":"a"}']);
    } finally {
      project.remove();
    }
  });

  it('a state that is older than what Kafka has seen is refused; reset takes the pipeline over', async () => {
    const topic = await createTopic('dlq', 1);
    const name = unique('dlq');
    p.write('p.yaml', yaml(name, topic, 'INT'));
    await p.send(topic, ['{"v":1}'], ...on());
    await p.ok(['run', 'p', '--until-end', ...on()]);
    await p.ok(['state', 'backup', 'p', 'b.db']);
    await p.ok(['state', 'restore', 'p', 'b.db']);
    await p.ok(['run', 'p', '--until-end', ...on()]);
    await p.send(topic, ['{"v":2}'], ...on());
    await p.ok(['run', 'p', '--until-end', ...on()]);
    await p.ok(['state', 'restore', 'p', 'b.db']);
    expect((await p.call(['run', 'p', '--until-end', ...on()])).exit).toBe(32);
    await p.ok(['state', 'reset', 'p', '--yes', ...on()]);
    await p.ok(['run', 'p', '--until-end', ...on()]);
    expect((await p.records(`${topic}-out`, ...on())).map(r => r['value'])).toEqual(['{"v":1}', '{"v":2}', '{"v":1}', '{"v":2}']);
  });
});
