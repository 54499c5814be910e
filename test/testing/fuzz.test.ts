import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { failureLines } from '../../src/cli/test-diff.ts';
import { painter } from '../../src/cli/test-paint.ts';
import { renderProblems } from '../../src/cli/render-error.ts';
import { runTest, withoutRun, type TestResult } from '../../src/testing/run-test.ts';
import { loadSuite, type Suite } from '../../src/testing/suite.ts';
import { updateOf } from '../../src/testing/update.ts';
import { whole } from '../random.ts';
import { TestProject } from './project.ts';

const p = new TestProject();
afterAll(() => p.remove());

const shipped = readFileSync(resolve(import.meta.dirname, '../../pipelines/fraud.yaml'), 'utf8').replace(/ *sample:.*\n/, '');
const base = `pipeline: fraud.yaml\n${shipped.slice(shipped.indexOf('\ntests:') + 1)}  - name: all of it
    partitions: 2
    ordered: true
    now: 2024-01-01T12:00:00Z
    steps:
      - {send: transactions, key: "1", partition: 1, headers: {a: b}, time: 2024-01-01T12:00:00Z, rows: [{account: 1, amount: 6000, timestamp: "1704110400"}]}
      - {idle: transactions, partition: 0}
      - restart
      - {expect: {fraud-alerts: [{account: 1}]}, expect_late: 0, expect_dead_letters: {user.data.type: 0}}
    expect_error: user.data.type
`;
const PIECES = ['null', '[]', '{}', '5', '-1', '"x"', ': ', '\n', '  ', '- ', 'restart', '1e99', '&a ', '*a', '${X}', '7500.00', '99999999', '1d', 'transactions', 'expect', '[', '}', ',', '0x1F', 'true', '#', '\r\n'];
const FILES = 500;
/** One seed with every test; others by hand. */
const SEED = Number(process.env['PIPE_FUZZ_SEED'] ?? 1424517073);

function load(text: string): Suite {
  p.write('f.test.yaml', text);
  return loadSuite(join(p.dir, 'pipelines/f.test.yaml'), { env: { X: 'x' }, root: p.dir, cwd: p.dir });
}

async function run({ compiled, tests, problems }: Suite): Promise<TestResult[]> {
  const results: TestResult[] = [];
  for (const t of tests) results.push(compiled === null ? withoutRun(t, problems) : await runTest(compiled, t));
  return results;
}

it(`any file of tests is run or refused, and after an update its rows are as expected (PIPE_FUZZ_SEED=${SEED})`, async () => {
  p.write('fraud.yaml', shipped);
  const random = whole(SEED);
  const piece = (): string => PIECES[random(PIECES.length)] as string;
  let ran = 0;
  let updated = 0;
  for (let k = 0; k < FILES; k++) {
    let text = base;
    for (let n = 1 + random(2); n > 0; n--) {
      const at = random(text.length);
      text = text.slice(0, at) + piece() + text.slice(at + random(12));
    }
    const suite = load(text);
    if (suite.broken.length > 0) {
      expect(renderProblems(suite.broken, { color: false })).toContain('error[user.');
      continue;
    }
    const results = await run(suite);
    ran += results.length;
    for (const r of results) expect(failureLines(r.failures, { paint: painter(false), color: false, columns: 76 }).length > 0, text).toBe(r.failures.length > 0);
    const source = suite.tests[0]?.nameSpan.source;
    const update = source === undefined ? null : updateOf(source, results);
    if (update === null || update.rows === 0) continue;
    updated++;
    const again = load(update.text);
    expect(again.broken, `${text}\n=== updated:\n${update.text}`).toEqual([]);
    const left = (await run(again)).filter(r => !update.left.includes(r.test.name) && r.failures.some(f => f.k === 'rows'));
    expect(left.map(r => r.test.name), update.text).toEqual([]);
  }
  expect(ran).toBeGreaterThan(50);
  expect(updated).toBeGreaterThan(5);
});
