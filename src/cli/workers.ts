import { Worker } from 'node:worker_threads';
import type { CompiledPipeline } from '../config/compile.ts';
import { unpackers } from '../connectors/unpack.ts';
import type { Workers } from '../engine/parallel/parallel.ts';
import { splitPlan } from '../engine/parallel/split.ts';
import type { Io } from './command.ts';
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

/**
 * The threads of a pipeline: as many as `--workers` or settings.workers ask for, where its plan can be split; null: none. Nobody gets them
 * without asking: what crosses from thread to thread is work too, and two cores win little back.
 */
export function workersFor({ spec, plan }: CompiledPipeline, asked: number | null, io: Io, entry: URL): Workers | null {
  const count = asked ?? spec.settings.workers ?? 1;
  if (count < 2 || typeof splitPlan(plan) === 'string') return null;
  const workerData: WorkerPlan = { path: spec.path, root: projectRoot(io.cwd), env: { ...io.env }, name: spec.file.name, text: spec.file.text };
  return { count, unpackers: unpackers(), spawn: () => new Worker(entry, { workerData }) };
}
