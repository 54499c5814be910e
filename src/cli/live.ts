import type { Progress } from '../engine/progress.ts';
import type { Sinkable } from './command.ts';
import { bytes, clockTime, duration, groupCount, grouped, percent } from '../numbers.ts';
import { PATIENCE_MS, Redrawn } from './redrawn.ts';
import { fit, harmless, width } from './text-width.ts';

export interface Job {
  readonly progress: () => Progress;
  /** Its broker does not answer. */
  readonly away: () => boolean;
}

/** Records below which nobody waits for a backlog. */
const LEAST_BACKLOG = 10_000;
/** Rates are means over about this long. */
const RATE_MS = 2000;

interface Sample {
  readonly at: number;
  readonly records: number;
  readonly rows: number;
}

/** Records in and rows out a second, from samples of the totals. */
export class Rate {
  readonly #samples: Sample[] = [];

  add(s: Sample): { readonly in: number; readonly out: number } {
    this.#samples.push(s);
    while (this.#samples.length > 2 && s.at - (this.#samples[1] as Sample).at >= RATE_MS) this.#samples.shift();
    const first = this.#samples[0] as Sample;
    const seconds = (s.at - first.at) / 1000;
    return seconds <= 0 ? { in: 0, out: 0 } : { in: (s.records - first.records) / seconds, out: (s.rows - first.rows) / seconds };
  }
}

const STATES: Readonly<Record<Progress['state'], string>> = { starting: '○ start', running: '● run', paused: '‖ pause', draining: '◐ drain', done: '✓ done', stopped: '■ stop', failed: '✗ fail', crashed: '✗ gone' };

/** What the view shows of a job. */
export interface JobView {
  readonly progress: Progress;
  readonly rate: { readonly in: number; readonly out: number };
  /** The broker does not answer: what is known is old. */
  readonly away: boolean;
}

interface Column {
  readonly head: string;
  readonly right: boolean;
  cell(j: JobView, now: number): string;
}

const column = (head: string, right: boolean, cell: Column['cell']): Column => ({ head, right, cell });
const fresh = (cell: (j: JobView) => number): Column['cell'] => j => (j.away || j.progress.state === 'paused' ? '-' : grouped(cell(j)));

const NAME = column('JOB', false, j => harmless(j.progress.name));
const STATE = column('STATE', false, j => stateText(j));
const IN = column('IN/s', true, fresh(j => j.rate.in));
const OUT = column('OUT/s', true, fresh(j => j.rate.out));
const LAG = column('LAG', true, fresh(j => j.progress.lag));
const WATERMARK = column('WATERMARK', false, (j, now) => watermarkText(j.progress, now));
const WATERMARK_SHORT = column('WATERMARK', false, (j, now) => short(lowestWatermark(j.progress), now));
const KEYS = column('KEYS', true, ({ progress: p }) => groupCount(p.keys, p.onDisk));
const MEMORY = column('MEMORY', true, ({ progress: p }) => (p.onDisk === 0 ? bytes(p.memory) : `${bytes(p.memory)} + ${bytes(p.onDisk)} on disk`));
const LATE = column('LATE', true, j => grouped(j.progress.counts.late));
const BAD = column('BAD', true, j => grouped(bad(j.progress)));

/** Layouts from the widest to the narrowest: what matters less goes first, bad records last. */
const LAYOUTS: readonly (readonly Column[])[] = [
  [NAME, STATE, IN, OUT, LAG, WATERMARK, KEYS, MEMORY, LATE, BAD],
  [NAME, STATE, IN, OUT, LAG, WATERMARK, KEYS, LATE, BAD],
  [NAME, STATE, IN, OUT, LAG, WATERMARK, LATE, BAD],
  [NAME, STATE, IN, OUT, LAG, WATERMARK_SHORT, LATE, BAD],
  [NAME, STATE, IN, OUT, WATERMARK_SHORT, LATE, BAD],
  [NAME, STATE, IN, WATERMARK_SHORT, LATE, BAD],
  [NAME, STATE, IN, LATE, BAD],
  [NAME, STATE, BAD],
  [NAME, BAD],
];
/** Names are cut down to this before a column is left out. */
const LEAST_NAME = 8;

/** Bad records; late rows are counted apart, though both are kept as dead letters. */
export const bad = (p: Progress): number => p.counts.undecodable + p.counts.future + p.counts.failed;
const stateText = ({ progress: p, away }: JobView): string => (away && (p.state === 'running' || p.state === 'starting') ? '▲ away' : STATES[p.state]);

/** The lowest watermark of a pipeline's sources, epoch ms; null without event time. */
export function lowestWatermark(p: Progress): number | null {
  const all = p.sources.flatMap(s => (s.watermark === null ? [] : [s.watermark]));
  return all.length === 0 ? null : Math.min(...all);
}

function watermarkText(p: Progress, now: number): string {
  const w = lowestWatermark(p);
  if (w === null || !Number.isFinite(w)) return '-';
  const behind = now - w;
  return behind >= 0 && behind < 86_400_000 ? `${dayAndMinute(w, now)} (-${duration(behind)})` : dayAndMinute(w, now);
}

/** The time of today, else the day and the minute. */
function dayAndMinute(w: number, now: number): string {
  const [time = '', day] = clockTime(w, now).split(' ').reverse();
  return day === undefined ? time : `${day} ${time.slice(0, 5)}`;
}

/** The time of today, else the day. */
const short = (w: number | null, now: number): string => (w === null ? '-' : (clockTime(w, now).split(' ')[0] as string));

/** Sources whose event time cannot begin, since one of their partitions has given nothing yet; it holds them for `idle` at most. */
const waiting = (p: Progress): string[] =>
  p.sources.flatMap(s => (p.state === 'running' && s.watermark === -Infinity && s.holder !== null && p.counts.records_in > 0 ? [`${s.name} waits for a first record in partition ${s.holder}`] : []));

/** How long a backlog takes yet, where that is worth saying. */
const backlog = ({ progress: p, rate }: JobView): string[] =>
  (p.lag < LEAST_BACKLOG || rate.in < 1 || p.state !== 'running' || p.lag / rate.in < 2 ? [] : [`${grouped(p.lag)} records to catch up with: ${percent(p.counts.records_in / (p.counts.records_in + p.lag))} done, about ${duration(p.lag / rate.in * 1000)} left`]);

/** The view as lines of at most `columns` columns. */
export function liveLines(title: string, jobs: readonly JobView[], now: number, columns: number): string[] {
  const notes = jobs.flatMap(j => [...backlog(j), ...waiting(j.progress), ...(j.progress.lastProblem === null ? [] : [j.progress.lastProblem])].map(note => [j.progress, note] as const)).map(([p, note]) => fit(` ▲ ${harmless(p.name)}: ${harmless(note)}`, columns).trimEnd());
  return [fit(` pipe  ${title}`, columns).trimEnd(), ...jobTable(jobs, now, columns), ...notes];
}

/** The same without its title. */
export const jobLines = (jobs: readonly JobView[], now: number, columns: number): string[] => liveLines('', jobs, now, columns).slice(1);

function jobTable(jobs: readonly JobView[], now: number, columns: number): string[] {
  for (const layout of LAYOUTS) {
    const rows = jobs.map(j => layout.map(c => c.cell(j, now)));
    const widths = layout.map((c, j) => Math.max(width(c.head), ...rows.map(r => width(r[j] as string))));
    const room = columns - 1 - widths.slice(1).reduce((n, w) => n + w + 2, 0);
    if (room < Math.min(LEAST_NAME, widths[0] as number) && layout !== LAYOUTS.at(-1)) continue;
    widths[0] = Math.max(1, Math.min(widths[0] as number, room));
    const line = (cells: readonly string[]): string => fit(` ${cells.map((c, j) => fit(c, widths[j] as number, layout[j]?.right)).join('  ')}`, columns).trimEnd();
    return [line(layout.map(c => c.head)), ...rows.map(line)];
  }
  return [];
}

export interface LiveOptions {
  readonly title: string;
  /** False: a run to the end, which is shown only when it takes a while. */
  readonly following: boolean;
  /** Newest rows of the jobs, where they are not printed anyway. */
  readonly rows: () => readonly string[];
}

/** Samples jobs, from now on: each call gives their rates up to it. */
export function sampler(jobs: readonly Job[]): () => JobView[] {
  const rated = jobs.map(j => ({ ...j, rate: new Rate() }));
  const sample = (): JobView[] => rated.map(j => {
    const progress = j.progress();
    return { progress, rate: j.rate.add({ at: performance.now(), records: progress.counts.records_in, rows: progress.counts.rows_out }), away: j.away() };
  });
  // what the first rates are measured from
  sample();
  return sample;
}

/** Shows how a run goes: a block at the bottom of a terminal. */
export class LiveView extends Redrawn {
  constructor(err: Sinkable, jobs: readonly Job[], o: LiveOptions) {
    const sample = sampler(jobs);
    super(err, columns => [...liveLines(o.title, sample(), Date.now(), columns), ...o.rows().map(r => fit(` ${harmless(r)}`, columns).trimEnd())], o.following ? 0 : PATIENCE_MS);
  }
}
