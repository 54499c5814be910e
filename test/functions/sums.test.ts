import { describe, expect, it } from 'vitest';
import { JIT } from '../no-codegen.ts';
import { evaluate } from './harness.ts';

describe.each(JIT)('sums with generated code: %s', jit => {
  const one = (sql: string, rows: number): unknown => evaluate(`SELECT ${sql} AS x FROM t`, jit, rows)[0]?.[0];

  it('are exact where 2^53 is passed, up and down', () => {
    // 10 of these are odd and beyond 2^53
    const x = 'CAST(CASE WHEN n = 1 THEN 999999999999998 ELSE 999999999999999 END AS DECIMAL(15,0))';
    for (const n of [4, 5, 9, 10, 11, 40, 1000]) {
      const want = 999999999999999n * BigInt(n) - 1n;
      expect(BigInt(one(`SUM(${x})`, n) as number | bigint)).toBe(want);
      expect(BigInt(one(`SUM(-${x})`, n) as number | bigint)).toBe(-want);
      expect(one(`SUM(CASE WHEN n <= ${n / 2} THEN ${x} ELSE -${x} END)`, n - (n % 2))).toBe(-1);
    }
  });

  it('of BIGINT are exact, and fail beyond it', () => {
    expect(one('SUM(CASE WHEN n = 1 THEN 9007199254740993 ELSE CAST(2 AS BIGINT) END)', 3)).toBe(9007199254740997n);
    expect(() => one('SUM(9223372036854775807)', 2)).toThrow('the sum does not fit BIGINT');
    expect(one('SUM(CASE WHEN n = 1 THEN 9223372036854775807 WHEN n = 2 THEN CAST(5 AS BIGINT) ELSE CAST(-5 AS BIGINT) END)', 3)).toBe(9223372036854775807n);
  });

  it('MIN and MAX know 0 and NULL from nothing', () => {
    const x = 'CASE WHEN n = 1 THEN CAST(0 AS BIGINT) WHEN n = 2 THEN CAST(5 AS BIGINT) WHEN n = 3 THEN CAST(-5 AS BIGINT) ELSE CAST(NULL AS BIGINT) END';
    expect([one(`MIN(${x})`, 2), one(`MAX(${x})`, 2), one(`MIN(${x})`, 4), one(`MAX(CASE WHEN n = 1 THEN CAST(0 AS BIGINT) ELSE CAST(-5 AS BIGINT) END)`, 2)]).toEqual([0, 5, -5, 0]);
    expect([one('MIN(CAST(NULL AS BIGINT))', 3), one('MAX(CASE WHEN n = 2 THEN n ELSE -n END)', 3), one('MIN(CASE WHEN n = 2 THEN n ELSE -n END)', 3)]).toEqual([null, 2, -3]);
  });
});
