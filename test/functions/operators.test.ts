import { expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import { JIT } from '../no-codegen.ts';
import { evaluate } from './harness.ts';

const values = ['NULL', '1', '2', "'a'", "'b'"];
const comparable = (a: string, b: string): boolean => a === 'NULL' || b === 'NULL' || a.startsWith("'") === b.startsWith("'");

/** SQLite calls it IS NOT and IS. */
it.each(JIT.map(jit => [jit ? 'generated' : 'interpreter', jit] as const))('IS [NOT] DISTINCT FROM knows NULL as SQLite does, of columns and of literals (%s)', (_, jit) => {
  const db = new Database(':memory:');
  const number = (v: unknown): unknown => (typeof v === 'boolean' ? Number(v) : v);
  for (const a of values) {
    for (const b of values) {
      if (!comparable(a, b)) continue;
      const [distinct, same] = db.prepare(`SELECT ${a} IS NOT ${b}, ${a} IS ${b}`).raw().get() as [number, number];
      // one that is only known when the row is there
      const column = (v: string): string => (v === 'NULL' ? 'NULLIF(n, 1)' : v.startsWith("'") ? `CASE n WHEN 1 THEN ${v} END` : `n - 1 + ${v}`);
      const texts = [a, b].some(v => v.startsWith("'"));
      const [x, y] = texts ? [a, b].map(v => (v === 'NULL' ? "CASE n WHEN 2 THEN 'x' END" : column(v))) : [column(a), column(b)];
      expect([a, b, ...(evaluate(`SELECT ${a} IS DISTINCT FROM ${b} AS p, ${a} IS NOT DISTINCT FROM ${b} AS q, ${x} IS DISTINCT FROM ${y} AS r, ${x} IS NOT DISTINCT FROM ${y} AS s FROM t`, jit)[0] ?? []).map(number)]).toEqual([a, b, distinct, same, distinct, same]);
    }
  }
  db.close();
});
