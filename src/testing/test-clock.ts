import type { Clock } from '../engine/clock.ts';

/** Later than any event of a test: none is from the future unless its record says so. */
const BEGIN = Date.UTC(2100, 0, 1);

/** Time that passes only when it is told to. */
export class TestClock implements Clock {
  readonly #begin: number;
  #elapsed = 0;

  /** `begin` in epoch ms; null: the default. */
  constructor(begin: number | null) { this.#begin = begin ?? BEGIN; }

  now(): number { return this.#begin + this.#elapsed; }
  elapsed(): number { return this.#elapsed; }
  pass(ms: number): void { this.#elapsed += ms; }
}
