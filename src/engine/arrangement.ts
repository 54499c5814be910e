import type { PhysicalPlan, Scan } from '../plan/physical.ts';
import { buildGraph } from './build.ts';
import { RunContext } from './context.ts';
import type { Graph } from './graph.ts';
import type { History } from './history.ts';
import { EPOCH_BYTES, RunLoop } from './loop.ts';
import type { Meters } from './meters.ts';
import { openReader } from './open-reader.ts';
import type { Operator, Output } from './operator.ts';
import { CollectedOutbox } from './parallel/collected.ts';
import { Parallel, type Workers } from './parallel/parallel.ts';
import type { Split } from './parallel/split.ts';
import type { Threads } from './parallel/threads.ts';
import type { Accounting, Checkpointer, EpochInput, Outbox, PartOptions } from './ports.ts';
import type { RuntimeParts } from './runtime-parts.ts';
import { downstream } from './scan.ts';
import type { SourceReader } from './source-reader.ts';
import { Taps } from './tap.ts';

/** With several threads: slices as large as they may be, from each of a few partitions. What threads say to one another is by the slice. */
const APPETITE = 16;

/** What lasts while the work of a pipeline is arranged in one way or another. */
export interface Work {
  readonly run: RuntimeParts;
  readonly part: PartOptions;
  readonly accounting: Accounting;
  readonly history: History;
  readonly checkpointer: Checkpointer;
  readonly meters: Meters;
  commit(e: EpochInput): Promise<void>;
}

/** The work of a pipeline from an epoch on, as the state was left by it; what is arranged next goes on behind the last commit. */
export interface Arrangement {
  /** The state is loaded. */
  readonly loaded: Promise<void>;
  /** None where several threads have them. */
  readonly operators: readonly Operator[];
  readonly context: RunContext | null;
  readonly parallel: Parallel | null;
  /** Once it has begun. */
  readonly readers: readonly SourceReader[];
  readonly loop: Pick<RunLoop, 'run' | 'touch' | 'pause' | 'resume'> | null;
  /** Opens the sources where they stopped, behind recovery. */
  begin(): Promise<void>;
  close(): Promise<void>;
}

/** All is done in this thread. */
export class Alone implements Arrangement {
  readonly loaded = Promise.resolve();
  readonly operators: readonly Operator[];
  readonly context: RunContext;
  readonly parallel = null;
  readers: readonly SourceReader[] = [];
  loop: RunLoop | null = null;
  readonly #w: Work;
  readonly #before: readonly SourceReader[];
  readonly #graph: Graph;
  readonly #outbox: Outbox;

  /** `before`: the readers that its own go on for; none at the start of a run. */
  constructor(w: Work, before: readonly SourceReader[]) {
    this.#w = w;
    this.#before = before;
    const { run: { spec, plan, store, options, engine, notices, taps: tapped }, part, accounting, meters } = w;
    const taps = new Taps(tapped, accounting);
    const outbox = engine.outbox(part, taps);
    this.#outbox = outbox;
    w.history.goOn(outbox);
    this.context = new RunContext(store, accounting, options.memory, options.packFrom, () => outbox.bytes(), null, this.#epochBytes, (operator, keys, bytes) => notices.info(diskLine(spec.name, operator, keys, bytes)), meters);
    this.#graph = buildGraph(plan, this.context, meters.sinks(taps.outputs(outbox.outputs)), options.jit, undefined, meters);
    this.operators = this.#graph.operators;
    for (const o of this.operators) o.open();
  }

  async begin(): Promise<void> {
    const { run, accounting, meters, checkpointer } = this.#w;
    const { spec, plan, options, clock } = run;
    const { inputs } = this.#graph;
    const outbox = this.#outbox;
    this.readers = await Promise.all(plan.scans.map(scan => openReader(run, scan, {
      accounting, meters, input: inputs.get(scan.source) as Output, lastOpenEnd: lastEnd(plan, scan, this.#graph), appetite: 1, packed: false, before: readerOf(this.#before, scan),
    })));
    this.loop = new RunLoop({
      readers: this.readers, inputs, operators: this.operators, following: options.following, clock, checkpoint: spec.settings.checkpoint, epochBytes: this.#epochBytes,
      epoch: {
        bytes: () => outbox.bytes() + accounting.bytes() + this.context.waiting(),
        hasOutput: () => outbox.bytes() > 0 || accounting.bytes() > 0 || checkpointer.failed(),
        delivering: () => checkpointer.delivering(),
        commit: () => this.#commit(),
      },
    });
  }

  async close(): Promise<void> { await closeAll(this.readers); }

  get #epochBytes(): number { return this.#w.run.options.epochBytes ?? EPOCH_BYTES; }

  async #commit(): Promise<void> {
    const watermarks = new Map(this.readers.flatMap(r => (r.watermark === null ? [] : [[r.name, r.watermark] as const])));
    await this.#w.commit({ positions: this.readers.flatMap(r => r.positions()), watermarks, write: tx => { for (const o of this.operators) o.snapshot(tx); } });
    this.context.committed();
  }
}

/** Several threads share it. */
export class Shared implements Arrangement {
  readonly loaded: Promise<void>;
  readonly operators = [];
  readonly context = null;
  readonly parallel: Parallel;
  readers: readonly SourceReader[] = [];
  loop: Arrangement['loop'] = null;
  readonly #w: Work;
  readonly #split: Split;
  readonly #before: readonly SourceReader[];

