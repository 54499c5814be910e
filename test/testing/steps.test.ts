import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PIPELINE, plain, row, TestProject } from './project.ts';

let p: TestProject;
beforeEach(() => { p = new TestProject(); });
afterEach(() => p.remove());

const PASSED = { exit: 0, err: '', out: expect.stringMatching(/^pipelines\/p\.yaml\n  ✓ .*\n1 test: 1 passed, N ms\n$/) as string };

describe('steps of a test', () => {
  it('send with key, partition, headers and time of the records', async () => {
    // Kafka's own tests give this key the hash -1486304829: partition 1 of 2
    expect(await p.tests(`  - name: partitions hold each other back
    partitions: 2
    steps:
      - send: transactions
        key: a-little-bit-longer-string
        headers: {trace: x}
        rows: [${row(1, 10, 0)}, ${row(1, 20, 100)}]
      - expect: {sums: []}
      - send: transactions
        partition: 0
        rows: [${row(2, 10, 66)}]
      - expect: {sums: [{account: 1, total: 10.00}]}
    expect: {sums: [{account: 1, total: 20.00}, {account: 2, total: 10.00}]}
`)).toEqual(PASSED);
    expect(await p.tests(`  - name: from the future
    steps:
      - send: transactions
        time: 2024-01-01T11:00:00Z
        rows: [${row(1, 10, 0)}, ${row(1, 20, 1)}]
    expect: {sums: [{account: 1, total: 10.00}]}
    expect_dead_letters: {user.data.future_event: 1}
`)).toEqual(PASSED);
  });

  it('advance: windows close by the clock once all partitions are idle, to the millisecond', async () => {
    // event time 12:00:00, idle after 10 s, delay 5 s: the window that ends at 12:01:00 closes when last + t - 5 s >= 59.999 s
    const after = (ms: number, rows: string): string => `  - name: t
    steps:
      - send: transactions
        rows: [${row(1, 10, 0)}]
      - advance: ${ms}ms
      - expect: {sums: ${rows}}
`;
    expect((await p.tests(after(64_998, '[]'))).exit).toBe(0);
    expect((await p.tests(after(64_998, '[{total: 10.00}]'))).exit).toBe(4);
    expect(await p.tests(after(64_999, '[{total: 10.00}]'))).toEqual(PASSED);
  });

  it('advance passes time in pieces as well as at once', async () => {
    expect(await p.tests(`  - name: t
    steps:
      - send: transactions
        rows: [${row(1, 10, 0)}]
${'      - advance: 5s\n'.repeat(12)}      - expect: {sums: []}
      - advance: 4999ms
      - expect: {sums: [{total: 10.00}]}
`)).toEqual(PASSED);
  });

  it('idle: one partition no longer holds back the others, which are not idle', async () => {
    const idle = (partition: string, rows: string): string => `  - name: t
    partitions: 2
    steps:
      - {send: transactions, partition: 0, rows: [${row(1, 10, 0)}, ${row(1, 20, 100)}]}
      - {send: transactions, partition: 1, rows: [${row(2, 10, 1)}]}
      - expect: {sums: []}
      - {idle: transactions${partition}}
      - expect: {sums: ${rows}}
`;
    expect(await p.tests(idle(', partition: 1', '[{account: 1, total: 10.00}, {account: 2, total: 10.00}]'))).toEqual(PASSED);
    expect(await p.tests(idle(', partition: 0', '[]'))).toEqual(PASSED);
  });

  it('idle: a source of several becomes idle alone', async () => {
    p.write('p.yaml', `name: p
sources:
  a: {schema: 'id BIGINT, at BIGINT', event_time: {from: at, unit: ms, delay: 0s}}
  b: {schema: 'id BIGINT, at BIGINT', event_time: {from: at, unit: ms, delay: 0s}}
sinks:
  as: {sql: "SELECT id, COUNT(*) AS n FROM a GROUP BY id, TUMBLE(ts, INTERVAL '5' SECOND)"}
  bs: {sql: "SELECT id, COUNT(*) AS n FROM b GROUP BY id, TUMBLE(ts, INTERVAL '5' SECOND)"}
tests:
  - name: a only
    steps:
      - {send: a, rows: [{id: 1, at: 0}]}
      - {send: b, rows: [{id: 1, at: 0}]}
      - idle: a
      - expect: {as: [{n: 1}], bs: []}
      - advance: 20s
      - expect: {as: [], bs: [{n: 1}]}
`);
    expect(plain(await p.call(['test']))).toEqual(PASSED);
  });

  it('restart in the midst of a window: its sums, its watermark and its positions go on', async () => {
    expect(await p.tests(`  - name: t
    steps:
      - send: transactions
        rows: [${row(1, '0.01', 0)}, ${row(1, '0.02', 70)}]
      - expect: {sums: [{account: 1, total: 0.01}]}
      - restart
      - expect: {sums: []}
      - send: transactions
        rows: [${row(1, '0.04', 59)}, ${row(1, '0.08', 71)}]
      - expect_late: 1
      - restart
      - restart
      - send: transactions
        rows: [${row(2, 5, 130)}]
      - expect: {sums: [{account: 1, total: 0.10}]}
    expect: {sums: [{account: 2, total: 5.00}]}
`)).toEqual(PASSED);
  });

  it('restart forgets how long a partition was quiet', async () => {
    expect(await p.tests(`  - name: t
    steps:
      - send: transactions
        rows: [${row(1, 10, 58)}]
      - advance: 9s
      - restart
      - advance: 9s
      - expect: {sums: []}
      - advance: 1s
      - expect: {sums: [{total: 10.00}]}
`)).toEqual(PASSED);
  });

  it('expect looks at what came since; the end at the rest', async () => {
    const r = await p.tests(`  - name: t
    steps:
      - send: transactions
        rows: [${row(1, 10, 0)}, ${row(1, 20, 70)}]
      - expect: {sums: [{total: 10.00}]}
      - expect: {sums: [{total: 10.00}]}
    expect: {sums: []}
`);
    expect(r.out).toBe(`pipelines/p.yaml
  ✗ t  N ms, line 14
    step 3: sums: 1 row expected, 0 received
      missing, line 19
      - total  10.00
    sums: 0 rows expected, 1 received
      unexpected
      + account     1
      + total       20.00
      + window_end  1704110520000
    - expected  + received
1 test: 1 failed, 0 passed, N ms
`);
  });

  it('the time of SQL is that of the test', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a STRING'}}
sinks: {o: {sql: "SELECT a, CURRENT_TIMESTAMP AS at, UNIX_TIMESTAMP() AS s FROM s"}}
tests:
  - name: now
    now: 2024-01-01T12:00:00Z
    steps:
      - {send: s, rows: [{a: x}]}
      - advance: 1m
      - {send: s, rows: [{a: y}]}
    expect: {o: [{a: x, at: 1704110400000, s: 1704110400}, {a: y, at: 1704110460000, s: 1704110460}]}
`);
    expect(plain(await p.call(['test']))).toEqual(PASSED);
  });

  it('a grouping without a window gives its rows at the end', async () => {
    p.write('p.yaml', `${PIPELINE.replace("GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE)", 'GROUP BY account').replace(', window_end', '')}tests:
  - name: t
    steps:
      - send: transactions
        rows: [${row(1, 10, 0)}]
      - restart
      - send: transactions
        rows: [${row(1, 10, 500)}]
      - expect: {sums: []}
    expect: {sums: [{account: 1, total: 20.00}]}
`);
    expect(plain(await p.call(['test'])).out).toContain('✓ t');
  });

  it('what is wrong with a step is said at its place', async () => {
    p.write('p.yaml', `${PIPELINE}tests:
  - name: t
    steps:
      - {send: nowhere, rows: []}
      - {send: transactions}
      - {send: transactions, rows: [], text: []}
      - {advance: 5s, idle: transactions}
      - {advance: 5s, partition: 1}
      - {advance: soon}
      - restrat
      - {expect: {sums: [{totl: 1}]}, send: transactions}
      - {expect_dead_letters: {user.data.tipe: 1, user.data.late: 1}}
      - {send: transactions, time: noon, rows: [{amount: x}]}
    expect_error: user.sql.unkown_column
  - name: u
    input: {transactions: []}
  - name: v
    expect: {sums: []}
`);
    const r = await p.call(['test', '--json']);
    const problems = r.err.trimEnd().split('\n').map(l => JSON.parse(l) as { line: number; col: number; code: string; message: string });
    expect(r.exit).toBe(3);
    expect(problems.map(e => `${e.line}:${e.col} ${e.code} ${e.message}`)).toEqual([
      '16:16 user.config.unknown_name there is no source "nowhere"',
      '17:10 user.config.missing_key this step sends nothing',
      '18:40 user.config.bad_value a step has "rows" or "text", not both',
      '19:23 user.config.bad_value a step does one thing',
      '20:23 user.config.bad_value "partition" goes with "send" or "idle"',
      '21:19 user.config.bad_value "advance" takes a duration such as 500ms, 10s, 5m, 1h, 1d, not "soon"',
      '22:9 user.config.bad_value item 7 of "steps" cannot be "restrat"',
      '23:39 user.config.bad_value a step does one thing',
      '24:32 user.config.bad_value there is no code "user.data.tipe"',
      '24:51 user.config.bad_value late rows are not counted here',
      '25:36 user.config.bad_value "time" takes a time such as 2024-01-01T12:00:00Z, not "noon"',
      '25:58 user.config.bad_value "amount" is DECIMAL(12,2), which "x" is not',
      '26:19 user.config.bad_value there is no code "user.sql.unkown_column"',
      '27:11 user.config.missing_key test "u" has no "expect"',
      '29:11 user.config.missing_key test "v" has no "input"',
    ]);
  });
});
