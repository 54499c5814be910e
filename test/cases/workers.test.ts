import { describe, expect, it } from 'vitest';
import { GENERATED } from '../no-codegen.ts';
import { actualRows, cases, expectedRows } from './case.ts';
import { runCase } from './run-case.ts';

// the threads run what lies in dist/, which is built before this file runs

const supported = cases.filter(c => !/^(expr-string-regexp|json-value|session-out-of-order-merge|over-|topn-global|dedup-first|join-|union-all|except)/.test(c.name));

/** Workers before a crash and after it, and records in a batch. */
const crashes: readonly (readonly [before: number, after: number, batch: number])[] = [[1, 2, 1], [2, 1, 1], [2, 3, 7], [3, 2, 1], [2, 2, 7]];

describe.each(supported.map((c, i) => ({ name: c.name, c, crash: crashes[i % crashes.length] as (typeof crashes)[number], n: 2 + (i % 2) })))('$name', ({ c, crash: [before, after, batch], n }) => {
  const rows = Object.values(c.sources).reduce((n, s) => n + s.rows.length, 0);

  it(`${n} workers`, async () => {
    expect(actualRows(c, await runCase(c, { batch: n === 2 ? 1 : 1000, jit: GENERATED, decoder: 'fast', crash: null, workers: [n, n] }))).toEqual(expectedRows(c));
  });

  it(`${before} workers, a crash, ${after} workers, batches of ${batch}`, async () => {
    const crash = Math.max(1, Math.floor(rows / batch / 2));
    expect(actualRows(c, await runCase(c, { batch, jit: GENERATED && batch === 1, decoder: 'fast', crash, workers: [before, after], packed: before === 1 }))).toEqual(expectedRows(c));
  });
});
