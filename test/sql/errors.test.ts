import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipeError, plainSql, SourceText, type SqlText } from '../../src/errors.ts';
import { lex } from '../../src/sql/parse/lex.ts';
import { parseQuery } from '../../src/sql/parse/parse.ts';
import { Cursor } from '../../src/sql/parse/cursor.ts';
import { errorOf, queryOf } from './show.ts';

type Rows = readonly (readonly [sql: string, error: string])[];
const errors = (rows: Rows): void => { it.each(rows)('%s', (sql, error) => { expect(errorOf(sql)).toBe(error); }); };

const ORDER = 'the clauses stand once and in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, UNION, ORDER BY, LIMIT';
const MISSING = 'is a comma or an operator missing before it?';

describe('the token that is wrong, by line and column', () => {
  errors([
    ['SELECT a,\n  b\nFORM t', '3:1 syntax unexpected "FORM" | did you mean "FROM"? [FORM]'],
    ['SELEC a FROM t', '1:1 syntax unexpected "SELEC" | did you mean "SELECT"? [SELEC]'],
    ['SELECT a FROM t WHRE b = 1', '1:17 syntax unexpected "WHRE" | did you mean "WHERE"? [WHRE]'],
    ['SELECT 1 UNIO SELECT 2', '1:10 syntax unexpected "UNIO" | did you mean "UNION"? [UNIO]'],
    ['SELECT a, FROM t', '1:11 syntax expected a column or expression, found "FROM" | remove the comma before it [FROM]'],
    ['SELECT FROM t', '1:8 syntax expected a column or expression, found "FROM" [FROM]'],
    ['SELECT a b c FROM t', `1:12 syntax unexpected "c" | ${MISSING} [c]`],
    ['SELECT 1 2', `1:10 syntax unexpected "2" | ${MISSING} [2]`],
    ['SELECT a\nFROM t\nWHERE b = = 1', '3:11 syntax expected a column or expression, found "=" [=]'],
    ['SELECT a FROM t GROUP a', '1:23 syntax expected BY, found "a" [a]'],
    ['SELECT a FROM t WHERE b GROUP BY c WHERE d', `1:36 syntax unexpected "WHERE" | ${ORDER} [WHERE]`],
    ['SELECT a FROM t HAVING b WHERE c', `1:26 syntax unexpected "WHERE" | ${ORDER} [WHERE]`],
    ['SELECT a FROM t LIMIT 1 WHERE b', `1:25 syntax unexpected "WHERE" | ${ORDER} [WHERE]`],
    ['SELECT a WHERE b', '1:16 syntax FROM is missing | SELECT .. FROM table WHERE .. [b]'],
    ['SELECT a FROM t ON b', '1:17 syntax unexpected "ON" | ON belongs to a JOIN, one for each [ON]'],
    ['SELECT a FROM t JOIN u ON b ON c', '1:29 syntax unexpected "ON" | ON belongs to a JOIN, one for each [ON]'],
    ['SELECT a FROM t LEFT LEFT JOIN u ON b', '1:22 syntax expected JOIN, found "LEFT" [LEFT]'],
    ['SELECT a FROM t WHERE b JOIN u ON c', '1:25 syntax unexpected "JOIN" | a JOIN stands in FROM, before WHERE [JOIN]'],
    ['SELECT a AS FROM t', '1:13 syntax expected a name after AS, found "FROM" [FROM]'],
    [`SELECT a AS 'x' FROM t`, `1:13 syntax expected a name after AS, found "'x'" ['x']`],
    ['SELECT * a FROM t', `1:10 syntax unexpected "a" | ${MISSING} [a]`],
    ['SELECT a * FROM t', '1:12 syntax expected a column or expression, found "FROM" [FROM]'],
    ['SELECT f(a b) FROM t', '1:12 syntax expected ")", found "b" [b]'],
    ['SELECT f(a,) FROM t', '1:12 syntax expected a column or expression, found ")" | remove the comma before it [)]'],
    ['SELECT CASE WHEN a THEN b FROM t', '1:27 syntax expected WHEN, ELSE or END, found "FROM" [FROM]'],
    ['SELECT CASE WHEN a b END', '1:20 syntax expected THEN, found "b" [b]'],
    ['SELECT f(CASE WHEN a THEN b)', '1:10 syntax this CASE is never closed | CASE WHEN condition THEN value ELSE value END [CASE]'],
    ['SELECT CAST(a INT)', '1:15 syntax expected AS, found "INT" | CAST(value AS type) [INT]'],
    ['SELECT CAST(a AS DECIMAL(x))', '1:26 syntax expected a whole number, found "x" [x]'],
    ['SELECT a IN b', `1:13 syntax expected a list in parentheses after IN, found "b" | such as IN ('a', 'b') [b]`],
    ['SELECT a IN ()', '1:13 syntax the list of IN is empty [()]'],
    ['SELECT a BETWEEN 1, 2', '1:19 syntax expected AND between the two bounds, found "," | BETWEEN low AND high; put a bound that is a condition in parentheses [,]'],
    ['SELECT a IS b', '1:13 syntax expected NULL, TRUE, FALSE, UNKNOWN, JSON, NOT or DISTINCT FROM after IS, found "b" [b]'],
    ['SELECT SUM(a) OVER (PARTITION a)', '1:31 syntax expected BY, found "a" [a]'],
    ['SELECT SUM(a) OVER (ORDER BY a ROWS 5)', '1:38 syntax expected PRECEDING or FOLLOWING, found ")" [)]'],
    ['SELECT SUM(a) FILTER (b)', '1:23 syntax expected WHERE, found "b" | FILTER (WHERE condition) [b]'],
    ['SELECT EXTRACT(YER FROM a)', '1:16 syntax expected a time unit, found "YER" | did you mean "YEAR"? [YER]'],
    ['SELECT t.5', `1:9 syntax unexpected ".5" | ${MISSING} [.5]`],
    ['SELECT a FROM t.', '1:16 syntax unexpected "." [.]'],
    ['SELECT a FROM ()', '1:15 syntax expected a table or a query, found "()" [()]'],
    ['SELECT a FROM SELECT b', '1:15 syntax expected a table, found "SELECT" | put the query in parentheses: (SELECT ..) AS t [SELECT]'],
    ['SELECT a FROM t,, u', '1:17 syntax expected a table, found "," | remove the comma before it [,]'],
    ['SELECT a FROM t JOIN u USING a', '1:30 syntax expected "(", found "a" [a]'],
    ['SELECT a FROM t LIMIT 1 LIMIT 2', '1:25 syntax LIMIT is written twice [LIMIT]'],
    ['SELECT a FROM t LIMIT 1, 2', '1:24 syntax unexpected "," | write LIMIT count OFFSET start [,]'],
    ['SELECT a FROM t FETCH FIRST 3 ONLY', '1:31 syntax expected ROWS, found "ONLY" | FETCH FIRST n ROWS ONLY [ONLY]'],
    ['SELECT a FROM t ORDER BY DESC', '1:26 syntax expected a column or expression, found "DESC" | quote a column of this name: "DESC" [DESC]'],
    ['SELECT a:: FROM t', '1:12 syntax expected a type such as STRING or DECIMAL(12,2), found "FROM" [FROM]'],
    ['SELECT 1[a]', '1:9 syntax unexpected "[" [[]'],
    ['SELECT (a, b)[1]', '1:14 syntax unexpected "[" [[]'],
    ['WITH a AS SELECT 1 SELECT 2', '1:11 syntax expected a query in parentheses, found "SELECT" [SELECT]'],
    ['WITH a AS (SELECT 1), SELECT 2', '1:23 syntax expected a name after WITH, found "SELECT" | remove the comma before it [SELECT]'],
    ['(SELECT 1) WHERE a', '1:18 syntax only ORDER BY, LIMIT and set operations follow a query in parentheses | SELECT .. FROM (query) AS q .. [a]'],
    ['42', '1:1 syntax expected SELECT, found "42" [42]'],
    ['"Größe" = 𝒳𝒳 !', '1:1 syntax expected SELECT, found ""Größe"" ["Größe"]'],
    ['SELECT 𝒳𝒳 !', '1:13 syntax unexpected "!" | write NOT [!]'],
  ]);

  it('in a file, at the place in the file', () => {
    const file = new SourceText('p.yaml', 'sql: |\n  SELECT a\n  FROM\n');
    const sql: SqlText = { text: 'SELECT a FROM\n', span: (start, end) => ({ source: file, start: start + 9, end: end + 9 }) };
    try {
      parseQuery(sql);
      expect.unreachable();
    } catch (error) {
      expect(error instanceof PipeError && error.span).toMatchObject({ source: file, start: 18, end: 22 });
    }
  });
});

