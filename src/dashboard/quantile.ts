import type { HistogramReport } from '../observe/job.ts';

/** The value below which a share of the observations lies, seconds, linear within its bucket; null: there are none. `Infinity`: above the last bound. */
export function quantile({ le, counts, count }: HistogramReport, share: number): number | null {
  if (count === 0) return null;
  let below = 0;
  for (const [i, n] of counts.entries()) {
    if (n > 0 && below + n >= share * count) {
      const [from, until] = [i === 0 ? 0 : le[i - 1] as number, le[i] ?? Infinity];
      return until === Infinity ? Infinity : from + ((until - from) * (share * count - below)) / n;
    }
    below += n;
  }
  return Infinity;
}
