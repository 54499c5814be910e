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

describe('a key', () => {
  it('is looked up in the names of the SELECT list where the rest of the SQL has a problem', async () => {
    const sink = (sql: string, key: string): Promise<string[]> => told(`${SOURCE}sinks:\n  o:\n    key: ${key}\n    sql: ${sql}\n`);
    expect(await sink('SELECT account, nope AS n FROM t', 'acount')).toEqual(['7:10 key column "acount" is not in the output', '8:26 column "nope" does not exist in "t"']);
    expect(await sink('SELECT account, nope AS n FROM t', '[account, n]')).toEqual(['8:26 column "nope" does not exist in "t"']);
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
