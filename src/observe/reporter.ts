import type { Observation } from '../engine/observe.ts';
import type { JobReport, JobState } from './job.ts';

/** A pipeline of this process, as a reporter sees it. */
export interface Observable {
  readonly pipeline: string;
  /** Absolute path of its YAML file. */
  readonly file: string;
  readonly log: { readonly kind: 'embedded' | 'kafka'; readonly id: string; readonly label: string; away(): boolean };
  readonly stateFile: string;
  readonly following: boolean;
  state(): JobState;
  /** null before it is open. */
  observe(): Observation | null;
  error(): { readonly code: string; readonly message: string } | null;
}

/** The process that runs them. */
export interface ProcessInfo {
  readonly pid: number;
  /** Of pipe. */
  readonly version: string;
  /** Epoch ms. */
  readonly startedAt: number;
}

/** ms between reports, and so many of them are remembered. */
export const REPORT_MS = 1000;
const HISTORY = 600;
/** Rates are means over so many reports. */
const RATE_REPORTS = 2;

interface Sum {
  readonly at: number;
  readonly in: number;
  readonly out: number;
}

/** The reports of one pipeline: adds what only time tells, rates and history. */
export class Reporter {
  readonly #of: Observable;
  readonly #process: ProcessInfo;
  readonly #in: number[] = [];
  readonly #out: number[] = [];
  #sums: Sum[] = [];
  #before: { readonly at: number; readonly o: Observation } | null = null;

  constructor(of: Observable, process: ProcessInfo) {
    this.#of = of;
    this.#process = process;
  }

  /** `now` in epoch ms; null before the pipeline is open. */
  report(now: number): JobReport | null {
    const o = this.#of.observe();
    if (o === null) return null;
    const { pipeline, file, log, stateFile, following } = this.#of;
    const parts = this.#parts(o, now);
    const rate = this.#rate({ at: now, in: o.run.records_in, out: o.run.rows_out });
    return {
      v: 1, pipeline, file, log: { kind: log.kind, id: log.id, label: log.label }, state_file: stateFile, pid: this.#process.pid, version: this.#process.version, started_at: this.#process.startedAt, at: now,
      state: this.#of.state(), error: this.#of.error(), following, away: log.away(), rate,
      history: { every_ms: REPORT_MS, in: this.#in, out: this.#out }, backlog_s: o.lag > 0 && rate.in > 0 ? Math.ceil(o.lag / rate.in) : null, ...o, ...parts,
    };
  }

  /** Sources, operators and sinks with their rates. */
  #parts(o: Observation, now: number): Pick<JobReport, 'sources' | 'operators' | 'sinks'> {
    const before = this.#before;
    this.#before = { at: now, o };
    const s = Math.max(0.001, (now - (before?.at ?? this.#process.startedAt)) / 1000);
    const perSecond = (n: number, was: number | null | undefined): number => Math.round((n - (was ?? 0)) / s);
    const orNull = (n: number | null, was: number | null | undefined): number | null => (n === null ? null : perSecond(n, was));
    return {
      sources: o.sources.map((x, i) => ({ ...x, per_s: perSecond(x.records, before?.o.sources[i]?.records) })),
      operators: o.operators.map((x, i) => ({ ...x, in_per_s: orNull(x.rows_in, before?.o.operators[i]?.rows_in), out_per_s: orNull(x.rows_out, before?.o.operators[i]?.rows_out) })),
      sinks: o.sinks.map((x, i) => ({ ...x, per_s: perSecond(x.rows, before?.o.sinks[i]?.rows) })),
    };
  }

  #rate(sum: Sum): { readonly in: number; readonly out: number } {
    const last = this.#sums.at(-1) ?? { at: this.#process.startedAt, in: 0, out: 0 };
    const perSecond = (from: Sum, of: 'in' | 'out'): number => Math.round((sum[of] - from[of]) / Math.max(0.001, (sum.at - from.at) / 1000));
    push(this.#in, perSecond(last, 'in'));
    push(this.#out, perSecond(last, 'out'));
    this.#sums = [...this.#sums.slice(-RATE_REPORTS), sum];
    const from = this.#sums.length === 1 ? last : (this.#sums[0] as Sum);
    return { in: perSecond(from, 'in'), out: perSecond(from, 'out') };
  }
}

function push(to: number[], n: number): void {
  to.push(n);
  if (to.length > HISTORY) to.shift();
}