describe('a text that ends too early', () => {
  errors([
    ['', '1:1 syntax the SQL is empty | write SELECT .. []'],
    ['  \n -- nothing', '2:12 syntax the SQL is empty | write SELECT .. []'],
    [';', '1:1 syntax expected SELECT, found ";" [;]'],
    ['SELECT', '1:1 syntax expected a column or expression, but the SQL ends here [SELECT]'],
    ['SELECT a FROM', '1:10 syntax expected a table, but the SQL ends here [FROM]'],
    ['SELECT a FROM t,\n', '1:16 syntax expected a table, but the SQL ends here | remove the comma [,]'],
    ['SELECT a FROM t WHERE b =', '1:25 syntax expected a column or expression, but the SQL ends here [=]'],
    ['SELECT a FROM t GROUP BY', '1:23 syntax expected a column or expression, but the SQL ends here [BY]'],
    ['SELECT 1 UNION', '1:10 syntax expected SELECT, but the SQL ends here [UNION]'],
    ['SELECT CASE WHEN a', '1:8 syntax this CASE is never closed | CASE WHEN condition THEN value ELSE value END [CASE]'],
    ['SELECT a FROM t FETCH FIRST ROWS', '1:29 syntax expected ROWS, but the SQL ends here | FETCH FIRST n ROWS ONLY [ROWS]'],
    ['VALUES', '1:1 syntax expected "(", but the SQL ends here [VALUES]'],
  ]);
});

