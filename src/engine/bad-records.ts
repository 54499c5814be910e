import { PipeError, type Code } from '../errors.ts';

/** Bad records below this many records read say nothing about the stream. */
const ENOUGH = 1000;
const WARN = 0.05;
const CAUSES = 3;

/** Watches the share of bad records of one run: warns once past 5 %, stops past `settings.max_bad`. */
export class BadShare {
  readonly #pipeline: string;
  readonly #limit: number | null;
  readonly #warn: (message: string) => void;
  readonly #causes = new Map<Code, { n: number; readonly first: string }>();
  #bad = 0;
  #skipped = 0;
  #warned = false;

  /** `limit` is a fraction, or null. */
  constructor(pipeline: string, limit: number | null, warn: (message: string) => void) {
    this.#pipeline = pipeline;
    this.#limit = limit;
    this.#warn = warn;
  }

  /** `skipped`: it is counted only, where others are kept. */
  add(code: Code, message: string, skipped: boolean): void {
    this.#bad++;
    if (skipped) this.#skipped++;
    const cause = this.#causes.get(code);
    if (cause === undefined) this.#causes.set(code, { n: 1, first: message });
    else cause.n++;
  }

  /** Judges what was added, when `read` records have gone through as a whole. Throws user.data.max_bad. */
  check(read: number): void {
    if (this.#bad === 0 || read < ENOUGH) return;
    const share = this.#bad / read;
    if (this.#limit !== null && share > this.#limit) {
      const limit = percent(this.#limit);
      throw new PipeError('user.data.max_bad', `${this.#pipeline}: ${this.#words(read, limit)}, more than settings.max_bad (${limit})`, { hint: this.#list() });
    }
    if (share <= WARN || this.#warned) return;
    this.#warned = true;
    this.#warn(`${this.#pipeline}: ${this.#words(read)}${this.#fate()}. First causes: ${this.#list()}`);
  }

  /** `other` is a share that ours must not look like. */
  #words(read: number, other = ''): string { return `${this.#bad} of ${read} records are bad (${percent(this.#bad / read, other)})`; }

  /** Nobody should look for those that are not kept. */
  #fate(): string {
    if (this.#skipped === 0) return '';
    return this.#skipped === this.#bad ? ' and skipped: counted, not kept' : `; ${this.#skipped} of them skipped: counted, not kept`;
  }

  #list(): string {
    return [...this.#causes].sort((a, b) => b[1].n - a[1].n).slice(0, CAUSES).map(([code, c]) => `${c.n} x ${code}: ${c.first}`).join('; ');
  }
}

const MAX_DIGITS = 8;

/** With one digit behind the point, or as many as it takes to be about right and to differ from `other`. */
function percent(share: number, other = ''): string {
  const exact = share * 100;
  for (let digits = 1; ; digits++) {
    const text = `${exact.toFixed(digits).replace(/\.?0+$/, '')} %`;
    const near = Math.abs(Number(exact.toFixed(digits)) - exact) <= exact / 20;
    if (digits === MAX_DIGITS || (near && text !== other)) return text;
  }
}