  /** `outgrown`: called when the state takes half of the memory. */
  constructor(w: Work, before: readonly SourceReader[], split: Split, threads: Threads, unpackers: Workers['unpackers'], outgrown: () => void) {
    this.#w = w;
    this.#split = split;
    this.#before = before;
    const { run: { spec, plan, store, formats, options, clock, taps, notices }, part, accounting, history } = w;
    const outbox = new CollectedOutbox();
    history.goOn(outbox);
    this.parallel = new Parallel({
      spec, plan, split, store, formats, accounting, outbox, taps, partitions: part.partitions, clock, options, fresh: before.length === 0, warn: message => notices.warn(`${spec.name}: ${message}`), outgrown,
    }, threads, unpackers);
    this.loaded = this.parallel.open();
  }

  async begin(): Promise<void> {
    const { run, accounting, meters, checkpointer } = this.#w;
    const reader = async (input: Output, lastOpenEnd: () => number | null): Promise<SourceReader> => {
      const made = await openReader(run, this.#split.scan, { accounting, meters, input, lastOpenEnd, appetite: APPETITE, packed: true, before: readerOf(this.#before, this.#split.scan) });
      this.readers = [made];
      return made;
    };
    this.loop = await this.parallel.loop(reader, { delivering: () => checkpointer.delivering(), failed: () => checkpointer.failed(), commit: e => this.#w.commit(e) });
  }

  async close(): Promise<void> { await Promise.all([closeAll(this.readers), this.parallel.close()]); }
}

const readerOf = (readers: readonly SourceReader[], scan: Scan): SourceReader | null => readers.find(r => r.name === scan.source) ?? null;

/** A source that fails to close has nothing that is missed. */
const closeAll = async (readers: readonly SourceReader[]): Promise<void> => { await Promise.allSettled(readers.map(r => r.source.close())); };

function diskLine(pipeline: string, operator: string, keys: number, bytes: number): string {
  return `${pipeline}  state goes to disk from here on: operator "${operator}" holds ${keys} ${keys === 1 ? 'key' : 'keys'}, more than settings.memory has room for; ${Math.ceil(bytes / 2 ** 20)} MB written`;
}

/** End (ms) of the last open window that a scan feeds. */
function lastEnd(plan: PhysicalPlan, scan: Scan, graph: Graph): () => number | null {
  const reached = downstream(plan, scan.id);
  const fed = graph.operators.filter(o => reached.has(o.id));
  return () => fed.reduce<number | null>((last, o) => { const end = o.lastOpenEnd(); return end !== null && (last === null || end > last) ? end : last; }, null);
}
