import type { HistogramReport } from '../observe/job.ts';

/** Seconds. What a commit or a delivery takes. */
export const SHORT: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** Seconds. What a record or a window waits for: longer where a backlog is read. */
export const LONG: readonly number[] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400];

/** Counts durations by size. */
export class Histogram {
  readonly #le: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** `le`: upper bounds in seconds, ascending. */
  constructor(le: readonly number[]) {
    this.#le = le;
    this.#counts = new Float64Array(le.length + 1);
  }

  /** A negative one, of clocks that differ, counts as none. */
  add(ms: number): void {
    const seconds = Math.max(0, ms) / 1000;
    let i = 0;
    while (i < this.#le.length && seconds > (this.#le[i] as number)) i++;
    this.#counts[i] = (this.#counts[i] as number) + 1;
    this.#sum += seconds;
  }

  report(): HistogramReport { return { le: this.#le, counts: [...this.#counts], sum: this.#sum, count: this.#counts.reduce((n, x) => n + x, 0) }; }
}
