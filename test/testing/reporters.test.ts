import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PIPELINE, row, TestProject } from './project.ts';
import { parseXml } from './xml.ts';

let p: TestProject;
beforeEach(() => { p = new TestProject(); });
afterEach(() => p.remove());

const HOSTILE = `]]> </testcase> & <a href='x' b=\\"y\\"> \\u0000\\u001b[31m\\ufffe \\ud83d\\ude00 \\n\\t end`;

describe('reporters', () => {
  it('junit is well-formed XML, whatever names and data hold', async () => {
    p.write('p.yaml', `${PIPELINE}tests:
  - name: "${HOSTILE}"
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: 11.00}]}
  - name: passes
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: 10.00}]}
`);
    p.write('q & <"r">.yaml', `name: q
sources: {s: {schema: 'a STRING'}}
sinks: {o: {from: s}}
tests:
  - name: data
    input: {s: [{a: "${HOSTILE}"}]}
    expect: {o: [{a: ""}]}
`);
    p.write('s.yaml', 'name: "<&>"\n');
    const r = await p.call(['test', '--reporter', 'junit']);
    expect(r.exit).toBe(3);
    const xml = parseXml(r.out);
    expect([xml.name, xml.attributes]).toMatchObject(['testsuites', { tests: '4', failures: '2', errors: '1' }]);
    const suites = xml.children.map(s => [s.attributes['name'], s.attributes['tests'], s.attributes['failures'], s.attributes['errors'], s.children.map(c => [c.attributes['name'], c.attributes['classname'], c.children.map(f => [f.name, f.attributes['message'], f.attributes['type']])])]);
    expect(suites).toEqual([
      ['pipelines/s.yaml', '1', '0', '1', [['pipelines/s.yaml', 'pipelines/s.yaml', [['error', expect.stringContaining('has no "sources"'), 'user.config.missing_key']]]]],
      ['pipelines/p.yaml', '2', '1', '0', [
        [']]> </testcase> & <a href=\'x\' b="y"> \ufffd\ufffd[31m\ufffd \u{1f600} \n\t end', 'pipelines/p.yaml', [['failure', 'sums: 1 row expected, 1 received', undefined]]],
        ['passes', 'pipelines/p.yaml', []],
      ]],
      ['pipelines/q & <"r">.yaml', '1', '1', '0', [['data', 'pipelines/q & <"r">.yaml', [['failure', 'o: 1 row expected, 1 received', undefined]]]]],
    ]);
    expect(xml.children[1]?.children[0]?.children[0]?.text).toBe(`pipelines/p.yaml:14
sums: 1 row expected, 1 received
  differs, line 16
  - total  11.00
  + total  10.00
- expected  + received
`);
    expect(xml.children[2]?.children[0]?.children[0]?.text).toContain(`+ a  "]]> </testcase> & <a href='x' b=\\"y\\"> `);
  });

  it('json has a line for each test and one for all; numbers keep their digits', async () => {
    p.write('p.yaml', `${PIPELINE}tests:
  - name: t
    input: {transactions: [${row(1, 10, 0)}, ${row(2, 10, 70)}, ${row(2, 10, 0)}]}
    expect: {sums: [{account: 1, total: 10}, {account: 3}]}
    expect_dead_letters: {user.data.type: 1}
  - {name: u, input: {transactions: []}, expect_error: user.data.type}
`);
    for (const flags of [['--json'], ['--reporter', 'json']]) {
      const { exit, json } = await p.call(['test', ...flags]);
      expect(exit).toBe(4);
      expect(json).toEqual([
        {
          v: 1, file: 'pipelines/p.yaml', line: 14, pipeline: 'p', test: 't', passed: false, ms: expect.any(Number) as number, warnings: [],
          failures: [
            {
              kind: 'rows', sink: 'sums', step: null, line: 16, expected: 2, received: 2,
              diffs: [
                { kind: 'differs', line: 16, expected: { account: '1', total: '10' }, received: { account: '1', total: '10.00', window_end: '1704110460000' } },
                { kind: 'missing', line: 16, expected: { account: '3' }, received: null },
                { kind: 'unexpected', line: null, expected: null, received: { account: '2', total: '10.00', window_end: '1704110520000' } },
              ],
            },
            { kind: 'dead_letters', code: 'user.data.type', step: null, line: 17, expected: 1, received: 0, messages: [] },
            { kind: 'late', code: null, step: null, line: 14, expected: 0, received: 1, messages: ['all windows of the row are closed'] },
          ],
        },
        { v: 1, file: 'pipelines/p.yaml', line: 18, pipeline: 'p', test: 'u', passed: false, ms: expect.any(Number) as number, warnings: [], failures: [{ kind: 'error', line: 18, expected: 'user.data.type', problems: [] }] },
        { v: 1, passed: 0, failed: 2, broken: 0, skipped: 0, ms: expect.any(Number) as number },
      ]);
    }
  });

  it('tty says of a pipeline that it has no tests only where no file has any for it', async () => {
    p.write('p.yaml', PIPELINE);
    p.write('p.test.yaml', `pipeline: p.yaml\ntests:\n  - {name: t, input: {transactions: []}, expect: {sums: []}}\n`);
    p.write('other.yaml', PIPELINE.replace('name: p', 'name: other').replace('sums', 'others'));
    const { exit, out } = await p.call(['test']);
    expect(exit).toBe(0);
    expect(out).toContain('pipelines/other.yaml  no tests\n');
    expect(out).not.toContain('pipelines/p.yaml  no tests');
  });

  it('json says which file is broken', async () => {
    p.write('p.yaml', 'name: p\nsuorces: {}\n');
    const { exit, json } = await p.call(['test', '--json']);
    expect(exit).toBe(3);
    expect(json[0]).toMatchObject({ v: 1, file: 'pipelines/p.yaml' });
    expect((json[0] as { problems: { line: number; code: string }[] }).problems).toContainEqual(expect.objectContaining({ line: 2, code: 'user.config.unknown_key' }));
    expect(json.at(-1)).toMatchObject({ passed: 0, failed: 0, broken: 1 });
  });

  it('tty has colours where they are wanted; data cannot act on the terminal', async () => {
    const tests = `  - name: "a\\u001b[31mb"
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [{total: 11.00}]}
`;
    const plain = await p.tests(tests);
    expect(plain.out).not.toContain('\u001b');
    const colored = await p.tests(tests, '--color', 'always');
    expect(colored.out).toContain('\u001b[31;1m✗\u001b[0m ab');
    expect(colored.out).toContain('\u001b[31m- total  11.00\u001b[0m\n      \u001b[32m+ total  10.00\u001b[0m');
  });

  it('quiet shows what failed', async () => {
    const r = await p.tests(`  - {name: passes, input: {transactions: []}, expect: {sums: []}}\n`, '--quiet');
    expect(r).toEqual({ exit: 0, out: '', err: '' });
    expect((await p.tests(`  - {name: fails, input: {transactions: []}, expect: {sums: [{total: 1}]}}\n`, '--quiet')).out).toContain('✗ fails');
  });

  it('shows no value of the environment', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a STRING, b BIGINT'}}
sinks: {o: {from: s}}
tests:
  - name: t
    input: {s: [{a: "\${S}", b: 1}, {a: "\${S}2", b: 2}, {a: "\${S}", b: 7}]}
    expect: {o: [{a: "\${S}", b: 3}, {a: "\${S}", b: 2}]}
`);
    for (const reporter of ['tty', 'json', 'junit']) {
      for (const more of [[], ['--update']]) {
        const r = await p.call(['test', '--reporter', reporter, ...more], { env: { S: 'canary' } });
        expect([r.exit, r.out + r.err]).toEqual([4, expect.not.stringContaining('canary')]);
      }
    }
    expect((await p.call(['test'], { env: { S: 'canary' } })).out).toContain(`      differs, line 7
        a  (from the environment)
      - b  3
      + b  1
      differs, line 7
      - a  (from the environment)
      + a  (not shown)
        b  2
      unexpected
      + a  (not shown)
      + b  7
`);
  });
});
