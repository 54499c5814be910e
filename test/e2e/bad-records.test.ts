import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Project } from './project.ts';
import { Database } from '../../src/state/database.ts';

let p: Project;
beforeEach(() => { p = new Project(); });
afterEach(() => { p.remove(); });

const good = (account: string, amount: number): string => `{"account":"${account}","amount":${amount},"timestamp":"1704110400","type":"deposit"}`;

/** What may come, and why it is no row of balances.yaml. */
const bad: readonly (readonly [line: string, code: string, message: string])[] = [
  ['hello', 'user.data.decode', 'not JSON: unexpected "h" at byte 0'],
  ['[1,2]', 'user.data.decode', 'an array is no row: a record is a JSON object'],
  ['{"account":"1"', 'user.data.decode', 'not JSON: ends early, after 14 bytes'],
  ['{"account":"1","amount":"many","timestamp":"1704110400","type":"deposit"}', 'user.data.type', 'amount: "many" is not DECIMAL(12,2)'],
  ['{"account":"1","amount":1,"type":"deposit"}', 'user.data.event_time', 'timestamp: missing, so the record has no event time'],
  ['{"account":"1","amount":1,"timestamp":"soon","type":"deposit"}', 'user.data.event_time', 'timestamp: "soon" is no event time (unit: s)'],
  ['{"account":"1","amount":1,"timestamp":"32472144000","type":"deposit"}', 'user.data.future_event', 'event time 2999-01-01T00:00:00.000Z is more than max_future (1 h) ahead of the record'],
  [`{"account":"${'x'.repeat(10_000_000)}"}`, 'user.data.too_large', '10000014 bytes, more than settings.max_record_bytes (1048576)'],
];

it('no record stops the pipeline or vanishes', async () => {
  await p.run(['topics', 'create', 'transactions', '--partitions', '1']);
  const lines = [good('a', 1), ...bad.flatMap(([line]) => [line, good('a', 1)]), good('__proto__', 2), good('constructor', 3), '{"__proto__":{"amount":9},"account":"p","amount":4,"timestamp":"1704110400","type":"deposit","toString":1}'];
  const sent = await p.run(['topics', 'send', 'transactions'], { input: lines.map(l => `${l}\n`).join('') });
  expect([sent.code, sent.err]).toEqual([0, expect.any(String)]);
  const r = await p.run(['run', 'balances.yaml', '--json', '--print']);
  const row = (account: string, balance: string): string => `{"account":"${account}","balance":${balance},"window_start":1704110400000,"window_end":1704110410000}`;
  expect([r.code, [...r.lines].sort()]).toEqual([0, [row('__proto__', '2.00'), row('a', '9.00'), row('constructor', '3.00'), row('p', '4.00')]]);
  expect(JSON.parse(r.err.trim().split('\n').at(-1) as string)).toMatchObject({ records_in: lines.length, rows_out: 4, late: 0, future: 1, undecodable: 7, failed: 0 });
  const db = new Database(join(p.dir, '.pipe/state/balances@embedded.db'), { readonly: true });
  const kept = db.prepare('SELECT "offset", code, message, size, length(value) AS kept, value FROM dead_letters ORDER BY "offset"').all() as { offset: number; code: string; message: string; size: number; kept: number; value: Buffer }[];
  db.close();
  expect(kept.map(k => [k.offset, k.code])).toEqual(bad.map(([, code], i) => [1 + 2 * i, code]));
  for (const [i, [line, , message]] of bad.entries()) {
    const k = kept[i] as (typeof kept)[number];
    expect(k.message).toBe(message);
    expect([k.size, k.kept]).toEqual([line.length, Math.min(line.length, 1 << 20)]);
    expect(k.value.toString()).toBe(line.slice(0, 1 << 20));
  }
});

it('--on-error skip counts them only; stop names the pipeline, the record and its place', async () => {
  await p.run(['topics', 'create', 'transactions', '--partitions', '1']);
  await p.run(['topics', 'send', 'transactions'], { input: `${good('a', 1)}\nhello\n${good('a', 1)}\n` });
  const stopped = await p.run(['run', 'balances.yaml', '--on-error', 'stop']);
  expect([stopped.code, stopped.out]).toEqual([13, '']);
  expect(stopped.err).toMatch(/error\[user\.data\.decode\]: balances: not JSON.* at transactions\/0 offset 1\n/);
  const json = await p.run(['run', 'balances.yaml', '--on-error', 'stop', '--json']);
  expect(JSON.parse(json.err)).toMatchObject({ code: 'user.data.decode', message: 'balances: not JSON: unexpected "h" at byte 0 at transactions/0 offset 1' });
  expect(stopped.err).not.toMatch(/\n\s+at /);
  const skipped = await p.run(['run', 'balances.yaml', '--on-error', 'skip', '--json']);
  expect([skipped.code, skipped.lines]).toEqual([0, ['{"account":"a","balance":2.00,"window_start":1704110400000,"window_end":1704110410000}']]);
  const db = new Database(join(p.dir, '.pipe/state/balances@embedded.db'), { readonly: true });
  expect(db.prepare('SELECT count(*) FROM dead_letters').pluck().get()).toBe(0);
  expect(db.prepare("SELECT value FROM counters WHERE name = 'undecodable'").pluck().get()).toBe(1);
  db.close();
});

