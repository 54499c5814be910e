import type { PipelineSpec } from '../../config/spec.ts';
import type { PhysicalPlan } from '../../plan/physical.ts';
import type { StateStore } from '../../state/store.ts';
import type { Clock } from '../clock.ts';
import type { FormatDef } from '../../formats/format.ts';
import type { Output } from '../operator.ts';
import type { Accounting } from '../ports.ts';
import type { Unpacker } from '../records.ts';
import type { SourceReader } from '../source-reader.ts';
import type { CollectedOutbox } from './collected.ts';
import { Crew } from './crew.ts';
import { ParallelLoop, type ParallelLoopParts } from './loop.ts';
import type { Answer } from './messages.ts';
import { OwnMember } from './own.ts';
import type { Backlog, Load } from './scaling.ts';
import type { Split } from './split.ts';
import { ParallelState } from './state.ts';
import type { Spawn, Threads } from './threads.ts';

/** How many threads, and how one begins. */
export interface Workers {
  readonly count: number;
  /** Tells when, as of how it begins; null: from the start. */
  readonly backlog: ((began: Load) => Backlog) | null;
  readonly spawn: Spawn;
  /** For the main thread, the same each time; loaded when it is one of several. */
  readonly unpackers: () => Promise<ReadonlyMap<string, Unpacker>>;
}

export interface ParallelParts {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly split: Split;
  readonly store: StateStore;
  readonly formats: { find(name: string): FormatDef | undefined };
  readonly accounting: Accounting;
  readonly outbox: CollectedOutbox;
  readonly taps: ReadonlyMap<string, Output>;
  readonly partitions: ReadonlyMap<string, number>;
  readonly clock: Clock;
  /** No record was looked at in this run. */
  readonly fresh: boolean;
  readonly warn: (message: string) => void;
  /** Called when the state takes half of the memory. */
  readonly outgrown: () => void;
  readonly options: { readonly jit: boolean; readonly decoder: 'fast' | 'plain'; readonly following: boolean; readonly memory: number };
}

/** A pipeline on several threads, of which the main one is the first: its state and its crew, before its source is open. */
export class Parallel {
  readonly #p: ParallelParts;
  readonly #crew: Crew;
  readonly #state: ParallelState | null;
  #loop: ParallelLoop | null = null;
  #failure: { readonly error: unknown } | null = null;

  /** `threads`: all but the main one. */
  constructor(p: ParallelParts, threads: Threads, unpackers: Workers['unpackers']) {
    this.#p = p;
    this.#state = p.split.keyed === null ? null : new ParallelState(p.store, p.split.keyed);
    const failed = (error: unknown): void => {
      this.#failure ??= { error };
      this.#loop?.fail(error);
    };
    const own = (answered: (a: Answer) => void): OwnMember => new OwnMember(async (o, post) => {
      const { Member } = await import('./member.ts');
      return new Member({ spec: p.spec, plan: p.plan, formats: p.formats, unpackers: await unpackers() }, o, post);
    }, answered);
    this.#crew = new Crew(threads, own, (w, a) => this.#answered(w, a), failed);
  }

  /** Until the workers have their state. Throws what kept one from it. */
  async open(): Promise<void> {
    const { options, partitions, taps } = this.#p;
    await this.#crew.open({ jit: options.jit, generated: options.jit && options.decoder === 'fast', following: options.following, fresh: this.#p.fresh, partitions, saved: this.#state?.saved ?? null, tapped: [...taps.keys()] });
    if (this.#state !== null) this.#state.saved = null;
  }

  /** `reader`: of the one source, given the place where it says that the watermark moved and the end of the last open window. */
  async loop(reader: (input: Output, lastOpenEnd: () => number | null) => Promise<SourceReader>, epoch: ParallelLoopParts['epoch']): Promise<ParallelLoop> {
    const { spec, plan, split, accounting, outbox, taps, clock, warn, options } = this.#p;
    let loop: ParallelLoop | null = null;
    const input: Output = { push: () => undefined, watermark: ms => loop?.input.watermark(ms), finish: () => undefined };
    const made = new ParallelLoop({
      reader: await reader(input, () => loop?.lastOpenEnd() ?? null), crew: this.#crew, state: this.#state, following: options.following, clock, checkpoint: spec.settings.checkpoint,
      memory: options.memory / 2, outgrown: this.#p.outgrown, accounting, outbox, taps, warn, epoch,
      places: { source: split.scan.source, time: split.scan.time ?? 0, file: spec.file, plan },
    });
    loop = made;
    this.#loop = made;
    if (this.#failure !== null) made.fail(this.#failure.error);
    return made;
  }

  get keys(): number { return this.#loop?.keys ?? 0; }
  get memory(): number { return this.#loop?.memory ?? 0; }

  async close(): Promise<void> { await this.#crew.close(); }

  #answered(worker: number, a: Answer): void { this.#loop?.answered(worker, a); }
}
