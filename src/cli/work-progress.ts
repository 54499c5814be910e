import { bytes, duration, grouped, percent } from '../numbers.ts';
import type { Io, Parsed, Sinkable } from './command.ts';
import { Rate } from './live.ts';
import { Logged } from './logged.ts';
import { LEVELS, type Board, type MessageOptions } from './messages.ts';
import { PATIENCE_MS, Redrawn } from './redrawn.ts';
import { fit, harmless } from './text-width.ts';

/** How far a piece of work is; totals since it began. */
export interface Reached {
  /** Records or bytes, as the unit says. */
  readonly count: number;
  /** What the estimate goes by, and all of it; 0: nobody knows how much there is. */
  readonly done: number;
  readonly of: number;
}

/** Work that may take long, and counts what it has done now and then, not per record. */
export interface Work {
  /** For machines: 'send'. */
  readonly name: string;
  /** For people: 'sending'. */
  readonly doing: string;
  /** What it is about, in lines of JSON: {topic: 'transactions'}. */
  readonly about: Readonly<Record<string, string>>;
  readonly unit: 'records' | 'bytes';
  reached(): Reached;
}

interface Estimate {
  readonly count: number;
  readonly perSecond: number;
  /** 0 to 1; null: nobody knows. */
  readonly share: number | null;
  /** ms; null: nobody knows, or all is done but the last checks. */
  readonly left: number | null;
}

/** What can be said of a piece of work from samples of it. */
class Estimator {
  readonly #work: Work;
  readonly #rate = new Rate();

  constructor(work: Work) { this.#work = work; }

  /** Null before anything is done. `at` is of a steady clock, ms. */
  sample(at: number): Estimate | null {
    const { count, done, of } = this.#work.reached();
    // two totals and their rates, whatever they count
    const rate = this.#rate.add({ at, records: count, rows: done });
    if (count === 0) return null;
    return { count, perSecond: rate.in, share: of > 0 ? Math.min(1, done / of) : null, left: of > done && rate.out > 0 ? ((of - done) / rate.out) * 1000 : null };
  }
}

/** `sending  412,000 records · 41 % · 120,000/s · about 5.0 s left`, in at most `columns` columns. */
function workLine({ doing, unit }: Work, e: Estimate, columns: number): string {
  const count = unit === 'bytes' ? bytes(e.count) : `${grouped(e.count)} records`;
  const rate = unit === 'bytes' ? bytes(Math.round(e.perSecond)) : grouped(e.perSecond);
  const parts = [count, ...(e.share === null ? [] : [percent(e.share)]), `${rate}/s`, ...(e.left === null ? [] : [`about ${duration(e.left)} left`])];
  return fit(`${harmless(doing)}  ${parts.join(' · ')}`, columns).trimEnd();
}

/** The same for machines, as the lines of a run: `time` is epoch ms. */
const workJson = ({ name, about, unit }: Work, e: Estimate, time: number): string => JSON.stringify({
  v: 1, level: LEVELS.info, time, msg: 'progress', work: name, ...about, [unit]: e.count, per_s: Math.round(e.perSecond), done: e.share === null ? null : Number(e.share.toFixed(4)), left_ms: e.left === null ? null : Math.round(e.left),
});

/** Shows how a piece of work goes until it is stopped; null with --quiet. */
export function workBoard(err: Sinkable, o: MessageOptions, work: Work): Board | null {
  if (o.quiet) return null;
  const estimator = new Estimator(work);
  estimator.sample(performance.now());
  const said = (line: (e: Estimate) => string): readonly string[] | null => {
    const e = estimator.sample(performance.now());
    return e === null ? null : [line(e)];
  };
  if (err.isTTY && !o.json && !o.logs) return new Redrawn(err, columns => said(e => workLine(work, e, columns)), PATIENCE_MS);
  return new Logged(err, () => said(e => workJson(work, e, Date.now())) ?? []);
}

/** Runs `run`, which says what it has to say through the `Io` that it is given, and shows how it goes meanwhile. */
export async function withProgress<T>(p: Parsed, io: Io, work: Work, run: (io: Io) => Promise<T>): Promise<T> {
  const board = workBoard(io.err, { json: p.has('json'), quiet: p.has('quiet'), logs: false }, work);
  if (board === null) return run(io);
  try {
    return await run({ ...io, out: aboveBoard(io.out, board), err: aboveBoard(io.err, board) });
  } finally {
    board.stop();
  }
}

const aboveBoard = (to: Sinkable, board: Board): Sinkable => ({
  write: text => {
    let more = true;
    board.above(() => { more = to.write(text); });
    return more;
  },
  drained: () => to.drained(),
  get closed() { return to.closed; },
  get isTTY() { return to.isTTY; },
  get columns() { return to.columns; },
  get rows() { return to.rows; },
});
