import { readFileSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import type { NewRecord } from '../../src/connectors/connector.ts';
import { fractions } from '../random.ts';

const START = 1704110400;
const ACCOUNTS = 50;

/** A pipeline, and what it must write by another engine: SQLite over all records. */
interface Shape {
  readonly mostCents: number;
  pipeline(name: string, settings: string): string;
  /** SELECT over t(account, cents, withdrawal, second), one text a row of output. */
  readonly oracle: string;
  /** Columns of the output that name a row. */
  readonly key: readonly string[];
}

const money = (cents: string): string => `printf('%s%d.%02d', iif(${cents} < 0, '-', ''), abs(${cents}) / 100, abs(${cents}) % 100)`;

const windowed = (select: string, window: string) => (name: string, settings: string): string => `name: ${name}
sources:
  transactions:
    topic: ${name}-in
    schema: account STRING, amount DECIMAL(12,2), timestamp STRING, type STRING
    event_time: {from: timestamp, unit: s, delay: 0s, idle: 1h}
sinks:
  out:
    topic: ${name}-out
    key: account
    sql: |
      SELECT account, ${select}, window_start, window_end
      FROM transactions
      GROUP BY account, ${window}
settings: {checkpoint: 20ms${settings}}
`;

const shapes = {
  sums: {
    mostCents: 100_000,
    key: ['account', 'window_start'],
    pipeline: windowed("SUM(CASE WHEN type = 'withdrawal' THEN -amount ELSE amount END) AS balance", "TUMBLE(ts, INTERVAL '10' SECOND)"),
    oracle: `SELECT '{"account":"' || account || '","balance":' || ${money('s')} || ',"window_start":' || w || '000,"window_end":' || (w + 10) || '000}'
      FROM (SELECT account, second / 10 * 10 AS w, sum(iif(withdrawal, -cents, cents)) AS s FROM t GROUP BY account, w)`,
  },
  hops: {
    mostCents: 100_000,
    key: ['account', 'window_start'],
    pipeline: windowed('COUNT(*) AS n, SUM(amount) AS total, MAX(amount) AS most', "HOP(ts, INTERVAL '5' SECOND, INTERVAL '15' SECOND)"),
    oracle: `SELECT '{"account":"' || account || '","n":' || n || ',"total":' || ${money('s')} || ',"most":' || ${money('m')} || ',"window_start":' || w || '000,"window_end":' || (w + 15) || '000}'
      FROM (SELECT account, second / 5 * 5 - 5 * k AS w, count(*) AS n, sum(cents) AS s, max(cents) AS m FROM t, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2) GROUP BY account, w)`,
  },
  fraud: {
    mostCents: 25_000,
    // one alert of an account a minute, and its text has no time: rows that are alike are told apart by their number
    key: ['account', 'total_activity'],
    pipeline: (name, settings) => readFileSync(new URL('../../pipelines/fraud.yaml', import.meta.url), 'utf8')
      .replace(/^tests:[\s\S]*/m, '').replace('name: fraud', `name: ${name}`).replace('  transactions:\n', `  transactions:\n    topic: ${name}-in\n`)
      .replace('  fraud-alerts:\n', `  fraud-alerts:\n    topic: ${name}-out\n`).replace('delay: 5s', 'delay: 5s, idle: 1h').replace(/^ +sample:.*\n/m, '') + `settings: {checkpoint: 20ms${settings}}\n`,
    oracle: `SELECT '{"account":' || account || ',"total_activity":' || ${money('s')} || ',"threshold":5000.0,"alert_type":"HIGH_ACTIVITY","message":"Account ' || account || ' has $' || ${money('s')} || ' activity in 1 minute (threshold: $5000.0)"}'
      FROM (SELECT account, second / 60 AS w, sum(cents) AS s FROM t GROUP BY account, w HAVING s > 500000)`,
  },
} satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as readonly ShapeName[];

export interface Difference {
  /** Rows that are missing. */
  readonly lost: number;
  /** Rows that are there once too often. */
  readonly dup: number;
  /** Rows that nobody expects, in the place of others. */
  readonly mismatch: number;
}

/** Deposits and withdrawals in event-time order in each partition; the same for the same seed, up to where they were cut by what happened. */
export class Workload {
  readonly shape: ShapeName;
  readonly #random: () => number;
  readonly #db = new Sqlite(':memory:');
  readonly #insert: Sqlite.Statement;
  readonly #partitions: number;
  #second = START;
  records = 0;

  constructor(shape: ShapeName, seed: number, partitions: number) {
    this.shape = shape;
    this.#random = fractions(seed);
    this.#partitions = partitions;
    this.#db.exec('CREATE TABLE t (account TEXT, cents INTEGER, withdrawal INTEGER, second INTEGER)');
    this.#insert = this.#db.prepare('INSERT INTO t VALUES (?, ?, ?, ?)');
  }

  pipeline(name: string, settings = ''): string { return shapes[this.shape].pipeline(name, settings); }

  /** Records that count: the oracle knows of them from now on. */
  next(n: number): NewRecord[] { return this.#make(n, true); }

  /** Records that must not be seen. */
  ghosts(n: number): NewRecord[] { return this.#make(n, false); }

  /** Event time goes on beyond every window that an end of input has closed. */
  jump(): void { this.#second = (Math.floor(this.#second / 60) + 2) * 60; }

  /** What the pipeline must have written when all windows are closed, sorted. */
  expected(): string[] { return (this.#db.prepare(shapes[this.shape].oracle).pluck().all() as string[]).sort(); }

  compare(got: readonly string[]): Difference { return compare(this.expected(), got, shapes[this.shape].key); }

  close(): void { this.#db.close(); }

  #make(n: number, counts: boolean): NewRecord[] {
    const { mostCents } = shapes[this.shape];
    this.#db.exec('BEGIN');
    const records = Array.from({ length: n }, () => {
      if (this.#random() < 0.03) this.#second++;
      const account = String(1000 + Math.floor(this.#random() * ACCOUNTS));
      const cents = 1 + Math.floor(this.#random() * mostCents);
      const withdrawal = this.#random() < 0.3;
      if (counts) this.#insert.run(account, cents, withdrawal ? 1 : 0, this.#second);
      const value = `{"account":"${account}","amount":${(cents / 100).toFixed(2)},"timestamp":"${this.#second}","type":"${withdrawal ? 'withdrawal' : 'deposit'}"}`;
      return { key: null, value: Buffer.from(value), headers: [], partition: Math.floor(this.#random() * this.#partitions), timestamp: null };
    });
    this.#db.exec('COMMIT');
    if (counts) this.records += n;
    return records;
  }
}

/** Multisets of rows; `key` are the columns that make two rows the same row. */
export function compare(expected: readonly string[], got: readonly string[], key: readonly string[]): Difference {
  const open = new Map<string, number>();
  for (const row of expected) open.set(row, (open.get(row) ?? 0) + 1);
  const known = new Set(expected);
  const extra: string[] = [];
  for (const row of got) {
    const n = open.get(row) ?? 0;
    if (n > 0) open.set(row, n - 1);
    else extra.push(row);
  }
  const keyOf = (row: string): string => {
    try {
      const fields = JSON.parse(row) as Record<string, unknown>;
      return key.map(k => String(fields[k])).join(' ');
    } catch {
      return row;
    }
  };
  const strange = extra.filter(row => !known.has(row));
  const wrongKeys = new Set(strange.map(keyOf));
  let lost = 0;
  for (const [row, n] of open) if (!wrongKeys.has(keyOf(row))) lost += n;
  return { lost, dup: extra.length - strange.length, mismatch: strange.length };
}
