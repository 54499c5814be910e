import type { Progress } from '../engine/progress.ts';
import type { Sinkable } from './command.ts';
import { dead, lowestWatermark, type Job, Rate } from './live.ts';

/** ms between lines. */
const EVERY_MS = 10_000;
/** As pino numbers it: information. */
const INFO = 30;

/** How a pipeline goes, for machines: one line of JSON. Times are epoch ms. */
export function progressLine(p: Progress, rate: { readonly in: number; readonly out: number }, away: boolean, now: number): string {
  const watermark = lowestWatermark(p);
  return JSON.stringify({
    v: 1, level: INFO, time: now, msg: 'progress', pipeline: p.name, state: p.state, in_per_s: Math.round(rate.in), out_per_s: Math.round(rate.out),
    records_in: p.counts.records_in, rows_out: p.counts.rows_out, lag: p.lag, watermark: watermark === null || !Number.isFinite(watermark) ? null : watermark,
    keys: p.keys, memory_bytes: p.memory, disk_bytes: p.onDisk, late: p.counts.late, dead_letters: dead(p), away, waits_for: waitsFor(p), last_problem: p.lastProblem,
  });
}

/** Partitions without which event time cannot begin. */
const waitsFor = (p: Progress): { readonly source: string; readonly partition: number }[] => p.sources.flatMap(s => (s.watermark === -Infinity && s.holder !== null ? [{ source: s.name, partition: s.holder }] : []));

/** Where stderr is no terminal: a line of JSON for each job every ten seconds. */
export class ProgressLog {
  readonly #timer: NodeJS.Timeout;

  constructor(err: Sinkable, jobs: readonly Job[]) {
    const rated = jobs.map(j => ({ ...j, rate: new Rate() }));
    const sample = (): { readonly progress: Progress; readonly rate: { readonly in: number; readonly out: number }; readonly away: boolean }[] => rated.map(j => {
      const progress = j.progress();
      return { progress, rate: j.rate.add({ at: performance.now(), records: progress.counts.records_in, rows: progress.counts.rows_out }), away: j.away() };
    });
    // what the first line's rates are measured from
    sample();
    this.#timer = setInterval(() => { for (const { progress, rate, away } of sample()) err.write(`${progressLine(progress, rate, away, Date.now())}\n`); }, EVERY_MS);
    this.#timer.unref();
  }

  above(print: () => void): void { print(); }
  stop(): void { clearInterval(this.#timer); }
}
