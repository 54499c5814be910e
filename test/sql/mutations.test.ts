import { describe, expect, it } from 'vitest';
import { PipeError, plainSql } from '../../src/errors.ts';
import { lex, type Token } from '../../src/sql/parse/lex.ts';
import { parseQuery } from '../../src/sql/parse/parse.ts';
import { fuzzCount, fuzzSeed, random, type Random } from './generate.ts';
import { pgAccepts } from './pg-tree.ts';
import { showQuery } from './show.ts';

/** Queries that PostgreSQL reads too, so that it can judge their mutations. */
const queries = [
  `SELECT account, SUM(CASE WHEN type = 'withdrawal' THEN -amount ELSE amount END) AS balance FROM transactions GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)`,
  `SELECT account, SUM(amount) AS total, 5000.0 AS threshold, 'Account ' || CAST(account AS VARCHAR) AS message FROM transactions GROUP BY account, TUMBLE(ts, INTERVAL '1' MINUTE) HAVING SUM(amount) > 5000.0`,
  `SELECT o.id, p.amount::DECIMAL(12,2) paid FROM orders AS o LEFT JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' HOUR WHERE o.state NOT IN ('new', 'void')`,
  `SELECT id, n FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC NULLS LAST) AS n FROM t) AS r WHERE n <= 1 AND id IS NOT NULL`,
  `WITH big AS (SELECT * FROM t WHERE a > 10 OR b AND NOT c), small (x, y) AS (SELECT a, b FROM u) SELECT big.a, small.x FROM big JOIN small USING (x) ORDER BY 1 LIMIT 10 OFFSET 5`,
  `SELECT a FROM t UNION ALL SELECT b FROM u WHERE b LIKE '10!%' ESCAPE '!' INTERSECT (SELECT c FROM v) ORDER BY a DESC`,
  `SELECT DISTINCT COALESCE(a, b, 0) AS c, COUNT(*) FILTER (WHERE d IS DISTINCT FROM e), COUNT(DISTINCT f) FROM t, u CROSS JOIN v WHERE EXISTS (SELECT 1 FROM w WHERE w.id = t.id)`,
  `SELECT SUM(a) OVER (PARTITION BY b ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving, t.* FROM t WHERE (a, b) IN (SELECT c, d FROM u)`,
  `SELECT CASE kind WHEN 1 THEN 'one' WHEN 2 THEN 'two' END, SUBSTRING(s FROM 2 FOR 3), POSITION('x' IN s), TRIM(BOTH ' ' FROM s), EXTRACT(YEAR FROM ts) FROM t`,
  `SELECT v.a + v.b * -2 % 3 AS x, ARRAY_AGG(a ORDER BY b) FROM (VALUES (1, 2.5), (3, NULL)) AS v (a, b) WHERE TRUE AND v.a <> 4 GROUP BY v.a FETCH FIRST 3 ROWS ONLY`,
];
/** Forms that only we read: no judge, but nothing may crash or be lost. */
const ownQueries = [
  `SELECT window_start, account, SUM(amount) FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' SECOND, SIZE => INTERVAL '10' SECOND)) AS w GROUP BY window_start, account`,
  `SELECT o.a, TRY_CAST(r.rate AS DECIMAL(10, 4)) FROM SESSION(TABLE o PARTITION BY a, b, DESCRIPTOR(ts), INTERVAL '1' MINUTE) o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c`,
  `SELECT JSON_VALUE(doc, '$.a' RETURNING INT), LAST_VALUE(a) IGNORE NULLS OVER (ORDER BY b), FLOOR(ts TO HOUR), tags[1], MAP['k', 1] FROM t, UNNEST(t.tags) AS u (tag)`,
];
const inserted = ['SELECT', 'FROM', 'WHERE', 'GROUP', 'BY', 'ORDER', 'HAVING', 'LIMIT', 'JOIN', 'LEFT', 'INNER', 'CROSS', 'ON', 'USING', 'AS', 'AND', 'OR', 'NOT', 'IS', 'NULL', 'IN', 'LIKE',
  'BETWEEN', 'CASE', 'WHEN', 'THEN', 'ELSE', 'END', 'DISTINCT', 'ALL', 'UNION', 'EXCEPT', 'VALUES', 'WITH', 'EXISTS', 'CAST', 'INTERVAL', 'OVER', 'FILTER', 'PARTITION', 'ASC', 'x', '"x"', `'x'`, '1', '(', ')', '[', ',', '.', '*', '-', '=', '::', ';'];

/** Every one-token deletion, duplicate and swap, and insertions at each place: two, or PIPE_FUZZ_COUNT of the words above. */
function mutations(sql: string, r: Random): string[] {
  const tokens = lex(plainSql(sql)).slice(0, -1).map(t => sql.slice(...t.at));
  const join = (...parts: readonly (readonly string[])[]): string => parts.flat().join(' ');
  return tokens.flatMap((t, i) => {
    const before = tokens.slice(0, i);
    const after = tokens.slice(i + 1);
    const [next] = after;
    const start = r.below(inserted.length);
    const words = Array.from({ length: Math.min(fuzzCount(2), inserted.length) }, (_, k) => inserted[(start + k * 7) % inserted.length] as string);
    const swapped = next === undefined ? [] : [join(before, [next, t], after.slice(1))];
    return [join(before, after), join(before, [t, t], after), ...swapped, ...words.map(word => join(before, [word, t], after))];
  });
}

