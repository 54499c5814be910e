import type { Progress } from '../engine/progress.ts';
import type { Sinkable } from './command.ts';
import { bytes, clockTime, duration, grouped, plural } from './numbers.ts';
import { fit, harmless, width } from './table.ts';

export interface Job {
  readonly progress: () => Progress;
}

const REDRAW_MS = 250;
const SUMMARY_MS = 10_000;
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

const STATES: Readonly<Record<Progress['state'], string>> = { starting: '○ start', running: '● run', draining: '◐ drain', done: '✓ done', failed: '✗ fail' };
const HEAD = ['JOB', 'STATE', 'IN/s', 'OUT/s', 'LAG', 'WATERMARK', 'KEYS', 'STATE', 'LATE', 'DEAD'];
const RIGHT = [false, false, true, true, true, false, true, true, true, true];

const dead = (p: Progress): number => p.counts.undecodable + p.counts.future + p.counts.failed;

/** The lowest watermark of a pipeline's sources, epoch ms; null without event time. */
function lowestWatermark(p: Progress): number | null {
  const all = p.sources.flatMap(s => (s.watermark === null ? [] : [s.watermark]));
  return all.length === 0 ? null : Math.min(...all);
}

function watermarkText(p: Progress, now: number): string {
  const w = lowestWatermark(p);
  if (w === null || !Number.isFinite(w)) return '-';
  const behind = now - w;
  return behind >= 0 && behind < 86_400_000 ? `${clockTime(w, now)} (-${duration(behind)})` : clockTime(w, now);
}

/** The view as lines of at most `columns` columns. */
export function liveLines(title: string, jobs: readonly { readonly progress: Progress; readonly rate: { readonly in: number; readonly out: number } }[], now: number, columns: number): string[] {
  const rows = jobs.map(({ progress: p, rate }) => [
    harmless(p.name), STATES[p.state], grouped(rate.in), grouped(rate.out), grouped(p.lag), watermarkText(p, now), grouped(p.keys), bytes(p.memory), grouped(p.counts.late), grouped(dead(p)),
  ]);
  const widths = HEAD.map((h, j) => Math.max(width(h), ...rows.map(r => width(r[j] as string))));
  // the name gives way first, then columns from the right are left out
  const room = columns - 1 - widths.slice(1).reduce((n, w) => n + w + 2, 0);
  widths[0] = Math.max(8, Math.min(widths[0] as number, room));
  const line = (cells: readonly string[]): string => fit(` ${cells.map((c, j) => fit(c, widths[j] as number, RIGHT[j])).join('  ')}`, columns).trimEnd();
  const notes = jobs.flatMap(({ progress: p }) => (p.lastProblem === null ? [] : [fit(` ▲ ${harmless(p.name)}: ${harmless(p.lastProblem)}`, columns).trimEnd()]));
  return [fit(` pipe  ${title}`, columns).trimEnd(), line(HEAD), ...rows.map(line), ...notes];
}

/** One line about a pipeline, for logs. */
export function summaryLine(p: Progress, rate: { readonly in: number; readonly out: number }, now: number): string {
  const w = lowestWatermark(p);
  const time = w === null ? '' : ` · watermark ${clockTime(w, now)}`;
  return `${harmless(p.name)}  ${grouped(rate.in)} in/s · ${grouped(rate.out)} out/s · lag ${grouped(p.lag)}${time} · ${grouped(p.counts.late)} late · ${plural(dead(p), 'dead letter')}`;
}

/** Shows how a run goes: a block at the bottom of a terminal, redrawn at most four times a second, or a line each 10 s elsewhere. */
export class LiveView {
  readonly #err: Sinkable;
  readonly #title: string;
  readonly #jobs: readonly (Job & { readonly rate: Rate })[];
  readonly #timer: NodeJS.Timeout;
  #drawn: readonly string[] = [];

  constructor(err: Sinkable, title: string, jobs: readonly Job[]) {
    this.#err = err;
    this.#title = title;
    this.#jobs = jobs.map(j => ({ ...j, rate: new Rate() }));
    this.#timer = setInterval(() => (err.isTTY ? this.#draw() : this.#summary()), err.isTTY ? REDRAW_MS : SUMMARY_MS);
    this.#timer.unref();
  }

  /** Runs `print` with the block out of the way. */
  above(print: () => void): void {
    this.#erase();
    print();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#erase();
  }

  #samples(): { progress: Progress; rate: { in: number; out: number } }[] {
    const at = performance.now();
    return this.#jobs.map(j => {
      const progress = j.progress();
      return { progress, rate: j.rate.add({ at, records: progress.counts.records_in, rows: progress.counts.rows_out }) };
    });
  }

  #draw(): void {
    const lines = liveLines(this.#title, this.#samples(), Date.now(), Math.min(80, this.#err.columns - 1));
    const room = Math.max(1, this.#err.rows - 1);
    this.#erase();
    this.#drawn = lines.slice(0, room);
    this.#err.write(`${this.#drawn.join('\n')}\n`);
  }

  /** The terminal may have been made narrower since: what was one line is then several. */
  #erase(): void {
    if (this.#drawn.length === 0) return;
    const columns = Math.max(1, this.#err.columns);
    const height = this.#drawn.reduce((n, l) => n + Math.max(1, Math.ceil(width(l) / columns)), 0);
    this.#err.write(`\u001b[${height}A\r\u001b[J`);
    this.#drawn = [];
  }

  #summary(): void {
    for (const { progress, rate } of this.#samples()) this.#err.write(`${summaryLine(progress, rate, Date.now())}\n`);
  }
}
