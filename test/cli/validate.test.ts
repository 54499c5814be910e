import { afterEach, beforeEach, expect, it } from 'vitest';
import { PipeProject } from './pipe.ts';

let p: PipeProject;
beforeEach(() => { p = new PipeProject(); });
afterEach(() => { p.remove(); });

it('validate shows what is wrong with the SQL beside what is wrong with the rest of a file', async () => {
  p.write('v.yaml', `name: v
surces: 1
sources:
  s: {schema: "k STRING, v BIGINT"}
  q: {schema: "k STRANG"}
sinks:
  a: {sql: "SELECT k, nope FROM s", bad_field: 1}
  b: {sql: "SELEC k FROM s"}
  c: {sql: "SELECT x FROM q"}
  d: {sql: 12}
`);
  const r = await p.call(['validate', 'v', '--json']);
  // nothing of c: whether q has an x is known once its schema can be read
  expect([r.exit, r.json.map(e => `${String(e['line'])} ${String(e['code'])}`)]).toEqual([3, [
    '2 user.config.unknown_key', '5 user.sql.type', '7 user.sql.unknown_column', '7 user.config.unknown_key', '8 user.sql.syntax', '10 user.config.bad_type',
  ]]);
});

const GOOD = 'name: v\nsources:\n  s: {schema: "k STRING"}\nsinks:\n  o: {sql: SELECT k FROM s}\n';

it.each([
  ['a row with a column that the sink has no more', 'tests:\n  - {name: t, input: {s: [{k: a}]}, expect: {o: [{k: a, gone: 1}, {k: b, gone: 2}]}}\n', 'user.sql.unknown_column', 2],
  ['keys that a test has not', 'tests:\n  - {name: t, extra: 1, input: {s: []}, expect: {o: []}}\n', 'user.config.unknown_key', 1],
  ['a variable that is not set', 'tests:\n  - {name: t, input: {s: [{k: "${PIPE_NOWHERE}"}]}, expect: {o: []}}\n', 'user.config.unset_variable', 1],
  ['no list', 'tests: 7\n', 'user.config.bad_type', 1],
])('what is wrong with nothing but the tests of a file stops none of the other commands: %s', async (_, tests, code, n) => {
  p.write('v.yaml', `${GOOD}${tests}`);
  for (const command of ['validate', 'test']) expect([command, (await p.call([command, 'v'])).exit]).toEqual([command, 3]);
  expect((await p.call(['validate', 'v', '--json'])).json.map(e => [e['code'], e['severity']])).toEqual(Array.from({ length: n }, () => [code, 'error']));
  await p.send('s', ['{"k":"a"}']);
  for (const argv of [['run', 'v', '--until-end'], ['explain', 'v', '--diff'], ['state', 'ls', 'v'], ['dlq', 'ls', 'v'], ['doctor', 'v'], ['config', 'v']]) {
    const r = await p.ok(argv);
    expect([argv, r.err.match(/warning\[[\w.]+\]/g) ?? []]).toEqual([argv, argv[0] === 'doctor' ? [] : [`warning[${code}]`]]);
    if (argv[0] === 'run') expect(r.out).toBe('{"k":"a"}\n');
  }
  expect((await p.ok(['run', 'v', '--until-end', '--quiet'])).err).toBe('');
  expect((await p.ok(['explain', 'v'])).err).toMatch(n === 1 ? /only "tests" is wrong/ : /has no column "gone", and 1 more problem\n/);
});

it('with something else wrong a file is refused, and all of it is said', async () => {
  p.write('v.yaml', `${GOOD.replace('SELECT k', 'SELECT x')}tests:\n  - {name: t, extra: 1, input: {s: []}, expect: {o: []}}\n`);
  for (const command of ['run', 'explain', 'validate']) expect([command, (await p.call([command, 'v'])).exit]).toEqual([command, 3]);
  expect((await p.call(['validate', 'v', '--json'])).json.map(e => e['code'])).toEqual(['user.sql.unknown_column', 'user.config.unknown_key']);
});
