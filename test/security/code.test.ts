import { afterEach, expect, it } from 'vitest';
import { PipeErrors } from '../../src/errors.ts';
import { aggregates, scalars } from '../../src/sql/functions/index.ts';
import { evaluate } from '../functions/harness.ts';
import { GENERATED } from '../no-codegen.ts';
import { compiled, MemoryRun } from '../promises/memory-run.ts';
import { foreignTokens, recordingSources } from '../promises/vocabulary.mjs';

const canaries = globalThis as { canary?: unknown };
afterEach(() => { expect([canaries.canary, ({} as { x?: unknown }).x, Object.keys(Object.prototype)]).toEqual([undefined, undefined, []]); });

it.runIf(GENERATED)('every source that functions become is made of words of pipe', () => {
  const run = (sql: string): void => {
    try {
      evaluate(sql, true);
    } catch {
      // a type that the function does not take
    }
  };
  const sources = recordingSources(() => {
    for (const f of scalars.list()) for (const e of f.examples) run(`SELECT CAST(${e.sql} AS STRING) AS r FROM t`);
    for (const f of aggregates.list()) {
      for (const e of f.examples) for (const type of ['INT', 'BIGINT', 'DECIMAL(10,2)', 'DECIMAL(30,2)', 'DOUBLE', 'STRING', 'BOOLEAN', 'TIMESTAMP(3)']) run(`SELECT CAST(${e.sql} AS STRING) AS r FROM (SELECT TRY_CAST(CAST(n AS STRING) AS ${type}) AS x FROM t) q`);
    }
  });
  expect(sources.length).toBeGreaterThan(300);
  expect(sources.flatMap(foreignTokens)).toEqual([]);
});

it('the list of words is a list: what is no word of it is found', () => {
  expect(foreignTokens("const v0 = k1(c2[i]); if (v0 === 'number') throw process.exit(9);")).toEqual(['process', 'exit']);
  expect(foreignTokens("const v0 = 'a user';")).toEqual(["'a user'"]);
  expect(foreignTokens('v0 = `x`')).toEqual(['`x`']);
});

/** Of alasql issue 1302: a name in brackets, one in backticks, a column, a function. */
const VECTORS = ["SELECT * FROM [t'];globalThis.canary=1;//]", "SELECT * FROM `t'];globalThis.canary=1;//`", "SELECT \"a'];globalThis.canary=1;//\" FROM t", "SELECT \"x');globalThis.canary=1;//\"(a) FROM t"];

it('four ways to make AlaSQL run code of the query make none here', () => {
  for (const sql of VECTORS) {
    const sources = recordingSources(() => expect(() => compiled(`name: p\nsources:\n  t:\n    schema: a STRING\nsinks:\n  o:\n    sql: ${JSON.stringify(sql)}\n`), sql).toThrow(PipeErrors));
    expect(sources).toEqual([]);
  }
});

const seeds = [
  "'];globalThis.canary=1;//", '"];globalThis.canary=1;//', '`;globalThis.canary=1;`', '${globalThis.canary=1}', '*/globalThis.canary=1;/*', '\\";globalThis.canary=1;//', "\\';globalThis.canary=1;//", '\n;globalThis.canary=1;\n', '\u2028globalThis.canary=1\u2029',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__', 'this', 'eval', 'Function', 'process', 'require', 'import', 'globalThis', 'k0', 'v0', 'c0', 'b', 'h', 'i', 'return', 'await', ')', '}', '};', '/*', '//', '</script>', '\\u0027', '\ud800', '\u202e', 'a\u0000b',
];
/** 200 of them. */
const hostile = Array.from({ length: 200 }, (_, i) => (i < seeds.length ? seeds[i] as string : `${seeds[i % seeds.length] as string}${seeds[(i * 7 + Math.floor(i / seeds.length) * 5) % seeds.length] as string}`)).map(t => t.replaceAll('\ud800', '\u{10000}'));

it('200 hostile names and texts come out as they went in, and never as code', async () => {
  let ran = 0;
  let foreign = 0;
  const quote = (t: string): string => `"${t.replaceAll('"', '""')}"`;
  const literal = (t: string): string => `'${t.replaceAll("'", "''")}'`;
  for (const [i, text] of [...new Set(hostile)].entries()) {
    const sql = `SELECT ${quote(text)} AS ${quote(`${text}.`)}, ${literal(text)} AS lit, COUNT(*) AS n, MAX(${quote(text)} || ${literal(text)}) AS m FROM t WHERE ${quote(text)} = ${literal(text)} AND ${quote(text)} LIKE '%' GROUP BY ${quote(text)}, TUMBLE(ts, INTERVAL '1' SECOND)`;
    const yaml = `name: p\nsources:\n  t:\n    schema: {${JSON.stringify(text)}: STRING, at: BIGINT}\n    event_time: {from: at, unit: ms}\nsinks:\n  o:\n    sql: ${JSON.stringify(sql)}\n`;
    let run: MemoryRun | null = null;
    const sources = recordingSources(() => {
      try {
        run = new MemoryRun(compiled(yaml), 1);
      } catch (error) {
        if (!(error instanceof PipeErrors)) throw error;
      }
    });
    if (run === null) continue;
    const r = run as MemoryRun;
    r.send('t', [{ partition: 0, value: `{${JSON.stringify(text)}:${JSON.stringify(text)},"at":1704110400000}`, timestamp: 1_704_110_400_000 }]);
    const { rows, letters } = await r.toEnd();
    foreign += sources.flatMap(foreignTokens).length;
    expect(letters, `${i}: ${JSON.stringify(text)}`).toEqual([]);
    expect(rows['o']?.map(v => Object.entries(JSON.parse(v) as object)), JSON.stringify(text)).toEqual([[[`${text}.`, text], ['lit', text], ['n', 1], ['m', text + text]]]);
    ran++;
  }
  process.stderr.write(`hostile names: ran=${ran} foreign_tokens=${foreign}\n`);
  expect(foreign).toBe(0);
  expect(ran).toBeGreaterThan(150);
});
