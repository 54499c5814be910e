import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plain, PIPELINE, row, TestProject } from './project.ts';

let p: TestProject;
beforeEach(() => { p = new TestProject(); });
afterEach(() => p.remove());

describe('pipe test', () => {
  it('runs the test that comes with fraud.yaml, and no other where -t says so', async () => {
    p.shipped().write('more.test.yaml', `pipeline: fraud.yaml
tests:
  - name: nothing comes of nothing
    input: {transactions: []}
    expect: {fraud-alerts: []}
`);
    expect(plain(await p.call(['test', '-t', '7500 in', 'fraud.yaml', 'more.test.yaml']))).toEqual({
      exit: 0, err: '', out: `pipelines/fraud.yaml
  ✓ 7500 in one minute alerts, 5000 does not  N ms
1 test: 1 passed, 3 not asked for, N ms
`,
    });
    const all = plain(await p.call(['test']));
    expect([all.exit, all.err]).toEqual([0, '']);
    expect(all.out).toContain('pipelines/more.test.yaml\n  ✓ nothing comes of nothing  N ms\n');
  });

  it('shows rows beside those that are most alike, digit by digit, in 80 columns', async () => {
    const r = await p.tests(`  - name: sums
    input:
      transactions:
        - ${row(1, 10, 0)}
        - ${row(2, '20.50', 1)}
        - ${row(3, 7, 2)}
    expect:
      sums:
        - {account: 3, total: 7.00}
        - {account: 2, total: 20.5, window_end: 1704110460000}
        - {account: 1, total: 11.00, window_end: 1704110460000}
        - {account: 17}
  - name: passes
    input:
      transactions: [${row(1, 10, 0)}]
    expect: {sums: [{total: 10.00}]}
`);
    expect(r).toEqual({
      exit: 4, err: '', out: `pipelines/p.yaml
  ✗ sums  N ms, line 14
    sums: 4 rows expected, 3 received
      differs, line 23
        account     2
      - total       20.5
      + total       20.50
        window_end  1704110460000
      differs, line 24
        account     1
      - total       11.00
      + total       10.00
        window_end  1704110460000
      missing, line 25
      - account  17
    - expected  + received
  ✓ passes  N ms
2 tests: 1 failed, 1 passed, N ms
`,
    });
  });

  it('pairs a row with few columns so that the others find theirs', async () => {
    const r = await p.tests(`  - name: the first fits both
    input:
      transactions: [${row(1, 10, 0)}, ${row(2, 10, 0)}]
    expect: {sums: [{total: 10.00}, {account: 1, total: 10.00}]}
`);
    expect(r.exit).toBe(0);
  });

  it('cuts long values so that the difference is in sight', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a STRING'}}
sinks: {o: {sql: "SELECT a, 'x' AS b FROM s"}}
tests:
  - name: long
    input: {s: [{a: "${'word '.repeat(20)}right and some more words after that to fill the line"}]}
    expect: {o: [{a: "${'word '.repeat(20)}wrong and some more words after that to fill the line", b: x}]}
`);
    const r = plain(await p.call(['test']));
    expect(r.out).toBe(`pipelines/p.yaml
  ✗ long  N ms, line 5
    o: 1 row expected, 1 received
      differs, line 7
      - a  … word word word wrong and some more words after that to fill the li…
      + a  … word word word right and some more words after that to fill the li…
        b  "x"
    - expected  + received
1 test: 1 failed, 0 passed, N ms
`);
    for (const line of r.out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('compares the order where a test wants it', async () => {
    const tests = (ordered: string): string => `  - name: in order
    ordered: ${ordered}
    input:
      transactions: [${row(1, 10, 0)}, ${row(1, 20, 60)}, ${row(1, 30, 120)}]
    expect: {sums: [{total: 20.00}, {total: 10.00}, {total: 30.00}]}
`;
    expect((await p.tests(tests('false'))).exit).toBe(0);
    const r = await p.tests(tests('true'));
    expect(r.out).toBe(`pipelines/p.yaml
  ✗ in order  N ms, line 14
    sums: 3 rows expected, 3 received
      missing, line 18
      - total  20.00
      unexpected
      + account     1
      + total       20.00
      + window_end  1704110520000
    - expected  + received
1 test: 1 failed, 0 passed, N ms
`);
  });

  it('fails for what is bad or late though no test says so', async () => {
    const r = await p.tests(`  - name: bad
    steps:
      - send: transactions
        text: ['{"account":"x"}', "nonsense", null]
      - send: transactions
        rows: [${row(1, 10, 120)}, ${row(1, 10, 0)}]
    expect: {sums: [{total: 10.00}]}
  - name: counted
    steps:
      - send: transactions
        text: ['{"account":"x"}', "nonsense", null]
      - expect_dead_letters: {user.data.type: 1, user.data.decode: 1}
      - send: transactions
        rows: [${row(1, 10, 120)}, ${row(1, 10, 0)}]
      - expect_late: 2
`);
    expect(r.out).toBe(`pipelines/p.yaml
  ✗ bad  N ms, line 14
    dead letters user.data.type: 0 expected, 1 received
      account: "x" is not BIGINT
    dead letters user.data.decode: 0 expected, 1 received
      not JSON: unexpected "o" at byte 1
    dead letters user.data.tombstone: 0 expected, 1 received
      a null value (tombstone) is no row
    late rows: 0 expected, 1 received
      all windows of the row are closed
  ✗ counted  N ms, line 21
    step 2: dead letters user.data.tombstone: 0 expected, 1 received
      a null value (tombstone) is no row
    step 4: late rows: 2 expected, 1 received
      all windows of the row are closed
2 tests: 2 failed, 0 passed, N ms
`);
    expect(r.exit).toBe(4);
  });

  it('counts late rows and bad records apart', async () => {
    const r = await p.tests(`  - name: both
    steps:
      - send: transactions
        text: [x]
      - send: transactions
        rows: [${row(1, 10, 120)}, ${row(1, 10, 0)}]
      - expect_dead_letters: {user.data.decode: 1}
        expect_late: 1
    expect_dead_letters: {}
    expect_late: 0
`);
    expect([r.exit, r.out.includes('✓ both')]).toEqual([0, true]);
  });

  it('says where the SQL stands that fails on a row', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a BIGINT'}}
sinks:
  o:
    sql: |
      SELECT 10 / a AS b,
             20 / a AS c
      FROM s
tests:
  - name: zero
    input: {s: [{a: 0}, {a: 5}]}
    expect: {o: [{b: 2, c: 4}]}
`);
    expect(plain(await p.call(['test'])).out).toBe(`pipelines/p.yaml
  ✗ zero  N ms, line 10
    dead letters user.data.division_by_zero: 0 expected, 1 received
      division by zero, pipelines/p.yaml:6:14
1 test: 1 failed, 0 passed, N ms
`);
  });

  it('expects problems, of the SQL and of what stops a pipeline', async () => {
    p.write('broken.yaml', PIPELINE.replace('SUM(amount)', 'SUM(amonut)'));
    p.write('stops.yaml', PIPELINE.replace('event_time:', 'on_error: stop\n    event_time:'));
    p.write('broken.test.yaml', `pipeline: broken.yaml
tests:
  - {name: a slip, expect_error: user.sql.unknown_column}
  - {name: another, expect_error: user.sql.type}
`);
    p.write('stops.test.yaml', `pipeline: stops.yaml
tests:
  - name: stops
    steps: [{send: transactions, text: ["x"]}]
    expect_error: user.data.decode
  - name: does not stop
    input: {transactions: []}
    expect_error: user.data.decode
  - name: stops otherwise
    steps: [{send: transactions, text: ["x"]}]
    expect_error: user.data.type
  - name: is not expected to stop
    steps: [{send: transactions, text: ["x"]}]
    expect: {sums: []}
`);
    const r = plain(await p.call(['test', 'broken.test.yaml', 'stops.test.yaml']));
    expect(r).toEqual({
      exit: 4, err: '', out: `pipelines/broken.test.yaml
  ✓ a slip  N ms
  ✗ another  N ms, line 4
    user.sql.type expected, received
      pipelines/broken.yaml:9:27 error[user.sql.unknown_column]: column "amonut" does not exist in "transactions"
            8 |     sql: |
        >   9 |       SELECT account, SUM(amonut) AS total, window_end
              |                           ^^^^^^ no such column
           10 |       FROM transactions
        hint: did you mean "amount"? columns: account BIGINT, amount DECIMAL(12,2), timestamp STRING, type STRING, ts TIMESTAMP_LTZ(3), window_start TIMESTAMP(3), window_end TIMESTAMP(3), window_time TIMESTAMP_LTZ(3)
pipelines/stops.test.yaml
  ✓ stops  N ms
  ✗ does not stop  N ms, line 6
    user.data.decode expected, but the pipeline runs to its end
  ✗ stops otherwise  N ms, line 9
    user.data.type expected, received
      error[user.data.decode]: p: not JSON: unexpected "x" at byte 0 at transactions/0 offset 0
        hint: on_error: dead_letters keeps such records and goes on
  ✗ is not expected to stop  N ms, line 12
    the pipeline stopped
      error[user.data.decode]: p: not JSON: unexpected "x" at byte 0 at transactions/0 offset 0
        hint: on_error: dead_letters keeps such records and goes on
6 tests: 4 failed, 2 passed, N ms
`,
    });
  });

  it('says what is broken, and runs the rest', async () => {
    p.write('broken.yaml', PIPELINE.replace('SUM(amount)', 'SUM(amonut)'));
    const r = await p.tests(`  - name: passes
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: 10.00}]}
`);
    expect([r.exit, r.out]).toEqual([3, 'pipelines/p.yaml\n  ✓ passes  N ms\n1 test: 1 passed, N ms\n']);
    expect(r.err).toContain('pipelines/broken.yaml:9:27 error[user.sql.unknown_column]: column "amonut" does not exist in "transactions"');
    expect(plain(await p.call(['test', 'nowhere.yaml'])).exit).toBe(3);
  });

  it('says that there are no tests', async () => {
    p.write('p.yaml', PIPELINE);
    expect(plain(await p.call(['test']))).toEqual({
      exit: 4, out: 'pipelines/p.yaml  no tests\n0 tests: 0 passed, N ms\n', err: 'no tests ran: write them under "tests:" of a pipeline, or in a file beside it that ends in .test.yaml\n',
    });
    const r = await p.tests('  - {name: one, input: {transactions: []}, expect: {sums: []}}\n', '-t', 'two');
    expect(r).toEqual({ exit: 2, out: '', err: 'user.usage.bad_value: no test has "two" in its name\nhint: there is 1 test: "one"' });
  });

  it('has files of tests to itself: run passes them over in a folder, validate checks them', async () => {
    p.write('p.yaml', PIPELINE);
    p.write('p.test.yaml', 'pipeline: p.yaml\ntests:\n  - {name: a, input: {transactions: []}, expect: {sums: []}}\n');
    mkdirSync(p.path('pipelines/deeper.yaml'));
    const ok = 'ok  pipelines/p.yaml: p, 1 source (transactions), 1 sink (sums)\n';
    expect((await p.call(['validate', 'pipelines/'])).out).toBe(`${ok}ok  pipelines/p.test.yaml: 1 test of p\n`);
    expect(plain(await p.call(['run', 'pipelines/', '--until-end', '--brokers', 'none', '--quiet']))).toMatchObject({ exit: 0 });
    expect(plain(await p.call(['run', 'p.test.yaml'])).err).toBe('user.config.no_pipeline: p.test.yaml holds tests of a pipeline\nhint: pipe test p.test.yaml runs them');

    p.write('p.test.yaml', 'pipeline: p.yaml\ntests: []\n');
    p.write('q.test.yaml', 'pipeline: q.yaml\ntests: [{name: a, expect: {summs: []}, input: {transactions: []}}]\n');
    const broken = await p.call(['validate', 'pipelines/']);
    expect([broken.exit, broken.out]).toEqual([3, ok]);
    expect(broken.err).toContain('pipelines/p.test.yaml:2:8 error[user.config.bad_value]: "tests" is empty');
    expect(broken.err).toContain('pipelines/q.test.yaml:1:11 error[user.config.file_missing]: there is no file "q.yaml"');
    const tested = await p.call(['test']);
    expect([tested.exit, tested.err]).toEqual([3, broken.err]);
  });

  it('needs no disk and no time', async () => {
    const r = await p.tests(`  - name: a day
    steps:
      - send: transactions
        rows: [${row(1, 10, 0)}]
      - advance: 1d
      - expect: {sums: [{total: 10.00}]}
`);
    expect([r.exit, r.out.includes('✓ a day')]).toEqual([0, true]);
    expect((await p.call(['topics', 'ls', '--brokers', 'none'])).out).not.toContain('transactions');
  });
});
