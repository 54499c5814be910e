import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from '../e2e/project.ts';
import { Dash } from '../ui/dash.ts';
import { brokers, createTopic, describeKafka, unique } from './support.ts';

// the built command, dist/

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

describeKafka('the dashboard on Kafka', () => {
  it('shows committed records only, newest and oldest first, filtered and as they come, and sends dead letters again', async () => {
    const on = ['--brokers', brokers as string];
    const topic = await createTopic('dash', 2);
    const out = await createTopic('dash-out', 2);
    const name = unique('dash');
    p.write(`${name}.yaml`, `name: ${name}\nsources:\n  s: {topic: ${topic}, schema: v INT}\nsinks:\n  o: {topic: ${out}, sql: SELECT v FROM s}\n`);
    // several transactions, so that their markers lie between the rows
    for (let i = 0; i < 3; i++) {
      await p.run(['topics', 'send', topic, ...on], { input: `${Array.from({ length: 40 }, (_, k) => `{"v":${40 * i + k}}`).join('\n')}\n{"v":"bad"}\n` });
      expect((await p.run(['run', `${name}.yaml`, '--until-end', '--no-print', ...on])).code).toBe(0);
    }
    const dash = await Dash.start(p, ['--allow-actions', ...on]);
    const { logs } = await dash.get('/api/v1/info');
    expect(logs.map((l: any) => [l.kind, l.error])).toEqual([['embedded', null], ['kafka', null]]);
    const log = logs[1].id as string;
    const value = (r: any): number => JSON.parse(r.value).v;
    for (const order of ['newest', 'oldest']) {
      const seen: number[] = [];
      const times: number[] = [];
      for (let next = '', done = false; !done; ) {
        const answer = await dash.get(`/api/v1/topics/${out}/records`, { log, order, limit: 25, ...(next === '' ? { from: order === 'newest' ? 'latest' : 'earliest' } : { next }) });
        seen.push(...answer.records.map(value));
        times.push(...answer.records.map((r: any) => r.timestamp));
        ({ done } = answer);
        next = JSON.stringify(answer.next);
      }
      expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, i) => i));
      expect(times).toEqual([...times].sort((a, b) => (order === 'newest' ? b - a : a - b)));
    }
    expect((await dash.get(`/api/v1/topics/${out}/records`, { log, filter: 'v BETWEEN 41 AND 43' })).records.map(value).sort()).toEqual([41, 42, 43]);
    const id = (await dash.get('/api/v1/state')).states[0].id as string;
    expect(id).toBe(`${name}@${log}`);
    expect(await dash.post(`/api/v1/dlq/${id}/replay`, { code: 'user.data.type' })).toMatchObject({ records: 3 });
    const told = await dash.events(`/api/v1/topics/${topic}/tail`, e => {
      if (e.length === 1) void dash.post(`/api/v1/topics/${topic}/records`, { value: '{"v":1000}', log });
      return e.some(x => x.name === 'records');
    }, { query: { log, filter: 'v = 1000' } });
    expect(told.at(-1)?.data.map(value)).toEqual([1000]);
    expect(await dash.stop()).toBe(0);
  });

  it('a broker that is away is said, and the rest is shown', async () => {
    const dash = await Dash.start(p, ['--brokers', '127.0.0.1:1']);
    const ask = async (): Promise<any> => (await dash.get('/api/v1/info')).logs;
    let logs = await ask();
    while (logs[1].error === 'it has not answered yet') logs = await ask();
    expect(logs[0].error).toBe(null);
    expect(logs[1]).toMatchObject({ id: null, kind: 'kafka', label: 'Kafka at 127.0.0.1:1' });
    expect(logs[1].error).toContain('127.0.0.1:1');
    expect((await dash.get('/api/v1/topics')).topics).toEqual([]);
    expect(await dash.stop()).toBe(0);
  });
});