/** Why we take what PostgreSQL refuses. */
const onlyHere: readonly (readonly [form: RegExp, why: string])[] = [
  [/(=|::|\*|-|\bLIKE|\bAND|\bOR|\bLIMIT) DESC\b/, 'a column may have the name desc; what it means is not for the parser'],
  [/INTERVAL - '/, 'the standard has the sign outside the quotes too'],
  [/BETWEEN NOT /, 'NOT ends before AND, so nothing is in doubt'],
  [/IN NOT /, 'the same in POSITION(a IN NOT b)'],
  [/\. NOT IN /, 'after a dot every word is a name; PostgreSQL joins NOT IN before it looks'],
  [/COALESCE \( (DISTINCT|ALL) /, 'a function like every other'],
  [/FETCH FIRST NOT /, 'the count is any expression, as after LIMIT'],
];

const noise = new Set(['AS', 'ROW', 'BY', 'FROM', 'JOIN', 'INNER', 'OUTER', 'CROSS', 'ASC', 'ALL', 'PARTITION', 'PART', 'GROUP', 'UNIT', 'MODE', 'CAST', 'FOR', 'SYSTEM_TIME', 'OF', 'TABLE', 'DESCRIPTOR',
  'DATA', 'TIMECOL', 'TO', 'BOTH', '::', '=>', '(', ')', '[', ']', '{', '}', ',', ';']);
const key = (t: Token): string => (t.k === 'op' ? t.text.replace('!=', '<>') : t.k === 'word' ? t.word : `${t.k} ${t.text}`);

/** All that carries meaning, sorted: names, literals, operators and words, without those that only join others. */
function meaning(text: string): string[] {
  return lex(plainSql(text)).map(key).filter(k => k !== 'end ' && !noise.has(k)).sort();
}

/** Forms that the tree holds in other words. */
const written = (sql: string): string => sql.replace(/FILTER \( WHERE/g, 'FILTER (').replace(/(UNION|INTERSECT|EXCEPT) DISTINCT/g, '$1').replace(/LIMIT ALL/g, '')
  .replace(/FETCH FIRST (.+) ROWS ONLY/g, 'LIMIT $1').replace(/POSITION \( (.+?) IN/g, 'POSITION ( $1 ,').replace(/INTERVAL - '/g, `INTERVAL '-`)
  .replace(/(ROWS BETWEEN .*) AND (.*(PRECEDING|FOLLOWING|ROW))/g, (_, from: string, to: string) => `${from.replace('BETWEEN', '')} ${to}`);

interface Verdict { readonly tree: string | null; readonly error: string }
function verdict(sql: string): Verdict {
  try {
    return { tree: showQuery(parseQuery(plainSql(sql))), error: '' };
  } catch (error) {
    if (!(error instanceof PipeError)) return { tree: null, error: `crash: ${String(error)}` };
    if (error.span === undefined || error.span.end > sql.length || !error.code.startsWith('user.sql.')) return { tree: null, error: `crash: ${error.code} ${error.message}` };
    return { tree: null, error: error.message };
  }
}

describe('mutated queries', () => {
  const seed = fuzzSeed();
  process.stderr.write(`PIPE_FUZZ_SEED=${seed}\n`);
  const r = random(seed);
  const judged = queries.flatMap(q => mutations(q, r));
  const all = [...judged, ...ownQueries.flatMap(q => mutations(q, r))];

  it('start from queries that are read', () => {
    for (const sql of [...queries, ...ownQueries]) expect(verdict(sql)).toMatchObject({ error: '' });
    for (const sql of queries) expect(pgAccepts(sql), sql).toBe(true);
  });

  it('are read or refused at a place, without a crash', () => {
    expect(all.map(sql => `${verdict(sql).error} | ${sql}`).filter(e => e.startsWith('crash'))).toEqual([]);
  });

  it('are refused when PostgreSQL refuses them', () => {
    const wrong = judged.filter(sql => verdict(sql).tree !== null && !pgAccepts(sql) && !onlyHere.some(([form]) => form.test(sql)));
    expect(wrong).toEqual([]);
    // the exceptions are few: most of what is refused there is judged
    const refused = judged.filter(sql => !pgAccepts(sql));
    expect(refused.length).toBeGreaterThan(judged.length / 2);
    expect(refused.filter(sql => onlyHere.some(([form]) => form.test(sql))).length).toBeLessThan(refused.length / 50);
  });

  it('are seldom refused when PostgreSQL reads them', () => {
    const strict = judged.filter(sql => verdict(sql).tree === null && pgAccepts(sql));
    expect(strict.length).toBeLessThan(judged.length / 15);
  });

  it('keep every token when they are read', () => {
    const lost = all.flatMap(sql => {
      const { tree } = verdict(sql);
      if (tree === null) return [];
      const before = meaning(written(sql)).join(' ');
      const after = meaning(tree).join(' ');
      return before === after ? [] : [`${sql}\n  ${tree}\n  ${before}\n  ${after}`];
    });
    expect(lost).toEqual([]);
  });
});
