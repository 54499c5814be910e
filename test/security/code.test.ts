import { it } from 'vitest';
import { aggregates, scalars } from '../../src/sql/functions/index.ts';
import { evaluate } from '../functions/harness.ts';
import { foreignTokens, recordingSources } from '../promises/vocabulary.mjs';
it('x', () => {
  const q = (sql: string): void => { try { evaluate(sql, true); } catch { } }; const all = recordingSources(() => { for (const f of scalars.list()) for (const e of f.examples) q('SELECT CAST(' + e.sql + ' AS STRING) AS r FROM t'); for (const f of aggregates.list()) for (const e of f.examples) for (const type of ['INT', 'BIGINT', 'DECIMAL(10,2)', 'DECIMAL(30,2)', 'DOUBLE', 'STRING', 'BOOLEAN', 'TIMESTAMP(3)']) q('SELECT CAST(' + e.sql + ' AS STRING) AS r FROM (SELECT TRY_CAST(CAST(n AS STRING) AS ' + type + ') AS x FROM t) q'); });
  console.log(all.length, [...new Set(all.flatMap(foreignTokens))].join(' '));
});
