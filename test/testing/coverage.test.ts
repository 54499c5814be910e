import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plain, row, TestProject } from './project.ts';

let p: TestProject;
beforeEach(() => { p = new TestProject(); });
afterEach(() => p.remove());

const SQL = `name: p
sources:
  t:
    schema: a BIGINT, b BIGINT NOT NULL, ok BOOLEAN, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
steps:
  some: |
    SELECT a, b, ok, ts FROM t
    WHERE (a > 0 AND b <> 2)
      OR ok
sinks:
  o:
    sql: |
      SELECT COUNT(*) AS n,
             SUM(CASE WHEN b = 1 THEN 10
                      WHEN b = 3 THEN 30 END) AS s,
             COUNT(*) FILTER (WHERE b = 9) AS nines
      FROM some
      GROUP BY TUMBLE(ts, INTERVAL '1' SECOND)
      HAVING COUNT(*) > 1 AND NOT SUM(a) IS NULL
tests:
`;

/** Lines of what was not reached, and the line that counts. */
async function covered(tests: string): Promise<string[]> {
  p.write('p.yaml', `${SQL}${tests}`);
  const r = plain(await p.call(['test', '--coverage']));
  expect([r.exit, r.err]).toEqual([0, '']);
  return r.out.split('\n').filter(l => l.startsWith('coverage') || l.startsWith('  pipelines/')).map(l => l.replaceAll('pipelines/', ''));
}

