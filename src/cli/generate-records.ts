/** mulberry32: small, fast, and the same everywhere. */
function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Transaction {
  readonly account: string;
  /** Decimal text with two digits after the point. */
  readonly amount: string;
  readonly type: 'deposit' | 'withdrawal' | 'transfer';
}

const FIRST_ACCOUNT = 1000;
/** Records of a burst: so many and so high that a minute's border in the middle leaves more than 5,000 on one side. */
const BURST_RECORDS = 12;
const BURST_LEAST = 850;
const BURST_MOST = 999.99;
/** Bursts come after this many records, more or less. */
const BURST_EVERY = 2000;
/** The first one comes soon: it is what people wait for. */
const FIRST_BURST = 100;

/** Transactions of some accounts: mostly small amounts, now and then a burst of high ones on one account. The same seed gives the same ones. */
export class Transactions {
  readonly #random: () => number;
  readonly #accounts: number;
  #untilBurst: number;
  #burst: { readonly account: string; left: number } | null = null;

  constructor(seed: number, accounts: number) {
    this.#random = seeded(seed);
    this.#accounts = accounts;
    this.#untilBurst = FIRST_BURST;
  }

  next(): Transaction {
    if (this.#burst === null && --this.#untilBurst <= 0) {
      this.#burst = { account: this.#account(), left: BURST_RECORDS };
      this.#untilBurst = Math.round(BURST_EVERY * (0.5 + this.#random()));
    }
    // every other record of a burst is somebody else's
    if (this.#burst !== null && this.#random() < 0.5) return this.#ofBurst(this.#burst);
    return { account: this.#account(), amount: this.#between(1, 100 ** (0.5 + this.#random() / 2)), type: this.#type() };
  }

  #ofBurst(burst: { readonly account: string; left: number }): Transaction {
    if (--burst.left === 0) this.#burst = null;
    return { account: burst.account, amount: this.#between(BURST_LEAST, BURST_MOST), type: 'deposit' };
  }

  #account(): string { return String(FIRST_ACCOUNT + Math.floor(this.#random() * this.#accounts)); }
  #between(least: number, most: number): string { return (Math.floor((least + this.#random() * (most - least)) * 100) / 100).toFixed(2); }

  #type(): Transaction['type'] {
    const r = this.#random();
    return r < 0.6 ? 'deposit' : r < 0.95 ? 'withdrawal' : 'transfer';
  }
}

/** The record of a transaction at a time (epoch seconds). */
export const transactionJson = (t: Transaction, seconds: number): string => `{"account":"${t.account}","amount":${t.amount},"timestamp":"${seconds}","type":"${t.type}"}`;
