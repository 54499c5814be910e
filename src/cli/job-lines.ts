import type { Progress } from '../engine/progress.ts';
import { ALIVE, type JobReport, type OperatorReport, type SinkReport, type SourceReport } from '../observe/job.ts';
import { bytes, clockTime, duration, groupCount, grouped, percent, plural } from '../numbers.ts';

/** Whether nothing happens any more. */
export const isOver = (r: JobReport): boolean => !ALIVE.includes(r.state);

/** A report as the live view takes it. */
export const progressOf = (r: JobReport): Progress => ({
  name: r.pipeline, state: r.state, counts: r.run, lag: r.lag, keys: r.keys, memory: r.memory_bytes, onDisk: r.disk_bytes,
  sources: r.sources.map(s => ({ name: s.name, watermark: s.event_time ? s.watermark ?? -Infinity : null, holder: s.holder, lag: s.lag })),
  // of several pipelines each error says whose it is; here its line does
  lastProblem: r.error !== null ? withoutName(r.error.message, r.pipeline) : r.problems[0] === undefined ? null : r.problems[0].message + (r.problems[0].where === null ? '' : ` at ${r.problems[0].where}`),
});

const withoutName = (message: string, name: string): string => (message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message);

/** How the parts of a running pipeline go, each in one line. */
export const sourceLive = (s: SourceReport, now: number): string => [
  `${grouped(s.per_s)} records/s`, `${grouped(s.records)} read`, `lag ${grouped(s.lag)}`, ...watermark(s.watermark, now), ...(s.holder === null || s.watermark !== null ? [] : [`waits for partition ${s.holder}`]), ...busy(s.busy),
].join(' · ');

export const operatorLive = (o: OperatorReport): string => [
  ...(o.rows_in === null || o.rows_out === null ? ['rows and time are known of one thread only'] : [`${grouped(o.in_per_s ?? 0)} rows/s in, ${grouped(o.out_per_s ?? 0)} out`, `${grouped(o.rows_in)} in, ${grouped(o.rows_out)} out${o.rows_in === 0 ? '' : ` (${percent(o.rows_out / o.rows_in)})`}`]),
  ...busy(o.busy), ...(o.keys === null ? [] : [`${groupCount(o.keys, o.disk_bytes)} ${o.keys === 1 ? 'key' : 'keys'}, ${bytes(o.memory_bytes)}${o.disk_bytes === 0 ? '' : ` and ${bytes(o.disk_bytes)} on disk`}`]),
  ...((o.open_windows ?? 0) === 0 ? [] : [`${plural(o.open_windows as number, 'open window')}`]), ...count(o.filtered, 'filtered'), ...count(o.late, 'late'), ...count(o.failed, 'failed'),
].join(' · ');

export const sinkLive = (s: SinkReport): string => [`${grouped(s.per_s)} rows/s`, `${grouped(s.rows)} written`, bytes(s.bytes), ...busy(s.busy)].join(' · ');

/** Since when a report holds, where it is not of now. */
export function ageLine(r: JobReport, now: number): string {
  const ago = `${duration(Math.max(0, now - r.at))} ago`;
  if (r.state === 'crashed') return `its process ${r.pid} ended without a word, ${ago} or later: the next run goes on from epoch ${r.epoch}`;
  if (r.state === 'stopped') return `stopped before its end ${ago}: the next run goes on from epoch ${r.epoch}`;
  return isOver(r) ? `ended ${ago}` : `as of ${ago}`;
}

const busy = (share: number | null): string[] => (share === null ? [] : [`busy ${percent(share)}`]);
const count = (n: number, what: string): string[] => (n === 0 ? [] : [`${grouped(n)} ${what}`]);
const watermark = (ms: number | null, now: number): string[] => (ms === null ? [] : [`watermark ${clockTime(ms, now)}${now - ms < 86_400_000 && now >= ms ? ` (-${duration(now - ms)})` : ''}`]);