describe('pipe test --coverage', () => {
  it('is whole for the pipelines that come with pipe', async () => {
    const r = plain(await p.shipped().call(['test', '--coverage']));
    expect(r.out).toContain(`coverage of pipelines/balances.yaml: 5 of 5 outcomes (100 %)
coverage of pipelines/fraud.yaml: 6 of 6 outcomes (100 %)
`);
  });

  // by hand: a > 0 T F N, b <> 2 T F, ok T F N, CASE 3 branches, FILTER T F, COUNT(*) > 1 T F, SUM(a) IS NULL T F, late, idle, dead letter: 20
  it('counts what the conditions and branches of the SQL came to', async () => {
    expect(await covered(`  - name: one row, a = 1, b = 1
    input: {t: [{a: 1, b: 1, ok: true, at: 1}]}
    expect: {o: []}
`)).toEqual([
      'coverage of p.yaml: 5 of 20 outcomes (25 %)',
      '  p.yaml:3  dead letter: no record of t is bad',
      '  p.yaml:5  idle: t never becomes idle',
      '  p.yaml:9  WHERE: a > 0 is false',
      '  p.yaml:9  WHERE: a > 0 is NULL',
      '  p.yaml:9  WHERE: ok is true',
      '  p.yaml:9  WHERE: ok is false',
      '  p.yaml:9  WHERE: ok is NULL',
      '  p.yaml:9  WHERE: b <> 2 is false',
      '  p.yaml:14  late: no row is late for o',
      '  p.yaml:15  CASE: ELSE',
      '  p.yaml:16  CASE: WHEN 2 of 2',
      '  p.yaml:17  FILTER: b = 9 is true',
      '  p.yaml:20  HAVING: COUNT(*) > 1 is true',
      '  p.yaml:20  HAVING: SUM(a) IS NULL is true',
      '  p.yaml:20  HAVING: SUM(a) IS NULL is false',
    ]);
  });

  it('adds up over tests and files; a test may reach all', async () => {
    p.write('p.test.yaml', `pipeline: p.yaml
tests:
  - name: the rest
    steps:
      - {send: t, text: [x]}
      - send: t
        rows:
          - {a: 0, b: 3, ok: true, at: 1}
          - {a: 0, b: 3, ok: false, at: 2}
          - {a: 1, b: 2, ok: true, at: 3}
          - {a: null, b: 9, ok: true, at: 1001}
          - {a: null, b: 9, ok: true, at: 1002}
          - {a: null, b: 1, at: 1003}
      - advance: 20s
      - {send: t, rows: [{a: 1, b: 1, ok: true, at: 1}]}
    expect: {o: [{n: 2, s: 30, nines: 0}]}
    expect_dead_letters: {user.data.decode: 1}
    expect_late: 1
`);
    expect(await covered(`  - name: one row, a = 1, b = 1
    input: {t: [{a: 1, b: 1, ok: true, at: 1}]}
    expect: {o: []}
`)).toEqual(['coverage of p.yaml: 20 of 20 outcomes (100 %)']);
  });

  it('asks for no NULL of what IS NOT NULL, and for nothing that never comes to a row', async () => {
    p.write('p.yaml', `name: p
sources: {t: {schema: 'a BIGINT, b BIGINT'}}
sinks:
  o: {sql: "SELECT COALESCE(a, b, 7) AS c, IF(a > 1, 1, 2) AS d FROM t WHERE a IS NOT NULL AND a > 5 AND TRUE"}
tests:
  - name: t
    input: {t: [{a: 6}, {a: 5}, {}]}
    expect: {o: [{c: 6}]}
`);
    const r = plain(await p.call(['test', '--coverage']));
    expect(r.out).toContain('coverage of pipelines/p.yaml: 4 of 5 outcomes (80 %)\n  pipelines/p.yaml:2  dead letter: no record of t is bad\n');
  });

  it('gives a condition the word that it has, also where a step has a HAVING and its reader a WHERE', async () => {
    p.write('p.yaml', `name: p
sources: {t: {schema: 'a STRING, n BIGINT NOT NULL, at BIGINT', event_time: {from: at, unit: ms}}}
steps:
  sums: |
    SELECT a, SUM(n) AS s FROM t GROUP BY a, TUMBLE(ts, INTERVAL '1' SECOND)
    HAVING COUNT(*) > 1
sinks:
  o: {sql: SELECT a FROM sums WHERE s < 5}
tests:
  - {name: none, input: {t: []}, expect: {o: []}}
`);
    const missed = plain(await p.call(['test', '--coverage'])).out.split('\n').filter(l => /WHERE|HAVING/.test(l));
    expect(missed).toEqual(['  pipelines/p.yaml:6  HAVING: COUNT(*) > 1 is true', '  pipelines/p.yaml:6  HAVING: COUNT(*) > 1 is false', '  pipelines/p.yaml:8  WHERE: s < 5 is true', '  pipelines/p.yaml:8  WHERE: s < 5 is false', '  pipelines/p.yaml:8  WHERE: s < 5 is NULL']);
  });

  it('says the same with --json, and nothing without the flag', async () => {
    p.write('p.yaml', `${SQL}  - {name: none, input: {t: []}, expect: {o: []}}\n`);
    const { json } = await p.call(['test', '--coverage', '--json']);
    expect(json.at(-1)).toMatchObject({ v: 1, passed: 1, coverage: [{ file: 'pipelines/p.yaml', reached: 0, of: 20, missed: { length: 20, 0: { file: 'pipelines/p.yaml', line: 3, kind: 'dead letter', text: 'no record of t is bad' } } }] });
    expect((await p.call(['test', '--json'])).json.at(-1)).not.toHaveProperty('coverage');
    expect(plain(await p.call(['test'])).out).not.toContain('coverage');
  });

  it('is of pipelines without tests, too', async () => {
    p.write('p.yaml', SQL.replace('tests:\n', ''));
    const r = plain(await p.call(['test', '--coverage']));
    expect([r.exit, r.out.includes('coverage of pipelines/p.yaml: 0 of 20 outcomes (0 %)')]).toEqual([4, true]);
  });

  it('changes no result', async () => {
    const tests = `  - name: a restart goes on though the plan is watched
    steps:
      - {send: transactions, rows: [${row(1, 10, 0)}]}
      - restart
      - {send: transactions, rows: [${row(1, 20, 1)}]}
    expect: {sums: [{total: 30.00}]}
`;
    expect((await p.tests(tests, '--coverage')).out).toContain('✓ a restart');
    expect(readFileSync(p.path('pipelines/p.yaml'), 'utf8')).toContain(tests);
  });
});
