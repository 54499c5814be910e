import type { PipelineSpec } from '../config/spec.ts';
import type { JobReport } from '../observe/job.ts';
import type { PlanReport } from '../observe/plan.ts';
import type { Logs } from './logs.ts';
import type { Pipelines } from './pipelines.ts';

/** What a dashboard shows and may do: one for the pipelines of a run, one for all of a data folder. */
export interface Site {
  /** Of pipe. */
  readonly version: string;
  /** Absolute folders of the project and of its data. */
  readonly root: string;
  readonly data: string;
  /** --allow-actions. */
  readonly actions: boolean;
  readonly pipelines: Pipelines;
  readonly logs: Logs;
  readonly controls: Controls;
  /** The built file that reads state files in a process of its own, which can be killed. */
  readonly stateProcess: URL;
  /** Newest reports, by pipeline. */
  reports(): readonly JobReport[];
  plan(of: JobReport): PlanReport | null;
  /** The values in force of a pipeline, in the form of its file; secrets are masked. */
  config(spec: PipelineSpec): Readonly<Record<string, unknown>>;
  /** What went wrong on our side: nobody else is told more than that. */
  failed(error: unknown): void;
}

export type Action = 'pause' | 'resume' | 'drain';

/** What may be done to a job. */
export interface Controls {
  /** Whether its process is this one: it is ready when they all run. */
  readonly own: boolean;
  /** Throws PipeError where it cannot be done. */
  act(action: Action, of: JobReport): void;
}
