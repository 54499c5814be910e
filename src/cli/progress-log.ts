import type { Progress } from '../engine/progress.ts';
import type { Sinkable } from './command.ts';
import { bad, lowestWatermark, sampler, type Job } from './live.ts';
import { Logged } from './logged.ts';
import { LEVELS } from './messages.ts';

/** How a pipeline goes, for machines: one line of JSON. Times are epoch ms. */
export function progressLine(p: Progress, rate: { readonly in: number; readonly out: number }, away: boolean, now: number): string {
  const watermark = lowestWatermark(p);
  return JSON.stringify({
    v: 1, level: LEVELS.info, time: now, msg: 'progress', pipeline: p.name, state: p.state, in_per_s: Math.round(rate.in), out_per_s: Math.round(rate.out),
    records_in: p.counts.records_in, rows_out: p.counts.rows_out, lag: p.lag, watermark: watermark === null || !Number.isFinite(watermark) ? null : watermark,
    keys: p.keys, memory_bytes: p.memory, disk_bytes: p.onDisk, late: p.counts.late, dead_letters: bad(p), away, waits_for: waitsFor(p), last_problem: p.lastProblem,
  });
}

/** Partitions without which event time cannot begin. */
const waitsFor = (p: Progress): { readonly source: string; readonly partition: number }[] => p.sources.flatMap(s => (s.watermark === -Infinity && s.holder !== null ? [{ source: s.name, partition: s.holder }] : []));

/** A line of JSON for each job every ten seconds. */
export class ProgressLog extends Logged {
  constructor(err: Sinkable, jobs: readonly Job[]) {
    const sample = sampler(jobs);
    super(err, () => sample().map(({ progress, rate, away }) => progressLine(progress, rate, away, Date.now())));
  }
}
