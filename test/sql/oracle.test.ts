import { describe, expect, it } from 'vitest';
import { PipeError, plainSql } from '../../src/errors.ts';
import { parseQuery } from '../../src/sql/parse/parse.ts';
import { Expressions, fuzzCount, fuzzSeed, random } from './generate.ts';
import { normalised, pgAccepts, pgExpr } from './pg-tree.ts';

/** Our tree of an expression, or what the error says. */
function ours(sql: string): { readonly tree: string | null; readonly error: string } {
  try {
    const q = parseQuery(plainSql(`SELECT ${sql}`));
    const [item, ...more] = q.k === 'select' ? q.items : [];
    if (item === undefined || item.as !== null || more.length > 0) throw new Error(`not one item: ${sql}`);
    return { tree: normalised(item.expr), error: '' };
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    return { tree: null, error: error.message };
  }
}

/**
 * Every known difference to PostgreSQL, on purpose. The generated expressions use none of these forms; what is not here is
 * compared. First the expression, then our tree and PostgreSQL's (null: refused).
 */
const readHereOnly: readonly (readonly [sql: string, tree: string, why: string])[] = [
  ['upper(a)[1]', 'upper(a)[1]', 'elements of calls, CAST and ARRAY[..] need no brackets, as in Flink'],
  ['ARRAY[a, b][1]', 'array[a, b][1]', 'the same'],
  ['a BETWEEN NOT b AND c', '(a between (not b) and c)', 'NOT ends before AND, so nothing is in doubt'],
  ['try_cast(a AS int)', 'try_cast(a as int4)', 'Flink has TRY_CAST'],
  ['CAST(a AS ARRAY<int>)', 'cast(a as array<int>)', 'types are those of Flink'],
  ['`a`', '"a"', 'Flink quotes names in backticks'],
  ['floor(a TO DAY)', `floor('day', a)`, 'Flink rounds times with FLOOR and CEIL'],
  ['first_value(a) IGNORE NULLS OVER ( )', 'first_value(a) ignore nulls over [part [] order []]', 'in the standard'],
  [`MAP['a', b]`, `MAP('a', b)`, 'Flink has maps'],
  ...['offset', 'table', 'window', 'desc'].map(word => [word, word, 'fewer words are reserved, since columns of topics have such names'] as const),
];
const readThereOnly: readonly (readonly [sql: string, error: string, why: string])[] = [
  ['a BETWEEN b = c AND d', 'expected AND between the two bounds, found "="', 'the standard wants brackets, and so do readers'],
  ['position(a = b IN c)', 'expected IN, found "="', 'the same'],
  ['a ISNULL', 'unexpected "ISNULL"', 'not in the standard; the hint names IS NULL'],
  ['a NOTNULL', 'unexpected "NOTNULL"', 'the same'],
  ['a ILIKE b', 'unexpected "ILIKE"', 'an operator of PostgreSQL alone'],
  ['a ~ b', 'unexpected "~"', 'the same'],
  ['a ^ b', 'unexpected "^"', 'the same'],
  ['a == b', 'unexpected "=="', 'PostgreSQL lets users define operators'],
  ['a COLLATE "C"', 'unexpected "COLLATE"', 'text is compared by code point'],
  [`a AT TIME ZONE 'utc'`, 'unexpected "AT"', 'later'],
  ['a BETWEEN SYMMETRIC b AND c', 'not supported yet: BETWEEN SYMMETRIC', 'later'],
  ['a = ANY (ARRAY[1])', 'not supported yet: ANY', 'later'],
  ['a IS JSON OBJECT', 'not supported yet: IS JSON OBJECT', 'later'],
  ['f(a => 1)', 'not supported yet: named arguments', 'later'],
  ['(a).b', 'not supported yet: fields of an expression', 'later'],
  ['a::int[]', 'not supported yet: ARRAY types', 'ARRAY<INT> as in Flink, later'],
  ['sum(a) OVER w', 'not supported yet: named windows', 'later'],
  ['sum(a) OVER (GROUPS 1 PRECEDING)', 'not supported yet: GROUPS frames', 'later'],
  [`E'a'`, `E'..' is no literal of this language`, 'a backslash in text is a backslash'],
  [`X'1F'`, `not supported yet: binary literals (X'..')`, 'later'],
  ['1_000', '"1_000" is no number', 'Flink and the standard before 2023 have neither this'],
  ['0x1F', '"0x1F" is no number', 'nor this'],
  ['$1', 'expected a column or expression, found "$"', 'there are no parameters'],
  ['a[1:2]', 'expected "]", found ":"', 'slices are PostgreSQL alone'],
  [`INTERVAL '1 day'`, 'INTERVAL needs a unit such as SECOND', 'Flink wants the unit outside; so it is known when the text is checked'],
  [`text 'x'`, `unexpected "'x'"`, 'literals have the types of the standard'],
  ['f.g(a)', 'a function has no dot in its name', 'there are no catalogs'],
  ['substring(a for b)', 'expected ")", found "for"', 'Flink has no such form'],
  [`extract('year' from a)`, `expected a time unit, found "'year'"`, 'units are words'],
  ['row()', 'expected a column or expression, found ")"', 'an empty row has no use'],
  ['a - /* /* */ b */ - c', 'expected a column or expression, found "/"', 'comments do not nest, as in Flink'],
];
const readOtherwise: readonly (readonly [sql: string, tree: string, there: string, why: string])[] = [
  ['Account', 'Account', 'account', 'names keep their case, as fields of JSON do'],
  ['a ||-b', '(a || (- b))', '(a ||- b)', 'there are no user-defined operators, so signs in a row are told apart'],
  ['a %-b', '(a % (- b))', '(a %- b)', 'the same'],
  ['timestampdiff(SECOND, a, b)', `timestampdiff('second', a, b)`, 'timestampdiff(second, a, b)', 'the unit is no column'],
  [`MAP['a']`, `MAP('a')`, `map['a']`, 'MAP starts a map, not a column'],
];

describe('expressions as PostgreSQL reads them', () => {
  it('generated ones have the same tree, or none in either', { timeout: 600_000 }, () => {
    const seed = fuzzSeed();
    const count = fuzzCount(20_000);
    process.stderr.write(`PIPE_FUZZ_SEED=${seed} PIPE_FUZZ_COUNT=${count}\n`);
    const all = new Expressions(random(seed));
    const different: string[] = [];
    let equal = 0;
    for (let i = 0; i < count; i++) {
      const sql = all.flat(i % 4);
      const here = ours(sql);
      const there = pgExpr(sql);
      if (here.tree !== there) different.push(`${sql}\n  here  ${here.tree ?? here.error}\n  there ${there}`);
      else if (there !== null) equal++;
    }
    expect(different.sort((a, b) => a.length - b.length).slice(0, 10).join('\n')).toBe('');
    // the rest is refused by both; when most were, the generator would test nothing
    expect(equal).toBeGreaterThan(count * 0.7);
  });

  it.each(readHereOnly)('only here: %s', (sql, tree) => {
    expect(ours(sql)).toEqual({ tree, error: '' });
    expect(pgExpr(sql)).toBeNull();
  });

  it.each(readThereOnly)('only there: %s', (sql, error) => {
    expect(ours(sql)).toEqual({ tree: null, error });
    expect(pgAccepts(`SELECT ${sql}`)).toBe(true);
  });

  it.each(readOtherwise)('otherwise: %s', (sql, tree, there) => {
    expect(ours(sql)).toEqual({ tree, error: '' });
    expect(pgExpr(sql)).toBe(there);
  });
});
