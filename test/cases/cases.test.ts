import { describe, expect, it } from 'vitest';
import { PipeError, PipeErrors } from '../../src/errors.ts';
import { GENERATED } from '../no-codegen.ts';
import { actualRows, cases, expectedRows } from './case.ts';
import { runCase } from './run-case.ts';

/** What the language has and pipe does not do yet. */
const later: ReadonlySet<string> = new Set([
  'expr-string-regexp', 'json-value', 'session-out-of-order-merge', 'over-running-sum', 'over-lag', 'topn-global', 'dedup-first',
  'join-interval', 'join-left-final', 'join-window', 'union-all', 'except',
]);

const supported = cases.filter(c => !later.has(c.name));

it('36 of 48 cases are supported', () => { expect([supported.length, cases.length]).toEqual([36, 48]); });

const modes = [
  { what: 'generated code', jit: true, decoder: 'fast' },
  { what: 'generated code, plain decoder', jit: true, decoder: 'plain' },
  { what: 'interpreter', jit: false, decoder: 'fast' },
] as const;

describe.each(supported)('$name', c => {
  for (const { what, jit, decoder } of modes.filter(m => GENERATED || !m.jit)) {
    for (const batch of [1, 7, 1000]) {
      it(`${what}, batches of ${batch}`, async () => {
        expect(actualRows(c, await runCase(c, { batch, jit, decoder, crash: null }))).toEqual(expectedRows(c));
      });
      it(`${what}, batches of ${batch}, a crash in the middle`, async () => {
        const rows = Object.values(c.sources).reduce((n, s) => n + s.rows.length, 0);
        const crash = Math.max(1, Math.floor(rows / batch / 2));
        // half of them with windows as rows of the state file, half packed
        expect(actualRows(c, await runCase(c, { batch, jit, decoder, crash, packed: jit === (batch === 1) }))).toEqual(expectedRows(c));
      });
    }
  }
});

it.each(cases.filter(c => later.has(c.name)))('$name is refused by name', async c => {
  const error = await runCase(c, { batch: 1, jit: GENERATED, decoder: 'fast', crash: null }).then(() => null, e => e as unknown);
  const problems = error instanceof PipeErrors ? error.problems : error instanceof PipeError ? [error] : [];
  expect(problems.map(p => p.code)).toContain('user.sql.unsupported');
  expect(problems.some(p => p.message.startsWith('not supported yet: '))).toBe(true);
  expect(problems.every(p => p.span !== undefined)).toBe(true);
});
