import { setImmediate } from 'node:timers/promises';
import { mayCompile } from '../codegen/writer.ts';
import type { CompiledPipeline } from '../config/compile.ts';
import type { SourceSpec } from '../config/spec.ts';
import type { NewRecord } from '../connectors/connector.ts';
import { MemoryLog } from '../connectors/memory/log.ts';
import type { MemoryRecord } from '../connectors/memory/topic.ts';
import { PACK_GROUPS } from '../engine/group-store.ts';
import { POLL_MS } from '../engine/loop.ts';
import { engineParts } from '../engine/parts.ts';
import type { EngineParts } from '../engine/ports.ts';
import { PipelineRuntime, writtenTopics } from '../engine/runtime.ts';
import { formats } from '../formats/index.ts';
import { MemoryState } from '../state/in-memory.ts';
import { onClock } from './plan-exprs.ts';
import { TestClock } from './test-clock.ts';
import { WatchedAccounting, type BadRow } from './watched.ts';

export interface HarnessOptions {
  /** Of every topic. */
  readonly partitions: number;
  /** Where the clock begins, epoch ms; null: the default. */
  readonly now: number | null;
}

const BATCH_ROWS = 8192;
const MEMORY = 1 << 30;
const DRAIN_MS = 20_000;
/** In how many pieces time passes at most: what idleness does in between is seen at their ends. */
const PIECES = 200;
/** Groupings over groupings close one after the other, each when the loop has looked again. */
const LOOKS = 50;

interface Following {
  readonly runtime: PipelineRuntime;
  readonly stop: AbortController;
  /** Rejects with what stops the pipeline. */
  readonly work: Promise<void>;
}

/**
 * One pipeline on a log and a state in memory, run by the engine as always; only time is the caller's. It follows from the first
 * step on; `finish` then reads to the end as a run with --until-end does.
 */
export class Harness {
  /** Everything that was bad or late, in order. */
  readonly bad: BadRow[] = [];
  readonly warnings: string[] = [];
  readonly clock: TestClock;
  /** Sources whose watermark has moved while nothing was sent. */
  readonly idled = new Set<string>();
  readonly #c: CompiledPipeline;
  readonly #log: MemoryLog;
  readonly #state: MemoryState;
  readonly #o: HarnessOptions;
  #following: Following | null = null;

  constructor(c: CompiledPipeline, o: HarnessOptions) {
    this.#o = o;
    this.clock = new TestClock(o.now);
    // an epoch for each turn of the loop, so that what is out is seen at once
    this.#c = { ...c, plan: onClock(c.plan, this.clock), spec: { ...c.spec, settings: { ...c.spec.settings, checkpoint: 0 } } };
    this.#log = new MemoryLog(() => this.clock.now());
    this.#state = new MemoryState(c.spec.name, this.#log.id);
    for (const name of new Set([...c.spec.sources.map(s => s.topic), ...writtenTopics(c.spec, null)])) void this.#log.createTopic({ name, partitions: o.partitions });
  }

