import { describe, expect, it } from 'vitest';
import { GENERATED } from '../no-codegen.ts';
import type { Case } from './case.ts';
import { runCase } from './run-case.ts';

type Rows = Case['sources'][string]['rows'];

const streaming = (columns: Readonly<Record<string, string>>, rows: Rows, sql: string): Case => ({
  name: 'restart', expected_columns: {}, expected_rows: [], sql,
  sources: { t: { columns: { ...columns, ts: 'TIMESTAMP(3)' }, event_time: 'ts', watermark_delay_ms: 60_000n, rows: rows.map((r, i) => ({ ...r, ts: new Date(Date.UTC(2024, 0, 1) + i).toISOString() })) } },
});

const LONE = ['\ud800', '\ud801'];

/** Groups and results that must mean the same when they come back from the state file. */
const kept: readonly (readonly [what: string, c: Case, rows: readonly string[]])[] = [
  ['BYTES as the only key, NULL too', streaming({ k: 'BYTES' }, ['YWJj', null, 'YWJj', null, 'eHl6', 'YWJj'].map(k => ({ k })), 'SELECT COUNT(*) AS n FROM t GROUP BY k'), ['{"n":1}', '{"n":2}', '{"n":3}']],
  ['BYTES among the keys', streaming({ k: 'BYTES', b: 'BOOLEAN' }, ['YWJj', 'YWJj', 'eHl6'].map(k => ({ k, b: true })), 'SELECT b, COUNT(*) AS n FROM t GROUP BY k, b'), ['{"b":true,"n":1}', '{"b":true,"n":2}']],
  ['texts that are no UTF-8', streaming({ k: 'STRING' }, [0, 1, 0, 1, 1].map(i => ({ k: LONE[i] as string })), 'SELECT COUNT(*) AS n, COUNT(DISTINCT k) AS d, MIN(CHAR_LENGTH(k)) AS l FROM t GROUP BY k'), ['{"n":2,"d":1,"l":1}', '{"n":3,"d":1,"l":1}']],
  ['MAX and LISTAGG of such texts', streaming({ k: 'STRING' }, [0, 1, 0].map(i => ({ k: LONE[i] as string })), 'SELECT MAX(k) = LISTAGG(DISTINCT k) AS same, CHAR_LENGTH(LISTAGG(k)) AS l FROM t'), ['{"same":false,"l":5}']],
  ['the widest numbers', streaming({ b: 'BIGINT', d: 'DECIMAL(38,10)' }, [{ b: 9223372036854775807n, d: '-9999999999999999999999999999.9999999999' }, { b: -9223372036854775808n, d: '9999999999999999999999999999.9999999999' }, { b: 5n, d: '0.0000000001' }],
    'SELECT SUM(b) AS s, MIN(b) AS lo, MAX(b) AS hi, SUM(d) AS ds, MIN(d) AS dl FROM t'), ['{"s":4,"lo":-9223372036854775808,"hi":9223372036854775807,"ds":0.0000000001,"dl":-9999999999999999999999999999.9999999999}']],
  ['each kind of aggregate', streaming({ x: 'DECIMAL(10,2)', f: 'DOUBLE' }, [{ x: '1.50', f: 0.5 }, { x: null, f: null }, { x: '2.50', f: 2.5 }, { x: '1.50', f: 1.5 }],
    'SELECT AVG(x) AS a, STDDEV_POP(f) AS sd, VAR_SAMP(x) AS v, COUNT(x) AS n, SUM(DISTINCT x) AS ds, AVG(f) AS af, MIN(f) AS mf, MAX(x) AS mx FROM t'),
  ['{"a":1.833333,"sd":0.816496580927726,"v":0.3333333333333333,"n":3,"ds":4.00,"af":1.5,"mf":0.5,"mx":2.50}']],
];

describe.each(kept)('%s', (_, c, rows) => {
  it.each(([[true, 1], [true, 2], [false, 1], [false, 2], [true, null]] as const).filter(([jit]) => GENERATED || !jit))('generated code %s, a crash after epoch %s', async (jit, crash) => {
    expect((await runCase(c, { batch: 1, jit, decoder: 'fast', crash })).sort()).toEqual([...rows].sort());
  });
});