describe('brackets, quotes and comments', () => {
  errors([
    ['SELECT (a FROM t', '1:8 syntax this "(" is never closed [(]'],
    ['SELECT a\nFROM t\nWHERE (a = 1 OR (b = 2)', '3:7 syntax this "(" is never closed [(]'],
    ['SELECT a) FROM t', '1:9 syntax unexpected ")" [)]'],
    ['SELECT (a] FROM t', '1:10 syntax expected ")", found "]" | the "(" at line 1, column 8 is still open []]'],
    ['SELECT a[1', '1:9 syntax this "[" is never closed [[]'],
    ['SELECT {a}', '1:8 syntax expected a column or expression, found "{" | variables are not replaced in SQL [{]'],
    [`SELECT 'abc FROM t`, `1:8 literal this text literal is never closed | close it with '; a ' inside is written '' [']`],
    [`SELECT 'it's' FROM t`, `1:13 literal this text literal is never closed | close it with '; a ' inside is written '' [']`],
    ['SELECT "abc FROM t', '1:8 literal this quoted name is never closed | close it with "; a " inside is written "" ["]'],
    ['SELECT `abc', '1:8 literal this quoted name is never closed | close it with `; a ` inside is written `` [`]'],
    ['SELECT a /* b', '1:10 syntax this comment is never closed | close it with */ [/*]'],
    ['SELECT a */ b', '1:11 syntax expected a column or expression, found "/" [/]'],
  ]);
});

const of = (piece: string, n: number, between = ''): string => Array.from({ length: n }, () => piece).join(between);

/** Reads of a token: the work of everything above the lexer, which itself goes over the text once. */
let reads = 0;
const peek = Cursor.prototype.peek;
beforeEach(() => {
  reads = 0;
  Cursor.prototype.peek = function count(this: Cursor, ahead: number) { reads++; return peek.call(this, ahead); };
});
afterEach(() => { Cursor.prototype.peek = peek; });

