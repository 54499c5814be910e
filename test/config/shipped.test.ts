import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPipeline } from '../../src/config/load.ts';
import { makeTransactions } from './make-transactions.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, 'pipelines');

describe('the pipelines that come with pipe', () => {
  for (const file of readdirSync(folder).filter(f => f.endsWith('.yaml'))) {
    it(`${file} loads without any environment, and its sample is there`, () => {
      const spec = loadPipeline(join(folder, file), { env: {}, root });
      expect([spec.name, spec.path]).toEqual([file.replace('.yaml', ''), join(folder, file)]);
      for (const s of spec.sources) if (s.sample !== null) expect(readFileSync(s.sample, 'utf8')).not.toBe('');
    });
  }
});

interface Row {
  readonly account: string;
  readonly cents: number;
  readonly ms: number;
  readonly type: string;
}

describe('transactions.jsonl', () => {
  const rows = makeTransactions().trimEnd().split('\n').map((line): Row => {
    const r = JSON.parse(line) as { account: string | number; amount: number; timestamp: string; type: string };
    return { account: String(r.account), cents: Math.round(r.amount * 100), ms: Number(r.timestamp) * 1000, type: r.type };
  });
  const sums = (size: number, sign: boolean): Map<string, number> => {
    const found = new Map<string, number>();
    for (const r of rows) {
      const key = `${r.account}@${Math.floor(r.ms / size) * size}`;
      found.set(key, (found.get(key) ?? 0) + (sign && r.type === 'withdrawal' ? -r.cents : r.cents));
    }
    return found;
  };

  it('is what its maker makes (-u writes it)', async () => {
    await expect(makeTransactions()).toMatchFileSnapshot(join(folder, 'data/transactions.jsonl'));
  });

  it('has 1,000 records of some accounts, at most 2 s out of order', () => {
    expect(rows.length).toBe(1000);
    expect(new Set(rows.map(r => r.account)).size).toBeLessThanOrEqual(40);
    expect(rows.every(r => /^\d+$/.test(r.account) && ['deposit', 'withdrawal'].includes(r.type))).toBe(true);
    let newest = 0;
    let behind = 0;
    for (const r of rows) {
      behind = Math.max(behind, newest - r.ms);
      newest = Math.max(newest, r.ms);
    }
    expect(behind).toBeGreaterThan(0);
    expect(behind).toBeLessThanOrEqual(2000);
  });

  it('gives the balances that the documentation shows', () => {
    const balances = sums(10_000, true);
    expect([balances.get('1234@1704110400000'), balances.get('5678@1704110400000')]).toEqual([25_000, -5_000]);
  });

  it('makes one alert: 9999 with 7500.00 in the first minute', () => {
    const minutes = sums(60_000, false);
    expect([...minutes].filter(([, cents]) => cents > 500_000)).toEqual([['9999@1704110400000', 750_000]]);
    expect([...minutes.keys()].filter(k => k.startsWith('9999@'))).toEqual(['9999@1704110400000']);
  });
});
