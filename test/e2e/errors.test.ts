import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { unique } from '../unique.ts';
import { Project } from './project.ts';

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
  expect(await failed(['run', 'balance.yaml'])).toEqual({ code: 3, err: `error[user.config.file_missing]: there is no pipeline "balance.yaml"
  hint: did you mean "balances.yaml"?
` });
});

it('--from with saved state', async () => {
  await p.run(['run', 'fraud.yaml', '--no-print']);
  expect(await failed(['run', 'fraud.yaml', '--from', 'latest'])).toEqual({ code: 2, err: `error[system.state.not_fresh]: pipeline "fraud" goes on from its saved state, so --from does not apply
  hint: add --reset-state to start again
` });
});

it('a topic that is missing', async () => {
  expect(await failed(['topics', 'tail', 'nope'])).toEqual({ code: 11, err: `error[system.source.topic_missing]: topic "nope" does not exist on embedded log (no broker set)
  hint: create it: pipe topics create nope --partitions 3
` });
});

it('--json gives the same problem as one object a line', async () => {
  const { code, err } = await failed(['run', 'nope', '--json']);
  expect([code, JSON.parse(err)]).toEqual([3, { code: 'user.config.file_missing', severity: 'error', file: null, line: null, col: null, endCol: null, message: 'there is no pipeline "nope"', hint: 'pipelines here: balances, fraud' }]);
});

describe.skipIf(brokers === null)('on Kafka', () => {
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
`]);
  });
});
