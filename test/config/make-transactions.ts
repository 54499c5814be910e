/** 2024-01-01T12:00:00Z in epoch seconds. */
const START = 1_704_110_400;
const SECONDS = 300;
const RECORDS = 1_000;
const ACCOUNTS = 36;

interface Transaction {
  readonly at: number;
  readonly account: string | number;
  readonly cents: number;
  readonly type: 'deposit' | 'withdrawal';
}

/** What the documentation shows: two balances of the first ten seconds, and one account that is noticed. */
const told: readonly Transaction[] = [
  { at: 0, account: '1234', cents: 60_025, type: 'deposit' },
  { at: 1, account: '5678', cents: 10_000, type: 'deposit' },
  { at: 4, account: 1234, cents: 35_025, type: 'withdrawal' },
  { at: 6, account: '5678', cents: 15_000, type: 'withdrawal' },
  { at: 12, account: 9999, cents: 250_000, type: 'deposit' },
  { at: 31, account: '9999', cents: 250_000, type: 'withdrawal' },
  { at: 52, account: '9999', cents: 250_000, type: 'deposit' },
];

/** Text of pipelines/data/transactions.jsonl: always the same, at most 2 s out of order. */
export function makeTransactions(): string {
  let seed = 42;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * n);
  };
  const all = [...told];
  while (all.length < RECORDS) {
    const at = Math.floor((all.length * SECONDS) / RECORDS);
    const pick = random(ACCOUNTS);
    // the two accounts of the first window come again only after it
    const account = at >= 10 && pick < 2 ? (['1234', '5678'][pick] as string) : String(1_100 + pick * 101);
    all.push({ at, account: random(8) === 0 ? Number(account) : account, cents: 100 + random(45_000), type: random(5) < 3 ? 'deposit' : 'withdrawal' });
  }
  return all
    .map((t, i) => ({ t, i, sent: told.includes(t) ? t.at : t.at + random(3) }))
    .sort((a, b) => a.sent - b.sent || a.i - b.i)
    .map(({ t }) => `${JSON.stringify({ account: t.account, amount: t.cents / 100, timestamp: String(START + t.at), type: t.type })}\n`)
    .join('');
}
