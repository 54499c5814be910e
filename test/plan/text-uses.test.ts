import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import type { PhysicalPlan } from '../../src/plan/physical.ts';
import { textStaysBytes } from '../../src/plan/text-uses.ts';

let dir: string;
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-texts-')); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const indent = (sql: string): string => sql.split('\n').map(l => `      ${l.trim()}`).join('\n');

function planOf(sinks: readonly string[], steps: Readonly<Record<string, string>> = {}): PhysicalPlan {
  const file = join(dir, 'p.yaml');
  const stepsText = Object.entries(steps).map(([name, sql]) => `  ${name}: ${sql}\n`).join('');
  writeFileSync(file, `name: p
sources:
  t:
    schema: account STRING, type STRING, note STRING, amount DECIMAL(12,2), at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
${stepsText === '' ? '' : `steps:\n${stepsText}`}sinks:
${sinks.map((sql, i) => `  s${i}:\n    sql: |\n${indent(sql)}\n`).join('')}`);
  return compilePipeline(loadPipeline(file, { env: {}, root: dir })).plan;
}

/** Names of the texts of `t` that stay bytes. */
function bytes(sinks: readonly string[], steps: Readonly<Record<string, string>> = {}): string {
  const plan = planOf(sinks, steps);
  const [scan] = plan.scans;
  return (scan?.columns ?? []).filter((_, i) => scan?.schema[i]?.type.k === 'string' && textStaysBytes(plan, scan.id, i)).map(c => c.name).join(' ');
}

const WINDOW = "TUMBLE(ts, INTERVAL '10' SECOND)";

it.each([
  ['a sink', ['SELECT account, note FROM t'], 'account note'],
  ['a sink under another name', ['SELECT account AS who FROM t'], 'account'],
  ['a filter over another column', ["SELECT account FROM t WHERE type = 'a'"], 'account'],
  ['a filter over it', ["SELECT account FROM t WHERE account <> ''"], ''],
  ['an expression beside it', ['SELECT account, UPPER(account) AS loud FROM t'], ''],
  ['IS NOT NULL', ['SELECT account FROM t WHERE note IS NOT NULL'], 'account'],
  ['the only key', [`SELECT account, SUM(amount) AS s FROM t WHERE type IN ('a', 'b') GROUP BY account, ${WINDOW}`], 'account'],
  ['one of two keys', [`SELECT account, type, SUM(amount) AS s FROM t GROUP BY account, type, ${WINDOW}`], ''],
  ['a key that is made of it', [`SELECT UPPER(account) AS a, SUM(amount) AS s FROM t GROUP BY UPPER(account), ${WINDOW}`], ''],
  ['an argument too', [`SELECT account, COUNT(DISTINCT account) AS n FROM t GROUP BY account, ${WINDOW}`], ''],
  ['FILTER', [`SELECT account, COUNT(*) FILTER (WHERE type = 'a') AS n FROM t GROUP BY account, ${WINDOW}`], 'account'],
  ['two sinks', [`SELECT account, COUNT(*) AS n FROM t GROUP BY account, ${WINDOW}`, 'SELECT account, note FROM t'], 'account note'],
  ['two sinks, one of which needs it', [`SELECT account, COUNT(*) AS n FROM t GROUP BY account, ${WINDOW}`, 'SELECT LOWER(account) AS a, note FROM t'], 'note'],
] as const)('%s', (_, sinks, expected) => { expect(bytes(sinks)).toBe(expected); });

it('is followed through steps that several read', () => {
  const steps = { big: 'SELECT account AS who, note, amount, ts FROM t WHERE amount > 10' };
  const grouped = `SELECT who, SUM(amount) AS s FROM big GROUP BY who, ${WINDOW}`;
  expect(bytes([grouped, 'SELECT note FROM big'], steps)).toBe('account note');
  expect(bytes([grouped, "SELECT note || '!' AS loud FROM big"], steps)).toBe('account');
  expect(bytes([grouped, "SELECT note FROM big WHERE who = 'me'"], steps)).toBe('note');
});
