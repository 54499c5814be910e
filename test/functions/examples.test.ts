import { describe, expect, it } from 'vitest';
import { aggregates, scalars } from '../../src/sql/functions/index.ts';
import { JIT } from '../no-codegen.ts';
import { evaluate } from './harness.ts';

const engines = JIT.map(jit => [jit ? 'generated' : 'interpreter', jit] as const);

describe.each(engines)('examples with %s code', (_, jit) => {
  it.each(scalars.list().flatMap(f => f.examples.map(x => [x.sql, x.result] as const)))('%s is %s', (sql, result) => {
    expect(evaluate(`SELECT CAST(${sql} AS STRING) AS r FROM t`, jit)).toEqual([[result === 'NULL' ? null : result]]);
  });

  it.each(aggregates.list().flatMap(f => f.examples.map(x => [x.sql, x.values, x.result] as const)))('%s over %s is %s', (sql, values, result) => {
    const cases = values.map((v, i) => `WHEN ${i + 1} THEN ${v}`).join(' ');
    const query = `SELECT CAST(${sql} AS STRING) AS r FROM (SELECT CASE n ${cases} ELSE NULL END AS x FROM t) q`;
    expect(evaluate(query, jit, values.length)).toEqual([[result === 'NULL' ? null : result]]);
  });
});
