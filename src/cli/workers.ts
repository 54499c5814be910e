import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { PipelineSpec } from '../config/spec.ts';
import type { Log } from '../connectors/connector.ts';
import type { Workers } from '../engine/parallel/parallel.ts';
import { splitPlan } from '../engine/parallel/split.ts';
import type { CompiledPipeline } from '../config/compile.ts';
import type { Saved } from '../state/store.ts';
import type { Io } from './command.ts';
import { projectRoot } from './places.ts';

/** A backlog of so many records is worth the start of threads, when nobody says how many. */
const LARGE_BACKLOG = 5_000_000;
/** More threads than this are not taken without being asked for: what one thread polls and commits keeps no more busy. */
const MOST_BY_ITSELF = 4;
/** What crosses from thread to thread costs a third more work: too much for two cores to pay without being asked. */
const ENOUGH_CORES = 3;

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

/** Threads for a pipeline: as many as are asked for, by `--workers` or settings.workers, else more than one for a large backlog; null: none. */
export async function workersFor(c: CompiledPipeline, o: { readonly asked: number | null; readonly log: Log; readonly saved: Saved; readonly fromEnd: boolean; readonly io: Io; readonly entry: URL }): Promise<Workers | null> {
  const asked = o.asked ?? c.spec.settings.workers;
  if (asked === 1 || typeof splitPlan(c.plan) === 'string') return null;
  const count = asked ?? (await byItself(c.spec, o));
  if (count < 2) return null;
  const { spec } = c;
  const workerData: WorkerPlan = { path: spec.path, root: projectRoot(o.io.cwd), env: { ...o.io.env }, name: spec.file.name, text: spec.file.text };
  return { count, spawn: () => new Worker(o.entry, { workerData }) };
}

async function byItself(spec: PipelineSpec, { log, saved, fromEnd }: { readonly log: Log; readonly saved: Saved; readonly fromEnd: boolean }): Promise<number> {
  const cores = availableParallelism();
  if (cores < ENOUGH_CORES || fromEnd || (await backlog(spec, log, saved)) < LARGE_BACKLOG) return 1;
  // the main thread has work of its own
  return Math.min(MOST_BY_ITSELF, cores - 1);
}

/** Records that are there and not read yet. */
async function backlog(spec: PipelineSpec, log: Log, saved: Saved): Promise<number> {
  let records = 0;
  for (const s of spec.sources) {
    const next = new Map(saved.positions.filter(p => p.source === s.name).map(p => [p.partition, p.next]));
    for (const p of (await log.topic(s.topic))?.partitions ?? []) records += Math.max(0, p.end - Math.max(p.begin, next.get(p.partition) ?? 0));
  }
  return records;
}
