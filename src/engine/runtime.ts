import { setTimeout as sleep } from 'node:timers/promises';
import type { Delivery } from '../connectors/connector.ts';
import type { OnError, PipelineSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import type { Position, Saved } from '../state/store.ts';
import { Alone, Shared, type Arrangement, type Work } from './arrangement.ts';
import { Backfill } from './backfill.ts';
import { claimState } from './claim.ts';
import { COUNTED } from './counted.ts';
import { groupTable } from './group-table.ts';
import { History } from './history.ts';
import { Meters } from './meters.ts';
import { observe, type Observation } from './observe.ts';
import type { Workers } from './parallel/parallel.ts';
import type { Load } from './parallel/scaling.ts';
import { splitPlan, type Split } from './parallel/split.ts';
import { Threads } from './parallel/threads.ts';
import { checkChange, planChange, planText, startsEmpty } from './plan-change.ts';
import type { EpochInput, PartOptions } from './ports.ts';
import type { Progress } from './progress.ts';
import type { RuntimeParts } from './runtime-parts.ts';

/** Between two tries to open a source again, ms. */
const AGAIN_MS = 1000;

interface Sharing {
  readonly workers: Workers;
  readonly split: Split;
}

/** One pipeline on one log, from recovery to the last delivery. */
export class PipelineRuntime {
  readonly #p: RuntimeParts;
  #state: Progress['state'] = 'starting';
  #work: Work | null = null;
  /** How the work is done. */
  #at: Arrangement | null = null;
  /** How it will be, while that is made. */
  #next: Arrangement | null = null;
  /** Threads that begin, or have begun, for what is arranged next. */
  #threads: Threads | null = null;
  #delivery: Delivery | null = null;
  readonly #stop = new AbortController();
  readonly #meters: Meters;
  #epoch = 0;
  /** Ends what is arranged now, but not the run. */
  #turn = new AbortController();
  #closed = false;
  /** It stays in one thread from now on. */
  #alone = false;
  /** Threads had a part in it: what this one took down of operators is not all. */
  #shared = false;

  constructor(parts: RuntimeParts) {
    this.#p = parts;
    this.#meters = new Meters(parts.clock);
  }

  /**
   * Recovers, loads state and opens the sources where they stopped. Topics exist. Throws system.state.*, system.source.*,
   * system.sink.fenced.
   */
  async open(): Promise<void> {
    const { spec, plan, log, store, options, engine, formats, notices, clock, workers } = this.#p;
    // they begin while state and log are made ready
    if (workers?.backlog === null) this.#threads = threadsOf(workers);
    this.#delivery = log.delivery({
      pipeline: spec.name, idPrefix: spec.settings.kafka.idPrefix, stateId: store.stateId, ownerId: options.ownerId,
      exactlyOnce: spec.settings.delivery === 'exactly-once', takeOver: options.takeOver,
    });
    const part = { spec, plan, store, formats, jit: options.jit, onError: options.onError, resume: options.resume, partitions: await this.#partitions(), now: () => clock.now(), warn: (m: string) => notices.warn(m) };
    await this.#claim(part);
    const accounting = engine.accounting(part);
    const history = new History(spec.sinks.map(s => s.topic));
    const checkpointer = engine.checkpointer(part, accounting, history, this.#delivery, this.#meters);
    const saved = store.saved();
    this.#epoch = saved.epoch;
    this.#work = { run: this.#p, part, accounting, history, checkpointer, meters: this.#meters, commit: e => this.#commit(e) };
    const at = this.#arrange(workers?.backlog === null ? this.#sharing(true) : null);
    await Promise.all([at.loaded, checkpointer.recover()]);
    await history.deliver(store, checkpointer, accounting);
    await this.#begin(at);
  }

  /** Opens the sources of what is arranged, and lets it be how the work is done. */
  async #begin(at: Arrangement): Promise<void> {
    const saved = this.#p.store.saved();
    await at.begin();
    // where a reader begins elsewhere than it stopped (start: latest, on_data_loss: earliest), that must survive a stop before the first record
    if (at.readers.some(r => r.positions().some(p => p.next !== savedNext(saved, p)))) at.loop?.touch();
    this.#at = at;
    this.#next = null;
  }

  /** The state becomes that of this plan, where it can. Throws system.state.incompatible. */
  async #claim(part: PartOptions): Promise<void> {
    const { spec, plan, store, options, notices } = this.#p;
    const text = planText(spec, plan);
    const change = store.fresh ? null : planChange(spec, plan, store, store.saved().positions);
    if (change !== null && options.backfill) return new Backfill({ run: this.#p, part, change, text, signal: this.#stop.signal }).run();
    if (change !== null) checkChange(spec, change);
    claimState(store, plan, text, change);
    for (const line of change === null ? [] : startsEmpty(change)) notices.info(`${spec.name}  ${line}`);
  }

  /** The threads that may share the work, and how they do; null: none, and `why` is said. Keys on disk are shared among no threads, and headers of records do not cross over to them. */
  #sharing(why: boolean): Sharing | null {
    const { plan, store, notices, spec, workers } = this.#p;
    const split = workers === null ? null : splitPlan(plan);
    if (workers === null || split === null || typeof split === 'string') return null;
    const { keyed } = split;
    const reason = keyed === null ? null : store.table(groupTable(keyed.aggregate)).runs().length > 0 ? 'a part of its state is on disk'
      : typeof store.get(keyed.aggregate.id, COUNTED) === 'string' ? 'it was built again, and copies of what it has counted then are told by their headers' : null;
    if (reason !== null && why) notices.info(`${spec.name} runs in one thread: ${reason}`);
    return reason === null ? { workers, split } : null;
  }

  #arrange(sharing: Sharing | null): Arrangement {
    const work = this.#work as Work;
    const before = this.#at?.readers ?? [];
    this.#shared ||= sharing !== null;
    const threads = this.#threads;
    this.#threads = null;
    if (sharing === null) {
      void threads?.close();
      this.#next = new Alone(work, before);
    } else {
      this.#next = new Shared(work, before, sharing.split, threads ?? threadsOf(sharing.workers), sharing.workers.unpackers, () => this.#outgrown());
    }
    return this.#next;
  }

  /** What threads hold must fit in memory; one alone puts it on disk. */
  #outgrown(): void {
    if (this.#alone) return;
    this.#alone = true;
    this.#turn.abort();
  }

  /** Until the end of the topics, which is true, or the signal; threads come and go with the backlog. */
  async #runAll(signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const turn = this.#turn = new AbortController();
      const stop = (): void => turn.abort();
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
      const looking = this.#look();
      let ended: boolean;
      try {
        ended = await (this.#at?.loop as NonNullable<Arrangement['loop']>).run(turn.signal);
      } finally {
        signal.removeEventListener('abort', stop);
        clearInterval(looking);
      }
      if (ended || signal.aborted) return ended;
      await this.#rearrange(signal);
      if (signal.aborted || this.#closed) return false;
    }
  }

  /** Looks from time to time whether the work is done by as many threads as it is worth. */
  #look(): NodeJS.Timeout | undefined {
    const begin = this.#p.workers?.backlog ?? null;
    if (begin === null || this.#alone) return undefined;
    const load = (): Load => {
      const { lag, counts, keys } = this.progress();
      return { now: performance.now(), read: counts.records_in, lag, keys };
    };
    const backlog = begin(load());
    const look = (): void => {
      if (this.#state !== 'running') return;
      if (this.#at?.parallel !== null) {
        if (backlog.back(load())) this.#turn.abort();
      } else if (backlog.out(load()) && this.#threads === null && this.#sharing(false) !== null) this.#beginThreads();
    };
    return setInterval(look, backlog.every).unref();
  }

  /** This one goes on until they have their plan; what kept one from it is found where they are to have their part. */
  #beginThreads(): void {
    const threads = this.#threads = threadsOf(this.#p.workers as Workers);
    const { signal } = this.#turn;
    const over = (): void => { if (!signal.aborted) this.#turn.abort(); };
    threads.begun.then(over, over);
  }

  /** Between two epochs: what comes next goes on from what was committed. A signal ends the run there. */
  async #rearrange(signal: AbortSignal): Promise<void> {
    const { notices, spec, workers } = this.#p;
    const was = this.#at as Arrangement;
    const sharing = this.#alone || was.parallel !== null ? null : this.#sharing(true);
    if (sharing !== null) notices.info(`${spec.name}  ${workers?.count} threads share the backlog`);
    else if (this.#alone) notices.info(`${spec.name}  goes on in one thread, which puts on disk what does not fit: its state takes half of settings.memory`);
    else if (was.parallel !== null) notices.info(`${spec.name}  one thread again: the backlog is done`);
    await was.close();
    const over = (): boolean => signal.aborted || this.#closed;
    if (over()) return;
    const at = await this.#load(sharing);
    for (let tries = 0; !over(); tries++) {
      try {
        await this.#begin(at);
        break;
      } catch (error) {
        if (!(error instanceof PipeError) || !error.retriable) throw error;
        if (tries === 0) notices.warn(`${spec.name}: ${error.message}; trying again`);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    if (this.#closed) await at.close();
    else if (this.#state === 'paused') at.loop?.pause();
  }

  /** What threads cannot begin, one goes on with. */
  async #load(sharing: Sharing | null): Promise<Arrangement> {
    const at = this.#arrange(sharing);
    try {
      await at.loaded;
      return at;
    } catch (error) {
      if (sharing === null || this.#closed) throw error;
      await at.close();
      this.#alone = true;
      this.#p.notices.warn(`${this.#p.spec.name}: goes on in one thread, since others cannot begin: ${(error as Error).message}`);
      return this.#arrange(null);
    }
  }

  /** Runs until the end of the topics or the signal, then delivers what is left. Throws what stops the pipeline. */
  async run(signal: AbortSignal): Promise<void> {
    const draining = (): void => { if (this.#state === 'running' || this.#state === 'paused') this.#state = 'draining'; };
    this.#state = 'running';
    signal.addEventListener('abort', draining);
    let ended = false;
    const work = this.#runAll(signal).then(end => {
      ended = end;
      return (this.#work as Work).checkpointer.drain();
    });
    try {
      await this.#withDeadline(work, signal);
      this.#state = ended || this.#p.options.following ? 'done' : 'stopped';
    } catch (error) {
      this.#state = 'failed';
      throw error;
    } finally {
      signal.removeEventListener('abort', draining);
    }
  }

  /** Closes sources, delivery and state; also after a failure, and after an open that failed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop.abort();
    this.#work?.checkpointer.stop();
    await Promise.allSettled([this.#at?.close(), this.#next?.close(), this.#threads?.close(), this.#delivery?.close()]);
    this.#p.store.close();
  }

  /** No more is read until `resume`; what was read is committed. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#at?.loop?.pause();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#at?.loop?.resume();
  }

  get state(): Progress['state'] { return this.#state; }

  /** How it stands, for one observer that asks about once a second; null before it is open. */
  observe(): Observation | null {
    const { spec, plan } = this.#p;
    const { accounting } = this.#work ?? {};
    if (accounting === undefined) return null;
    const { readers = [], operators = [], context = null, parallel = null } = this.#at ?? {};
    return observe({ spec, plan, readers, operators, meters: this.#meters, accounting, context, here: !this.#shared, shared: parallel, epoch: this.#epoch });
  }

  progress(): Progress {
    const { readers = [], operators = [], context = null, parallel = null } = this.#at ?? {};
    const { accounting } = this.#work ?? {};
    const sources = readers.map(r => ({ name: r.name, watermark: r.watermark, holder: r.holder(), lag: r.lag() }));
    return {
      name: this.#p.spec.name, state: this.#state, sources, lag: sources.reduce((n, s) => n + s.lag, 0),
      counts: accounting?.counts() ?? { records_in: 0, rows_out: 0, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 },
      keys: operators.reduce((n, o) => n + o.keys(), parallel?.keys ?? 0), memory: context?.used ?? parallel?.memory ?? 0, onDisk: context?.disk?.bytes ?? 0, lastProblem: accounting?.lastProblem() ?? null,
    };
  }

  async #commit(e: EpochInput): Promise<void> {
    await (this.#work as Work).checkpointer.commit(e);
    await this.#p.committed();
  }

  /** Partitions of every topic that is written: sinks and dead letters. */
  async #partitions(): Promise<Map<string, number>> {
    const { spec, log, options } = this.#p;
    const found = new Map<string, number>();
    for (const topic of writtenTopics(spec, options.onError)) {
      const info = await log.topic(topic);
      if (info === null) throw new PipeError('system.sink.topic_missing', `topic "${topic}" does not exist on ${log.label}`, { hint: `create it: pipe topics create ${topic} --partitions 3` });
      found.set(topic, info.partitions.length);
    }
    return found;
  }

  /** A drain that takes too long is given up; what was committed is safe and is delivered by the next start. */
  async #withDeadline(work: Promise<void>, signal: AbortSignal): Promise<void> {
    const { drain } = this.#p.options;
    let timer: NodeJS.Timeout | undefined;
    let arm = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      arm = () => {
        timer = setTimeout(() => reject(new PipeError('system.run.drain_deadline', `pipeline "${this.#p.spec.name}" did not stop within ${Math.round(drain / 1000)} s`, {
          hint: 'what is committed is safe: the next start delivers it', retriable: true,
        })), drain);
      };
      if (signal.aborted) arm();
      else signal.addEventListener('abort', arm);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', arm);
    }
  }
}

const threadsOf = ({ count, spawn }: Workers): Threads => new Threads(count - 1, spawn);

const savedNext = (saved: Saved, at: Position): number => saved.positions.find(p => p.source === at.source && p.partition === at.partition)?.next ?? 0;

/** Topics of all sinks and of dead letters. */
export function writtenTopics(spec: PipelineSpec, onError: OnError | null): Set<string> {
  const topics = new Set(spec.sinks.map(s => s.topic));
  for (const policy of onError === null ? [...spec.sources, ...spec.sinks].map(x => x.onError) : [onError]) if (policy !== null && typeof policy === 'object') topics.add(policy.topic);
  return topics;
}
