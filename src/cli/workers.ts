import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CompiledPipeline } from '../config/compile.ts';
import { wholeEnvironment } from '../config/environment.ts';
import type { Workers } from '../engine/parallel/parallel.ts';
import { splitPlan } from '../engine/parallel/split.ts';
import type { Io } from './command.ts';
import type { RunModules } from './run-modules.ts';
import { projectRoot } from './places.ts';

/** Of what a worker thread makes its plan. */
export interface WorkerPlan {
  readonly path: string;
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the file in messages. */
  readonly name: string;
  /** What the main thread has read of it. */
  readonly text: string;
}

/** More than these nobody gets without asking: the one main thread commits for all. */
const MOST = 4;

/**
 * The threads of a pipeline: as many as `--workers` or settings.workers ask for from the start, or as the machine has cores while a
 * backlog is large; null where its plan cannot be split. `alone`: the only pipeline of the process, which shares no scan with others.
 */
export function workersFor({ spec, plan }: CompiledPipeline, asked: number | 'auto' | null, alone: boolean, io: Io, modules: Pick<RunModules, 'scaling' | 'worker'>): Workers | null {
  const said = asked ?? spec.settings.workers;
  const auto = said === null || said === 'auto';
  const count = auto ? (alone ? Math.min(availableParallelism(), MOST) : 1) : said;
  if (count < 2 || typeof splitPlan(plan) === 'string') return null;
  const workerData: WorkerPlan = { path: spec.path, root: projectRoot(io.cwd), env: wholeEnvironment(io.env, spec.dir, projectRoot(io.cwd)), name: spec.file.name, text: spec.file.text };
  let loaded: ReturnType<Workers['unpackers']> | null = null;
  const unpackers: Workers['unpackers'] = () => loaded ??= import('../connectors/unpack.ts').then(m => m.unpackers());
  return { count, backlog: auto ? modules.scaling : null, unpackers, spawn: () => new Worker(modules.worker, { workerData }) };
}