/** Every way to nest, with the position of the level that is one too many. */
const nestings: readonly (readonly [name: string, nested: (n: number) => string])[] = [
  ['brackets', n => `SELECT ${of('(', n)}a${of(')', n)}`],
  ['brackets on the left', n => `SELECT ${of('(', n)}a${of(' + 1)', n)}`],
  ['calls', n => `SELECT ${of('f(', n)}a${of(')', n)}`],
  ['CASE', n => `SELECT ${of('CASE WHEN ', n)}a${of(' THEN 1 END', n)}`],
  ['NOT', n => `SELECT ${of('NOT ', n)}a`],
  ['signs', n => `SELECT ${of('- ', n)}a`],
  ['elements', n => `SELECT ${of('a[', n)}1${of(']', n)}`],
  ['IN', n => `SELECT ${of('a IN (', n)}a${of(')', n)}`],
  ['OVER', n => `SELECT ${of('f() OVER (ORDER BY ', n)}a${of(')', n)}`],
  ['subqueries', n => `${of('SELECT (', n)}SELECT a${of(')', n)}`],
  ['subqueries in FROM', n => `${of('SELECT a FROM (', n)}SELECT a FROM t${of(') AS q', n)}`],
  ['WITH', n => `${of('WITH q AS (', n)}SELECT a${of(') SELECT a FROM q', n)}`],
  ['queries in brackets', n => `${of('(', n)}SELECT a${of(')', n)}`],
  ['set operations', n => `${of('SELECT 1 UNION (', n)}SELECT 1${of(')', n)}`],
];

describe('depth', () => {
  it.each(nestings)('%s: 100 levels are read, 101 are too deep, in linear time', (_, nested) => {
    queryOf(nested(50));
    const half = reads;
    reads = 0;
    queryOf(nested(100));
    expect(reads).toBeLessThan(half * 2.5);
    reads = 0;
    expect(errorOf(nested(101))).toMatch(/^1:\d+ too_deep the SQL nests deeper than 100 levels \| name a part of it in WITH or in a step \[(\(|\[|CASE|NOT|-)\]$/);
    expect(reads).toBeLessThan(half * 2.5);
  });

  it('points at the level that is one too many', () => {
    expect(errorOf(`SELECT ${of('(', 101)}a${of(')', 101)}`)).toMatch(/^1:108 /);
    expect(errorOf(`SELECT ${of('NOT ', 101)}a`)).toMatch(/^1:408 /);
  });

  it('counts levels of different kinds together', () => {
    expect(queryOf(`SELECT ${of('f(NOT ', 50)}a${of(')', 50)}`)).toBe(`{select ${of('f((not ', 50)}a${of('))', 50)}}`);
    expect(errorOf(`SELECT ${of('f(NOT ', 51)}a${of(')', 51)}`)).toMatch(/too_deep/);
  });

  it('is not the number of brackets', () => {
    expect(queryOf(`SELECT ${of('((a))', 500, ', ')}`)).toBe(`{select ${of('a', 500, ', ')}}`);
  });
});

/** Brackets of the printed tree: how deep it is. */
function depthOf(sql: string): number {
  let depth = 0;
  let most = 0;
  for (const c of queryOf(sql)) {
    if (c === '(') most = Math.max(most, ++depth);
    if (c === ')') depth--;
  }
  return most;
}

describe('length', () => {
  const linear: readonly (readonly [name: string, sql: (n: number) => string])[] = [
    ['IN', n => `SELECT a FROM t WHERE a IN (${of(`'x'`, n, ', ')})`],
    ['OR', n => `SELECT a FROM t WHERE ${of('a = 1', n, ' OR ')}`],
    ['AND in OR', n => `SELECT a FROM t WHERE ${of('a = 1 AND b = 2', n, ' OR ')}`],
    ['||', n => `SELECT ${of('a', n, ' || ')}`],
    ['WHEN', n => `SELECT CASE ${of('WHEN a THEN b ', n)}END`],
    ['VALUES', n => `VALUES ${of('(1)', n, ', ')}`],
    ['columns', n => `SELECT ${of('a', n, ', ')} FROM t`],
    ['arguments', n => `SELECT f(${of('a', n, ', ')}) FROM t`],
  ];
  it.each(linear)('%s: 5,000 are read, in linear time', (_, sql) => {
    queryOf(sql(500));
    const tenth = reads;
    reads = 0;
    queryOf(sql(5000));
    expect(reads).toBeLessThan(tenth * 10.5);
  });

  it('a list of 10,000', () => {
    expect(queryOf(`SELECT a IN (${of('1', 10_000, ', ')})`)).toBe(`{select (a in [${of('1', 10_000, ', ')}])}`);
  });

  it('long chains of AND, OR and || become shallow trees of the same leaves in the same order', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `c${i}`);
    for (const op of ['OR', 'AND', '||']) {
      const sql = `SELECT ${names.join(` ${op} `)}`;
      expect(depthOf(sql)).toBeLessThan(120);
      expect(queryOf(sql).match(/c\d+/g)).toEqual(names);
    }
  });

  it('other chains end at 1,000 operators, however they are nested', () => {
    expect(depthOf(`SELECT ${of('1', 1001, ' + ')}`)).toBe(1000);
    expect(errorOf(`SELECT ${of('1', 1002, ' + ')}`)).toBe('1:4012 too_deep this expression is more than 1000 operators deep | compute a part of it in a step [1]');
    expect(errorOf(`SELECT a${of('[1]', 1001)}`)).toMatch(/too_deep this expression/);
    expect(errorOf(`SELECT a${of('::INT', 1001)}`)).toMatch(/too_deep this expression/);
    expect(errorOf(`SELECT ${of('(', 90)}a${of(' + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1)', 90)}`)).toMatch(/too_deep this expression/);
    expect(errorOf(`SELECT ${of('(', 20)}a${of(` || ${of('a', 60, ' || ')})`, 20)}`)).toMatch(/too_deep this expression/);
    expect(depthOf(`SELECT ${of(`f(${of('1', 900, ' + ')})`, 20, ', ')}`)).toBe(900);
  });

  it('set operations and joins are bounded', () => {
    expect(queryOf(of('SELECT 1', 501, ' UNION '))).toMatch(/^\{+select 1\} union/);
    expect(errorOf(of('SELECT 1', 502, ' UNION '))).toMatch(/^1:7510 too_deep more than 500 set operations in one text/);
    expect(errorOf(of(`(${of('SELECT 1', 100, ' UNION ')})`, 6, ' UNION '))).toMatch(/too_deep more than 500 set operations in one text/);
    expect(queryOf(`SELECT a FROM t${of(' JOIN t ON b', 200)}`)).toMatch(/^\{select a from t, inner t on b, /);
    expect(errorOf(`SELECT a FROM t${of(' JOIN t ON b', 201)}`)).toMatch(/too_deep more than 200 joins in one FROM/);
    expect(errorOf(`SELECT a FROM t${of(', t', 201)}`)).toMatch(/too_deep more than 200 joins in one FROM/);
  });
});