it('a row that fails in SQL is kept with the place of the expression', async () => {
  p.write('ratio.yaml', `name: ratio
sources:
  transactions:
    schema: account STRING, amount DECIMAL(12,2)
sinks:
  ratios:
    on_error: {topic: failed}
    sql: |
      SELECT account,
             100 / amount AS ratio
      FROM transactions
`);
  await p.run(['topics', 'create', 'transactions', '--partitions', '1']);
  await p.run(['topics', 'create', 'failed', '--partitions', '1']);
  await p.run(['topics', 'send', 'transactions', '--key', 'k'], { input: '{"account":"a","amount":8}\n{"account":"b","amount":0}\n' });
  const r = await p.run(['run', 'ratio.yaml', '--json']);
  expect([r.code, r.lines]).toEqual([0, ['{"account":"a","ratio":12.5000000000000}']]);
  const failed = await p.run(['topics', 'tail', 'failed', '--from-beginning', '--until-end', '--json']);
  const letter = JSON.parse(failed.out) as Record<string, unknown>;
  expect(letter).toMatchObject({ key: 'k', value: '{"account":"b","amount":0}' });
  expect(JSON.stringify(letter['headers'])).toContain('user.data.division_by_zero: division by zero');
  expect(JSON.stringify(letter['headers'])).toContain('transactions/0/1 pipelines/ratio.yaml:10:14');
});

it('more than 5 % bad of 1,000 or more is said loudly, and stops where max_bad says so', async () => {
  await p.run(['topics', 'create', 'transactions', '--partitions', '1']);
  const lines = Array.from({ length: 1200 }, (_, i) => (i % 10 === 0 ? 'hello' : good('a', 1)));
  await p.run(['topics', 'send', 'transactions'], { input: `${lines.join('\n')}\n` });
  const warned = await p.run(['run', 'balances.yaml']);
  expect(warned.code).toBe(0);
  expect(warned.err).toContain('warning: balances: 120 of 1200 records are bad (10 %). First causes: 120 x user.data.decode: not JSON: unexpected "h" at byte 0\n');
  p.write('skips.yaml', `name: skips
sources:
  transactions:
    schema: account STRING, timestamp STRING
    event_time: {from: timestamp, unit: s}
    on_error: skip
sinks:
  counts: {sql: "SELECT COUNT(*) AS n FROM transactions GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)"}
  kept: {on_error: {topic: bad}, sql: "SELECT COUNT(*) AS n FROM transactions WHERE account <> 'x' GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)"}
`);
  const skips = await p.run(['run', 'skips.yaml', '--no-print']);
  expect(skips.err).toContain('warning: skips: 120 of 1200 records are bad (10 %) and skipped: counted, not kept. First causes: 120 x user.data.decode');
  expect((await p.run(['explain', 'skips.yaml'])).out.match(/late: .*/g)).toEqual(['late: counted and skipped', 'late: counted and sent to topic bad']);
  p.write('strict.yaml', `name: strict
sources:
  transactions:
    schema: account STRING
sinks:
  out:
    sql: SELECT account FROM transactions
settings: {max_bad: 5%}
`);
  const stopped = await p.run(['run', 'strict.yaml', '--no-print']);
  expect(stopped.code).toBe(13);
  expect(stopped.err).toContain('error[user.data.max_bad]: strict: 120 of 1200 records are bad (10 %), more than settings.max_bad (5 %)\n  hint: 120 x user.data.decode: not JSON: unexpected "h" at byte 0\n');
});

it('rows that a sink refuses are not printed', async () => {
  p.write('refused.yaml', "name: refused\nsources:\n  t:\n    schema: account STRING, n INT\nsinks:\n  o:\n    sql: SELECT account, CAST(account AS DOUBLE) AS d, REPEAT('x', n) AS r FROM t\n");
  const lines = [['1', 1], ['Infinity', 1], ['2', 1_200_000], ['NaN', 2], ['3', 2]].map(([account, n]) => `${JSON.stringify({ account, n })}\n`);
  await p.run(['topics', 'send', 't', '--partition', '0'], { input: lines.join('') });
  const r = await p.run(['run', 'refused.yaml', '--json']);
  expect([r.code, r.lines]).toEqual([0, ['{"account":"1","d":1.0,"r":"x"}', '{"account":"3","d":3.0,"r":"xx"}']]);
  expect(JSON.parse(r.err.trim().split('\n').at(-1) as string)).toMatchObject({ rows_out: 2, failed: 3 });
  const tail = await p.run(['topics', 'tail', 'o', '--from-beginning', '--until-end']);
  expect(tail.lines).toEqual(r.lines);
});