  /** Of every topic. */
  get partitions(): number { return this.#o.partitions; }

  /** Appends records to the topic of a source; a pipeline that follows reads them. */
  async send(source: string, records: readonly NewRecord[]): Promise<void> {
    await this.#log.append(this.#source(source).topic, records);
    if (this.#following !== null) await this.#settle(this.#following);
  }

  /** Begins to follow. */
  async follow(): Promise<void> {
    if (this.#following !== null) return;
    const runtime = this.#runtime(true);
    const stop = new AbortController();
    try {
      await runtime.open();
    } catch (error) {
      await runtime.close();
      throw error;
    }
    const work = runtime.run(stop.signal);
    // looked at by whoever settles or stops
    work.catch(() => undefined);
    this.#following = { runtime, stop, work };
    await this.#settle(this.#following);
  }

  /** Time (ms) in which nothing is sent. */
  async advance(ms: number): Promise<void> {
    await this.follow();
    const run = this.#following as Following;
    const before = watermarks(run);
    const piece = Math.max(POLL_MS, Math.ceil(ms / PIECES));
    for (let left = ms; left > 0; left -= piece) {
      this.clock.pass(Math.min(piece, left));
      await this.#look(run);
    }
    await this.#settle(run);
    for (const [source, w] of watermarks(run)) if (w > (before.get(source) ?? -Infinity)) this.idled.add(source);
  }

  /** A source, or one partition of it, is quiet for as long as makes it idle; all others count as busy. */
  async idle(source: string, partition: number | null): Promise<void> {
    await this.follow();
    const { topic, eventTime } = this.#source(source);
    this.#log.busy = (t, p) => t !== topic || (partition !== null && p !== partition);
    await this.advance(eventTime?.idle ?? 0);
    this.#log.busy = () => false;
  }

  /** Stops as on SIGTERM and goes on from the saved state. */
  async restart(): Promise<void> {
    await this.follow();
    await this.#stop();
    await this.follow();
  }

  /** Reads to the end and closes all windows. */
  async finish(): Promise<void> {
    await this.#stop();
    const runtime = this.#runtime(false);
    try {
      await runtime.open();
      await runtime.run(new AbortController().signal);
    } finally {
      await runtime.close();
    }
  }

  /** Records that a sink has written, in the order in which they came. */
  written(sink: string): readonly MemoryRecord[] {
    const topic = this.#c.spec.sinks.find(s => s.name === sink)?.topic;
    return topic === undefined ? [] : this.#log.topicOf(topic).arrived;
  }

  /** Also after a failure. */
  async close(): Promise<void> {
    const run = this.#following;
    this.#following = null;
    if (run !== null) {
      run.stop.abort();
      await run.work.catch(() => undefined);
      await run.runtime.close();
    }
    this.#state.close();
  }

  #source(name: string): SourceSpec { return this.#c.spec.sources.find(s => s.name === name) as SourceSpec; }

  async #stop(): Promise<void> {
    const run = this.#following;
    if (run === null) return;
    this.#following = null;
    run.stop.abort();
    try {
      await run.work;
    } finally {
      await run.runtime.close();
    }
  }

  /** Until all is read and done, and the loop has looked at it once more: from then on quiet is timed. */
  async #settle(run: Following): Promise<void> {
    let state = '';
    for (let n = 0; n < LOOKS; n++) {
      await this.#look(run);
      const now = JSON.stringify([run.runtime.progress(), this.#written()]);
      if (now === state) return;
      state = now;
    }
  }

  /** The loop goes round until it waits for time to pass. */
  async #look(run: Following): Promise<void> {
    this.#log.waiting.release();
    let failed = false;
    run.work.catch(() => { failed = true; });
    do await setImmediate(); while (!failed && !this.#log.quiet);
    // of a delivery that is on its way
    await setImmediate();
    if (failed) await run.work;
  }

  #written(): number { return this.#c.spec.sinks.reduce((n, s) => n + this.written(s.name).length, 0); }

  #runtime(following: boolean): PipelineRuntime {
    const { spec, plan } = this.#c;
    const engine: EngineParts = { ...engineParts, accounting: o => new WatchedAccounting(o, b => { this.bad.push(b); }) };
    return new PipelineRuntime({
      spec, plan, log: this.#log, source: o => this.#log.source(o), store: this.#state.open(), formats, engine, clock: this.clock, workers: null,
      notices: { warn: m => { this.warnings.push(m); }, info: () => undefined }, taps: new Map(), committed: () => Promise.resolve(),
      options: {
        following, from: 'earliest', batchRows: BATCH_ROWS, jit: mayCompile(), decoder: 'fast', onError: null, resume: null, packFrom: PACK_GROUPS,
        memory: MEMORY, drain: DRAIN_MS, backfill: false, takeOver: false, ownerId: 'test',
      },
    });
  }
}

const watermarks = ({ runtime }: Following): ReadonlyMap<string, number> => new Map(runtime.progress().sources.flatMap(s => (s.watermark === null ? [] : [[s.name, s.watermark] as const])));
