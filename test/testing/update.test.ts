import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PIPELINE, plain, row, TestProject } from './project.ts';

let p: TestProject;
beforeEach(() => { p = new TestProject(); });
afterEach(() => p.remove());

const read = (file = 'p.test.yaml'): string => readFileSync(p.path('pipelines', file), 'utf8');

/** What `--update` makes of a file of tests, and what it says. */
async function updated(tests: string, ...flags: string[]): Promise<{ text: string; out: string; exit: number }> {
  p.write('p.yaml', PIPELINE);
  p.write('p.test.yaml', `pipeline: p.yaml\ntests:\n${tests}`);
  const { out, exit } = plain(await p.call(['test', 'p.test.yaml', '--update', ...flags]));
  return { text: read().replace('pipeline: p.yaml\ntests:\n', ''), out, exit };
}

describe('pipe test --update', () => {
  it('writes what came, and leaves comments and form', async () => {
    const r = await updated(`  # about sums
  - name: sums   # of a minute
    input:
      transactions:
        - ${row(1, 10, 0)}
        - ${row(2, '20.50', 1)}
        - ${row(3, 7, 2)}
    expect:
      sums:      # any order
        - {account: 1, total: 11.00}     # the first

        # the second
        - account: 2
          total:   20.5     # two digits
          window_end: 1704110460000
        - {account: 17, total: 1.00}     # gone
    # the end
`);
    expect(r.text).toBe(`  # about sums
  - name: sums   # of a minute
    input:
      transactions:
        - ${row(1, 10, 0)}
        - ${row(2, '20.50', 1)}
        - ${row(3, 7, 2)}
    expect:
      sums:      # any order
        - {account: 1, total: 10.00}     # the first

        # the second
        - account: 2
          total:   20.50     # two digits
          window_end: 1704110460000
        - {account: 3, total: 7.00, window_end: 1704110460000}
    # the end
`);
    expect(r).toMatchObject({
      exit: 0, out: `pipelines/p.test.yaml
   12 -         - {account: 1, total: 11.00}     # the first
   12 +         - {account: 1, total: 10.00}     # the first
   16 -           total:   20.5     # two digits
   16 +           total:   20.50     # two digits
   18 -         - {account: 17, total: 1.00}     # gone
   18 +         - {account: 3, total: 7.00, window_end: 1704110460000}
wrote pipelines/p.test.yaml: 4 rows of 1 test
pipelines/p.test.yaml
  ✓ sums  N ms
1 test: 1 passed, N ms
`,
    });
  });

  it('adds rows and takes rows away, in lists of both forms', async () => {
    const one = `    input: {transactions: [${row(1, 10, 0)}, ${row(2, 10, 0)}]}\n`;
    const r = await updated(`  - name: a
${one}    expect: {sums: []}
  - name: b
${one}    expect:
      sums:
        - account: 1
          total: 10.00
  - name: c
    input: {transactions: []}
    expect: {sums: [{account: 1}, {account: 2}]}   # none
  - name: d
    input: {transactions: []}
    expect:
      sums:
        - {account: 1}
        - account: 2
          total: 1
  - name: e
    steps:
      - {send: transactions, rows: [${row(1, 10, 0)}, ${row(1, 20, 70)}]}
      - expect: {sums: [ {account: 1, total: 10.00}, {account: 1, total: 20.00} ]}
    expect:
      sums: [{account: 1, total: 10.00}, {total: 20.00}]
`);
    expect(r.text).toBe(`  - name: a
${one}    expect: {sums: [{account: 1, total: 10.00, window_end: 1704110460000}, {account: 2, total: 10.00, window_end: 1704110460000}]}
  - name: b
${one}    expect:
      sums:
        - account: 1
          total: 10.00
        - account: 2
          total: 10.00
  - name: c
    input: {transactions: []}
    expect: {sums: []}   # none
  - name: d
    input: {transactions: []}
    expect:
      sums: []
  - name: e
    steps:
      - {send: transactions, rows: [${row(1, 10, 0)}, ${row(1, 20, 70)}]}
      - expect: {sums: [ {account: 1, total: 10.00} ]}
    expect:
      sums: [{total: 20.00}]
`);
    expect(r.exit).toBe(0);
    expect(r.out).toContain('wrote pipelines/p.test.yaml: 9 rows of 5 tests\n');
  });

  it('quotes what YAML would take for something else', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a STRING, b STRING, c BOOLEAN, d DOUBLE'}}
sinks: {o: {from: s}}
tests:
  - name: t
    input:
      s:
        - {a: "no", b: "12", c: true, d: 1}
        - {a: "x: [y], #z", b: "a\\"b\\nc", c: null, d: 1e300}
        - {a: plain words, b: "", c: false, d: 0.5}
    expect:
      o: []
`);
    expect((await p.call(['test', '--update'])).exit).toBe(0);
    expect(read('p.yaml')).toContain(`      o: [{a: "no", b: "12", c: true, d: 1.0}, {a: "x: [y], #z", b: "a\\"b\\nc", c: null, d: 1e+300}, {a: plain words, b: "", c: false, d: 0.5}]\n`);
  });

  it('leaves a text in quotes, or without', async () => {
    p.write('p.yaml', `name: p
sources: {s: {schema: 'a STRING, b STRING, c STRING'}}
sinks: {o: {from: s}}
tests:
  - name: t
    input: {s: [{a: new, b: new, c: "12"}]}
    expect: {o: [{a: "old", b: old, c: old}]}
`);
    expect((await p.call(['test', '--update'])).exit).toBe(0);
    expect(read('p.yaml')).toContain('    expect: {o: [{a: "new", b: new, c: "12"}]}\n');
  });

  it('writes nothing else: no counts, no errors, no test that was not asked for', async () => {
    const tests = `  - name: late
    input: {transactions: [${row(1, 10, 70)}, ${row(1, 10, 0)}]}
    expect: {sums: [{total: 10.00}]}
  - name: other
    input: {transactions: []}
    expect: {sums: [{total: 10.00}]}
`;
    const r = await updated(tests, '-t', 'late');
    expect([r.exit, r.text]).toEqual([4, tests]);
    expect(r.out).not.toContain('wrote');
  });

  it('leaves rows that an anchor brings from elsewhere', async () => {
    const tests = `  - name: t
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [&row {total: 11.00}]}
  - name: u
    input: {transactions: [${row(1, 10, 0)}]}
    expect: {sums: [*row]}
`;
    const r = await updated(tests, '-t', 'u');
    expect([r.exit, r.text]).toEqual([4, tests]);
    expect(r.out).toContain('pipelines/p.test.yaml: test "u" is left as it is: its rows stand elsewhere (an anchor or a variable)\n');
  });

  it('keeps line ends and a last line without one', async () => {
    p.write('p.yaml', PIPELINE);
    const tests = `pipeline: p.yaml\r\ntests:\r\n  - name: t\r\n    input: {transactions: [${row(1, 10, 0)}, ${row(2, 20, 0)}]}\r\n    expect:\r\n      sums:\r\n        - total: 9.00`;
    p.write('p.test.yaml', tests);
    const r = plain(await p.call(['test', 'p.test.yaml', '--update']));
    expect([r.exit, read()]).toEqual([0, `${tests.replace('9.00', '10.00')}\r\n        - total: 20.00\r\n`]);
  });

  it('writes no file that has changed meanwhile', async () => {
    p.write('p.yaml', PIPELINE);
    p.write('p.test.yaml', `pipeline: p.yaml\ntests:\n  - {name: t, input: {transactions: []}, expect: {sums: [{total: 1}]}}\n`);
    const { loadSuite } = await import('../../src/testing/suite.ts');
    const { runTest } = await import('../../src/testing/run-test.ts');
    const { updateFile } = await import('../../src/cli/test-update.ts');
    const suite = loadSuite(p.path('pipelines/p.test.yaml'), { env: {}, root: p.dir, cwd: p.dir });
    const result = await runTest(suite.compiled as NonNullable<typeof suite.compiled>, suite.tests[0] as (typeof suite.tests)[number]);
    writeFileSync(suite.path, 'other: text\n');
    const said: string[] = [];
    updateFile(suite, [result], line => { said.push(line); }, (_, text) => text);
    expect([said, readFileSync(suite.path, 'utf8')]).toEqual([['pipelines/p.test.yaml has changed meanwhile: nothing is written'], 'other: text\n']);
  });
});