describe('a megabyte of garbage', () => {
  const MB = 1_000_000;
  const garbage: readonly (readonly [name: string, text: string])[] = [
    ...['(', '[', ')', '$', '/*', '- ', 'NOT ', 'a ', 'SELECT ', 'WITH ', '((SELECT ', 'CASE WHEN ', 'CASE ', '::', 'f(', ',', '1x', '\u0000', '😀', ' UNION SELECT 1', 'a[1]', '::INT', 'FROM t JOIN '].map(piece => [piece, of(piece, MB / piece.length)] as const),
    ['base64', Buffer.from(Uint8Array.from({ length: MB * 0.75 }, (_, i) => i * 37 + (i >> 8))).toString('base64')],
    ['an odd number of quotes', of(`'`, MB + 1)],
    ['one number', `1${of('x', MB)}`],
  ];
  it.each(garbage)('%s', (_, text) => {
    for (const sql of [text, `SELECT ${text}`, `SELECT a ${text}`, `SELECT a FROM t WHERE ${text}`]) {
      reads = 0;
      const error = errorOf(sql);
      expect(error).toMatch(/ (syntax|literal|too_deep|unsupported) /);
      // it gives up where it sees the fault, not at the end
      expect(reads).toBeLessThan(30_000);
    }
  });

  it('makes no message as long as the text', () => {
    const name = of('x', MB);
    for (const sql of [`SELECT 1${name}`, `SELECT a FROM t u ${name}`, `SELECT a FROM ${name}(1)`, `SELECT a FROM ${name}-y`, `SELECT ${name}.f(a)`, `SELECT 1_${of('0', MB)}`, `${name} a`]) {
      try {
        parseQuery(plainSql(sql));
        expect.unreachable();
      } catch (error) {
        if (!(error instanceof PipeError)) throw error;
        expect(error.message.length + (error.hint?.length ?? 0)).toBeLessThan(700);
      }
    }
  });

  it('is lexed once: as many tokens as there are', () => {
    expect(lex(plainSql(of('a , ', 1000)))).toHaveLength(2001);
    expect(lex(plainSql(of('/**/', 250_000)))).toHaveLength(1);
  });
});
