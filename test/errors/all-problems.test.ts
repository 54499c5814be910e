import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { validate } from '../../src/cli/validate.ts';
import { fakeIo } from '../cli/fake-io.ts';

const dir = mkdtempSync(join(tmpdir(), 'pipe-all-problems-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Problem {
  readonly severity: string;
  readonly line: number;
  readonly col: number;
  readonly message: string;
  readonly hint: string | null;
}

async function problemsOf(text: string): Promise<Problem[]> {
  writeFileSync(join(dir, 'p.yaml'), text);
  const io = fakeIo({ cwd: dir });
  await validate.run(parseCommandLine(validate, ['p.yaml', '--json']), io);
  return io.out.text.split('\n').filter(l => l !== '').map(l => JSON.parse(l) as Problem);
}

/** `line:col message` of each problem. */
const told = async (text: string): Promise<string[]> => (await problemsOf(text)).map(p => `${p.line}:${p.col} ${p.severity === 'warning' ? 'warning: ' : ''}${p.message}`);

describe('a source with a problem', () => {
  it('hides only what reads it: syntax is looked at everywhere, and other SQL is bound', async () => {
    expect(await told(`name: p
sources:
  bad:
    schema: a STRNG
  good:
    schema: a STRING
  none:
steps:
  over: SELECT a FROM bad
  wrong: SELECT b FROM good
  far: SELECT a FROM over
sinks:
  one: {sql: "SELECT nope FROM bad"}
  two: {sql: SELECT FORM bad}
  three: {sql: SELECT c FROM good}
  four: {sql: SELECT x FROM far}
  five: {from: over}
  six: {sql: SELECT x FROM none}
`)).toEqual([
      '4:15 there is no type STRNG',
      '7:3 source "none" has no value',
      '10:17 column "b" does not exist in "good"',
      '14:14 a query reads FROM a source or a step',
      '15:23 column "c" does not exist in "good"',
    ]);
  });

  it('or none at all: its tables are not said to be missing', async () => {
    const text = (sources: string): string => `name: p\n${sources}sinks:\n  one: {sql: SELECT a FROM t}\n  two: {sql: SELECT a FROM t WHERE (a}\n`;
    for (const sources of ['', 'sources: {}\n', 'sources:\n', 'sources: [t]\n', 'sources: {u: }\n']) {
      const found = await told(text(sources));
      expect(found).toEqual([expect.any(String), expect.stringMatching(/this "\(" is never closed/)]);
    }
  });

  it('is not known after an unset variable either', async () => {
    expect(await told('name: p\nsources:\n  t:\n    schema: ${COLUMNS}\nsinks:\n  o: {sql: SELECT a FROM t, key: b}\n')).toEqual(['4:13 variable COLUMNS is not set', '6:34 key column "b" is not in the output']);
  });
});

const SOURCE = 'name: p\nsources:\n  t:\n    schema: account STRING, amount DECIMAL(12,2)\n';

describe('a step with a problem', () => {
  it('hides only the queries that read it, directly or not', async () => {
    expect(await told(`${SOURCE}steps:
  bad: SELECT nope AS a FROM t
  reads: SELECT a FROM bad
  good: SELECT account FROM t
  loop: SELECT a FROM loop
sinks:
  one: {sql: SELECT a FROM bad}
  two: {sql: SELECT a FROM reads}
  three: {sql: SELECT b FROM good}
  four: {sql: SELECT c FROM t}
  five: {sql: WITH bad AS (SELECT account FROM t) SELECT d FROM bad}
  six: {sql: SELECT a FROM (SELECT a FROM bad)}
  seven: {sql: SELECT a FROM loop}
`)).toEqual([
      '6:15 column "nope" does not exist in "t"',
      '9:3 step "loop" reads itself through "loop"',
      '13:23 column "b" does not exist in "good"',
      '14:22 column "c" does not exist in "t"',
      '15:58 column "d" does not exist in "bad"',
    ]);
  });
});

it('text in double quotes, which is the name of a column, is said to be that', async () => {
  const [problem] = await problemsOf(`${SOURCE}sinks:\n  one: {sql: 'SELECT account FROM t WHERE account = "it is"'}\n`);
  expect(problem).toMatchObject({ line: 6, col: 53, message: 'column "it is" does not exist in "t"', hint: "text is written in single quotes: 'it is'; columns: account STRING, amount DECIMAL(12,2)" });
});

describe('a key', () => {
  it('is looked up in the names of the SELECT list where the rest of the SQL has a problem', async () => {
    const sink = (sql: string, key: string): Promise<string[]> => told(`${SOURCE}sinks:\n  o:\n    key: ${key}\n    sql: ${sql}\n`);
    expect(await sink('SELECT account, nope AS n FROM t', 'acount')).toEqual(['7:10 key column "acount" is not in the output', '8:26 column "nope" does not exist in "t"']);
    expect(await sink('SELECT account, nope AS n FROM t', '[account, n]')).toEqual(['8:26 column "nope" does not exist in "t"']);
    // the key may be right, and the column of the SELECT list the slip
    expect(await sink('SELECT acount, amount AS total FROM t', '[account, totl]')).toEqual(['7:20 key column "totl" is not in the output', '8:17 column "acount" does not exist in "t"']);
    expect(await sink('SELECT *, nope AS n FROM t', 'acount')).toEqual(['8:20 column "nope" does not exist in "t"']);
    expect(await sink('SELECT account FROM nope', 'acount')).toEqual(['7:10 key column "acount" is not in the output', '8:30 table "nope" does not exist']);
  });
});

describe('columns that cannot be written', () => {
  it('are pointed at', async () => {
    const sink = (sql: string): Promise<string[]> => told(`${SOURCE}sinks:\n  o:\n    sql: ${sql}\n`);
    expect(await sink('SELECT amount, account, amount AS account FROM t')).toEqual(['7:44 two columns of the output are named "account"']);
    expect(await sink('SELECT account, * FROM t')).toEqual(['7:26 two columns of the output are named "account"']);
    expect(await sink('SELECT DISTINCT account, account FROM t')).toEqual(['7:35 two columns of the output are named "account"']);
    expect(await sink('SELECT account, NULL AS x FROM t')).toEqual(['7:34 column "x" has no type']);
    expect(await sink("SELECT account, INTERVAL '1' DAY FROM t")).toEqual(['7:26 column "column_2" is an interval, which has no JSON form']);
  });
});

describe('tests', () => {
  const tested = (input: string, expected = '[]', time = ''): Promise<Problem[]> => problemsOf(`name: p
sources:
  t:
    schema: account BIGINT, amount DECIMAL(12,2), at STRING, ok BOOLEAN
${time}sinks:
  o: {sql: "SELECT account, amount AS total FROM t"}
tests:
  - name: x
    input: {t: [${input}]}
    expect: {o: ${expected}}
`);
  const short = async (...args: Parameters<typeof tested>): Promise<string[]> => (await tested(...args)).map(p => `${p.line}:${p.col} ${p.severity}: ${p.message}`);
  const TIME = '    event_time: {from: at, unit: s}\n';

  it('may say numbers and texts as producers send them, and leave fields out', async () => {
    expect(await short('{account: 1, amount: 2500, at: "1704110400", ok: true}, {account: "1", amount: "2500.5", at: 1704110400}, {account: null}, {amount: .5, account: 0x1F, ok: false}, {at: {a: [1]}}', '[]')).toEqual([]);
  });

  it('say what no record can hold', async () => {
    expect(await short('{account: ACC-7, amount: many}, {amount: 1.5, account: 1.5}, {ok: maybe}, {amount: 12345678901}, {account: [1]}, {amount: .inf}')).toEqual([
      '9:27 error: "account" is BIGINT, which "ACC-7" is not', '9:42 error: "amount" is DECIMAL(12,2), which "many" is not', '9:72 error: "account" is BIGINT, which 1.5 is not', '9:83 error: "ok" is BOOLEAN, which "maybe" is not',
      '9:100 error: "amount" is DECIMAL(12,2), which 12345678901 is not', '9:115 error: "account" is BIGINT, which a list is not', '9:139 error: "amount" is DECIMAL(12,2), which .inf is not',
    ]);
    expect(await short('{at: "1704110400"}, {at: soon}', '[]', TIME)).toEqual(['10:42 error: "at" holds the event time (unit: s), which "soon" is not']);
    expect((await tested('{account: x}'))[0]?.hint).toBe('a record like this would be a dead letter, no row');
  });

  it('name columns of the source; other fields are ignored, which is said once, unless they are nearly named as a column that is not there', async () => {
    expect(await short('{acount: 1, amount: 1}, {account: 1, amount: 1, acount: 2, currency: EUR}, {account: 1, currency: EUR, ta: 1}')).toEqual(['9:18 error: source "t" has no column "acount"']);
    expect((await tested('{acount: 1}'))[0]?.hint).toBe('did you mean "account"?');
    expect(await short('{account: 1, amount: 1, acount: 2, currency: EUR}, {account: 1, currency: EUR, ta: 1}')).toEqual([
      '9:41 warning: source "t" has no column "acount": the field is ignored', '9:52 warning: source "t" has no column "currency": the field is ignored', '9:96 warning: source "t" has no column "ta": the field is ignored',
    ]);
  });

  it('expect columns of the sink', async () => {
    expect(await tested('', '[{account: 1, total: 2.00}, {account: 1, totl: 2}, {xyz: 1}]')).toMatchObject([
      { line: 10, col: 58, message: 'sink "o" has no column "totl"', hint: 'did you mean "total"?' },
      { line: 10, col: 69, message: 'sink "o" has no column "xyz"', hint: 'columns: account BIGINT, total DECIMAL(12,2)' },
    ]);
  });

  it('show no value that came from the environment', async () => {
    writeFileSync(join(dir, '.env'), 'SECRET=hunter2\n');
    const [problem] = await tested('{account: "${SECRET}"}');
    rmSync(join(dir, '.env'));
    expect(problem?.message).toBe('"account" is BIGINT, which "${SECRET}" is not');
  });
});
