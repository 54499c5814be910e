import type { CompiledPipeline } from '../config/compile.ts';
import type { Log } from '../connectors/connector.ts';
import type { PipelineRuntime } from '../engine/runtime.ts';
import type { JobReport } from '../observe/job.ts';
import { LiveFiles } from '../observe/live-writer.ts';
import { planReport } from '../observe/plan-report.ts';
import { Reporter, REPORT_MS, type ProcessInfo } from '../observe/reporter.ts';
import { problemsOf } from '../errors.ts';

/** A pipeline of this run. */
export interface Looked {
  readonly compiled: CompiledPipeline;
  readonly runtime: PipelineRuntime;
  readonly log: Log;
  readonly stateFile: string;
  readonly following: boolean;
  /** What ended it. */
  failure: unknown;
  /** It was to follow, and ended because nobody reads what it prints any more. */
  cut: boolean;
}

/** Tells everybody who looks on how the pipelines of this process stand: once a second, and a last time at the end. */
export class Lookers {
  readonly #reporters: readonly Reporter[];
  readonly #files: LiveFiles;
  #timer: NodeJS.Timeout | null = null;
  #last: readonly JobReport[];

  /** `folder`: of the live files. */
  constructor(folder: string, jobs: readonly Looked[], process: ProcessInfo) {
    this.#reporters = jobs.map(j => new Reporter(observable(j), process));
    this.#files = new LiveFiles(folder);
    for (const j of jobs) this.#files.plan(j.compiled.spec.name, j.log.id, planReport(j.compiled));
    this.#last = this.#seen();
  }

  /** From now on there are live files: what a process leaves that never began would say that it is gone. */
  start(): void {
    this.#look();
    this.#timer = setInterval(() => this.#look(), REPORT_MS).unref();
  }

  /** The newest reports. */
  get reports(): readonly JobReport[] { return this.#last; }

  stop(): void {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#look();
  }

  #seen(): readonly JobReport[] {
    const now = Date.now();
    return this.#reporters.flatMap(r => r.report(now) ?? []);
  }

  #look(): void {
    this.#last = this.#seen();
    for (const report of this.#last) this.#files.report(report);
  }
}

/** One that followed until nobody read its output any more did not come to its end. */
export const stateOf = ({ cut, runtime: { state } }: Pick<Looked, 'cut' | 'runtime'>): Looked['runtime']['state'] => (cut && state === 'done' ? 'stopped' : state);

const observable = (j: Looked): ConstructorParameters<typeof Reporter>[0] => ({
  pipeline: j.compiled.spec.name, file: j.compiled.spec.path, log: j.log, stateFile: j.stateFile, following: j.following,
  state: () => stateOf(j), observe: () => j.runtime.observe(), error: () => failureOf(j.failure),
});

function failureOf(problem: unknown): JobReport['error'] {
  if (problem === null) return null;
  const first = problemsOf(problem)?.[0];
  return first !== undefined ? { code: first.code, message: first.message } : { code: 'bug.unexpected', message: problem instanceof Error ? problem.message : String(problem) };
}
