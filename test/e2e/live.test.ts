import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../unique.ts';
import { Project } from './project.ts';

/** host:port of the Kafka broker of this run, or null. */
const brokers = inject('brokers');

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const tail = ['--from-beginning', '--until-end'];

/** The shipped fraud.yaml with a window of 2 s, so that the silence need not be long; topics of its own. */
function fraud(name: string): void {
  const text = readFileSync(`${p.dir}/pipelines/fraud.yaml`, 'utf8')
    .replace(/\ntests:[\s\S]*$/, '\n')
    .replace('name: fraud', `name: ${name}`)
    .replace('    schema:', `    topic: ${name}-in\n    schema:`)
    .replace('  fraud-alerts:', `  fraud-alerts:\n    topic: ${name}-out`)
    .replace(/ {4}sample:.*\n/, '')
    .replace('delay: 5s}', 'delay: 200ms, idle: 1s}')
    .replace("INTERVAL '1' MINUTE", "INTERVAL '2' SECOND");
  p.write(`${name}.yaml`, text);
}

const logs = [['the embedded log', null], ['Kafka', brokers]] as const;

describe.each(logs)('%s', (label, address) => {
  const env: Record<string, string> = address === null ? {} : { PIPE_BROKERS: address };
  const kafka = it.skipIf(label === 'Kafka' && address === null);

  kafka('ten records stamped now, then silence: exactly one alert', async () => {
    const name = unique('live');
    fraud(name);
    const run = p.start(['run', `${name}.yaml`, '--follow', '--print'], { env });
    await run.until('following');
    const now = Math.floor(Date.now() / 2000) * 2;
    const records = Array.from({ length: 10 }, () => `{"account":9999,"amount":600,"timestamp":"${now}","type":"deposit"}\n`).join('');
    const sent = await p.run(['topics', 'send', `${name}-in`], { env, input: records });
    expect([sent.code, sent.err]).toEqual([0, expect.any(String)]);
    await run.until(r => r.out.includes('\n'), 20_000);
    // whatever else would come, came with the next ticks of the clock
    await new Promise(r => setTimeout(r, 1500));
    run.kill('SIGTERM');
    const { code, out } = await run.finished;
    const alert = '{"account":9999,"total_activity":6000.00,"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"Account 9999 has $6000.00 activity in 1 minute (threshold: $5000.0)"}';
    expect([code, out]).toEqual([0, `${alert}\n`]);
    expect((await p.run(['topics', 'tail', `${name}-out`, ...tail], { env })).out).toBe(`${alert}\n`);
  });

  kafka('SIGTERM drains: what was read is committed, the next run goes on behind it', async () => {
    const name = unique('drain');
    fraud(name);
    const run = p.start(['run', `${name}.yaml`, '--follow', '--print'], { env });
    await run.until('following');
    await p.run(['topics', 'send', `${name}-in`], { env, input: '{"account":1,"amount":6000,"timestamp":"1704110400","type":"deposit"}\n{"account":1,"amount":1,"timestamp":"1704110500","type":"deposit"}\n' });
    await run.until(r => r.out.includes('6000.00'));
    run.kill('SIGTERM');
    expect((await run.finished).code).toBe(0);
    const rest = await p.run(['run', `${name}.yaml`, '--until-end', '--json'], { env });
    expect(rest.err).toContain('"records_in":0,"rows_out":0');
  });

  kafka('a second runner of one pipeline leaves at once with exit code 21', async () => {
    const name = unique('second');
    fraud(name);
    const first = p.start(['run', `${name}.yaml`, '--follow'], { env });
    await first.until('following');
    const second = await p.run(['run', `${name}.yaml`], { env });
    expect([second.code, second.out]).toEqual([21, '']);
    expect(second.err.replace(/ on \S+\.db/, ' on FILE')).toBe(`error[system.state.locked]: pipeline "${name}" is running already (process ${first.child.pid}) on FILE\n  hint: stop that one first; a copy of the pipeline under another name runs beside it\n`);
    first.kill('SIGINT');
    expect((await first.finished).code).toBe(0);
  });
});

it('a second signal ends a drain that takes too long, with the code of the signal', async () => {
  p.write('big.yaml', 'name: big\nsources:\n  events:\n    schema: id STRING\nsinks:\n  out:\n    sql: SELECT id, id AS a, id AS b FROM events\n');
  await p.run(['topics', 'send', 'events'], { input: Array.from({ length: 50_000 }, (_, i) => `{"id":"number ${i}"}\n`).join('') });
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    const run = p.start(['run', 'big.yaml', '--follow', '--print', '--reset-state']);
    // nobody reads stdout: rows cannot leave, and the drain waits for them
    run.child.stdout?.pause();
    await run.until('following');
    await new Promise(r => setTimeout(r, 1000));
    run.kill(signal);
    await new Promise(r => setTimeout(r, 300));
    expect(run.child.exitCode).toBeNull();
    run.kill(signal);
    await new Promise(done => run.child.once('exit', done));
    expect(run.child.exitCode).toBe(code);
    run.child.stdout?.resume();
    await run.finished;
  }
});
