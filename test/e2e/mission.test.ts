import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../unique.ts';
import { Project } from './project.ts';

/** host:port of the Kafka broker of this run, or null. */
const brokers = inject('brokers');

const BALANCES = [
  '{"account":"1234","balance":250.00,"window_start":1704110400000,"window_end":1704110410000}',
  '{"account":"5678","balance":-50.00,"window_start":1704110400000,"window_end":1704110410000}',
];
const ALERT = '{"account":9999,"total_activity":7500.00,"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"Account 9999 has $7500.00 activity in 1 minute (threshold: $5000.0)"}';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

/** What a topic holds, by the command that users have for it. */
const tail = async (topic: string, args: readonly string[] = []): Promise<string[]> => [...(await p.run(['topics', 'tail', topic, '--from-beginning', '--until-end', ...args])).lines].sort();

describe('on the embedded log', () => {
  it('balances.yaml gives the sums of the mission, to stdout and to its topic', async () => {
    const r = await p.run(['run', 'balances.yaml']);
    expect([r.code, r.err.split('\n')[0]]).toEqual([0, expect.stringContaining('embedded log')]);
    expect(r.lines).toEqual(expect.arrayContaining(BALANCES));
    expect(await tail('account-balances')).toEqual([...r.lines].sort());
  });

  it('fraud.yaml gives the one alert of the mission', async () => {
    const r = await p.run(['run', 'fraud.yaml']);
    expect([r.code, r.out]).toEqual([0, `${ALERT}\n`]);
    expect(await tail('fraud-alerts')).toEqual([ALERT]);
  });

  it.each([[['balances.yaml', 'fraud.yaml']], [['pipelines/']]])('both in one process: run %s', async files => {
    const r = await p.run(['run', ...files]);
    expect(r.code).toBe(0);
    expect(r.lines).toContain(`{"topic":"fraud-alerts","value":${ALERT}}`);
    for (const b of BALANCES) expect(r.lines).toContain(`{"topic":"account-balances","value":${b}}`);
    expect(await tail('fraud-alerts')).toEqual([ALERT]);
    expect(await tail('account-balances')).toEqual(expect.arrayContaining(BALANCES));
  });

  it('both in two processes at once, which load the sample once', async () => {
    const [a, b] = await Promise.all([p.run(['run', 'balances.yaml']), p.run(['run', 'fraud.yaml'])]);
    expect([a.code, b.code]).toEqual([0, 0]);
    expect(a.lines).toEqual(expect.arrayContaining(BALANCES));
    expect(await tail('fraud-alerts')).toEqual([ALERT]);
  });

  it('goes on where it stopped: a second run gives nothing twice', async () => {
    const first = await p.run(['run', 'balances.yaml']);
    const second = await p.run(['run', 'balances.yaml']);
    expect([second.code, second.out]).toEqual([0, '']);
    expect(second.err).toContain('goes on');
    expect(await tail('account-balances')).toEqual([...first.lines].sort());
  });

  it('takes records as producers send them: account a number or a text, keyed or not', async () => {
    const at = '"timestamp":"1704110400","type":"deposit"}';
    p.write('empty.yaml', '');
    await p.run(['topics', 'create', 'transactions', '--partitions', '3']);
    await p.run(['topics', 'send', 'transactions'], { input: `{"account":9999,"amount":600,${at}\n{"account":"9999","amount":"0.10",${at}\n{"account":9999,"amount":0.2,${at}\n` });
    await p.run(['topics', 'send', 'transactions', '--key-field', 'account'], { input: `{"account":9999,"amount":1,${at}\n{"account":"9999","amount":2,${at.replace('deposit', 'withdrawal')}\n` });
    const r = await p.run(['run', 'balances.yaml']);
    expect(r.lines).toEqual(['{"account":"9999","balance":599.30,"window_start":1704110400000,"window_end":1704110410000}']);
  });
});

describe.skipIf(brokers === null)('on Kafka', () => {
  /** The shipped file with topics and name of its own. */
  const renamed = async (file: string, suffix: string): Promise<string> => {
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(`${p.dir}/pipelines/${file}`, 'utf8')
      .replace(/^name: (\w+)$/m, `name: $1-${suffix}`)
      .replace('    schema:', `    topic: transactions-${suffix}\n    schema:`)
      .replace(/^ {2}(account-balances|fraud-alerts):$/m, `  $1:\n    topic: $1-${suffix}`);
    p.write(`${suffix}-${file}`, text.replace(/\ntests:[\s\S]*$/, '\n'));
    return `${suffix}-${file}`;
  };

  it('the same files give the same rows, byte for byte', async () => {
    const suffix = unique('m');
    const env = { PIPE_BROKERS: brokers as string };
    const files = [await renamed('balances.yaml', suffix), await renamed('fraud.yaml', suffix)];
    const embedded = await p.run(['run', 'balances.yaml']);
    const { readFileSync } = await import('node:fs');
    await p.run(['topics', 'create', `transactions-${suffix}`, '--partitions', '3'], { env });
    const sent = await p.run(['topics', 'send', `transactions-${suffix}`], { env, input: readFileSync(`${p.dir}/pipelines/data/transactions.jsonl`, 'utf8') });
    expect([sent.code, sent.err]).toEqual([0, expect.anything()]);
    const r = await p.run(['run', ...files, '--until-end'], { env });
    expect([r.code, r.out]).toEqual([0, '']);
    expect(r.err.split('\n')[0]).toContain('PIPE_BROKERS');
    expect((await p.run(['topics', 'tail', `account-balances-${suffix}`, '--from-beginning', '--until-end'], { env })).lines.toSorted()).toEqual(embedded.lines.toSorted());
    expect((await p.run(['topics', 'tail', `fraud-alerts-${suffix}`, '--from-beginning', '--until-end'], { env })).lines).toEqual([ALERT]);
  });
});
