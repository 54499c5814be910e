import type { Delivery } from '../connectors/connector.ts';
import type { OnError, PipelineSpec, SourceSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import type { PhysicalPlan, Scan } from '../plan/physical.ts';
import type { Position, Saved } from '../state/store.ts';
import { Backfill } from './backfill.ts';
import { buildGraph } from './build.ts';
import { claimState } from './claim.ts';
import { RunContext } from './context.ts';
import { COUNTED } from './counted.ts';
import { groupTable } from './group-table.ts';
import type { Graph } from './graph.ts';
import { History } from './history.ts';
import { EPOCH_BYTES, RunLoop } from './loop.ts';
import { Meters } from './meters.ts';
import { observe, type Observation } from './observe.ts';
import type { Operator, Output } from './operator.ts';
import { CollectedOutbox } from './parallel/collected.ts';
import { Parallel, type Workers } from './parallel/parallel.ts';
import { splitPlan, type Split } from './parallel/split.ts';
import { checkChange, planChange, planText, startsEmpty } from './plan-change.ts';
import type { Accounting, Checkpointer, EpochInput, PartOptions } from './ports.ts';
import type { Progress } from './progress.ts';
import type { RuntimeParts } from './runtime-parts.ts';
import { decodeColumns, downstream, leadOf } from './scan.ts';
import { SourceReader } from './source-reader.ts';
import { Taps } from './tap.ts';
import { TimeUnitCheck } from './time-unit.ts';
import { EventTime } from './watermark.ts';

/** With several threads: slices as large as they may be, from each of a few partitions. */
const APPETITE = 4;

/** One pipeline on one log, from recovery to the last delivery. */
export class PipelineRuntime {
  readonly #p: RuntimeParts;
  #state: Progress['state'] = 'starting';
  #accounting: Accounting | null = null;
  #context: RunContext | null = null;
  #checkpointer: Checkpointer | null = null;
  #delivery: Delivery | null = null;
  #readers: readonly SourceReader[] = [];
  #operators: readonly Operator[] = [];
  #parallel: Parallel | null = null;
  readonly #stop = new AbortController();
  readonly #meters: Meters;
  #epoch = 0;
  #loop: { run(signal: AbortSignal): Promise<boolean>; touch(): void; pause(): void; resume(): void } | null = null;

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
    this.#delivery = log.delivery({
      pipeline: spec.name, idPrefix: spec.settings.kafka.idPrefix, stateId: store.stateId, ownerId: options.ownerId,
      exactlyOnce: spec.settings.delivery === 'exactly-once', takeOver: options.takeOver,
    });
    const part = { spec, plan, store, formats, jit: options.jit, onError: options.onError, resume: options.resume, partitions: await this.#partitions(), now: () => clock.now(), warn: (m: string) => notices.warn(m) };
    await this.#claim(part);
    const accounting = engine.accounting(part);
    const saved = store.saved();
    this.#accounting = accounting;
    this.#epoch = saved.epoch;
    const split = workers === null ? null : splitPlan(plan);
    if (workers === null || split === null || typeof split === 'string' || this.#alone(split)) await this.#openHere(part, accounting, saved, this.#delivery);
    else await this.#openParallel(part, accounting, saved, this.#delivery, workers, split);
    // where a reader begins elsewhere than it stopped (start: latest, on_data_loss: earliest), that must survive a stop before the first record
    if (this.#readers.some(r => r.positions().some(p => p.next !== savedNext(saved, p)))) this.#loop?.touch();
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

  /** Keys on disk are shared among no threads, and headers of records do not cross over to them. */
  #alone({ keyed }: Split): boolean {
    if (keyed === null) return false;
    const { store, notices, spec } = this.#p;
    const why = store.table(groupTable(keyed.aggregate)).runs().length > 0 ? 'a part of its state is on disk' : typeof store.get(keyed.aggregate.id, COUNTED) === 'string' ? 'it was built again, and copies of what it has counted then are told by their headers' : null;
    if (why !== null) notices.info(`${spec.name} runs in one thread: ${why}`);
    return why !== null;
  }

  async #openHere(part: PartOptions, accounting: Accounting, saved: Saved, delivery: Delivery): Promise<void> {
    const { spec, plan, store, options, engine, clock, notices } = this.#p;
    const taps = new Taps(this.#p.taps, accounting);
    const outbox = engine.outbox(part, taps);
    const history = new History(outbox, spec.sinks.map(s => s.topic));
    const checkpointer = engine.checkpointer(part, accounting, history, delivery, this.#meters);
    const epochBytes = options.epochBytes ?? EPOCH_BYTES;
    const context = new RunContext(store, accounting, options.memory, options.packFrom, () => outbox.bytes(), null, epochBytes, (operator, keys, bytes) => notices.info(diskLine(spec.name, operator, keys, bytes)), this.#meters);
    const graph = buildGraph(plan, context, this.#meters.sinks(taps.outputs(outbox.outputs)), options.jit, undefined, this.#meters);
    for (const o of graph.operators) o.open();
    await checkpointer.recover();
    await history.deliver(store, checkpointer, accounting);
    this.#context = context;
    this.#operators = graph.operators;
    this.#checkpointer = checkpointer;
    this.#readers = await Promise.all(plan.scans.map(scan => this.#reader(scan, accounting, saved, graph.inputs.get(scan.source) as Output, lastEnd(plan, scan, graph))));
    this.#loop = new RunLoop({
      readers: this.#readers, inputs: graph.inputs, operators: graph.operators, following: options.following, clock, checkpoint: spec.settings.checkpoint, epochBytes,
      epoch: {
        bytes: () => outbox.bytes() + accounting.bytes() + context.waiting(),
        hasOutput: () => outbox.bytes() > 0 || accounting.bytes() > 0 || checkpointer.failed(),
        delivering: () => checkpointer.delivering(),
        commit: () => this.#commitHere(graph),
      },
    });
  }

  async #openParallel(part: PartOptions, accounting: Accounting, saved: Saved, delivery: Delivery, workers: Workers, split: Split): Promise<void> {
    const { spec, plan, store, formats, options, engine, clock, taps, notices } = this.#p;
    const outbox = new CollectedOutbox();
    const history = new History(outbox, spec.sinks.map(s => s.topic));
    const checkpointer = engine.checkpointer(part, accounting, history, delivery, this.#meters);
    const parallel = new Parallel({
      spec, plan, split, store, formats, accounting, outbox, taps, partitions: part.partitions, clock, options, warn: message => notices.warn(`${spec.name}: ${message}`),
    }, workers);
    this.#parallel = parallel;
    await Promise.all([parallel.open(), checkpointer.recover()]);
    await history.deliver(store, checkpointer, accounting);
    this.#checkpointer = checkpointer;
    const reader = async (input: Output, lastOpenEnd: () => number | null): Promise<SourceReader> => {
      const made = await this.#reader(split.scan, accounting, saved, input, lastOpenEnd);
      this.#readers = [made];
      return made;
    };
    this.#loop = await parallel.loop(reader, { delivering: () => checkpointer.delivering(), failed: () => checkpointer.failed(), commit: e => this.#commit(e) });
  }

  /** Runs until the end of the topics or the signal, then delivers what is left. Throws what stops the pipeline. */
  async run(signal: AbortSignal): Promise<void> {
    const loop = this.#loop as RunLoop;
    const draining = (): void => { if (this.#state === 'running' || this.#state === 'paused') this.#state = 'draining'; };
    this.#state = 'running';
    signal.addEventListener('abort', draining);
    let ended = false;
    const work = loop.run(signal).then(end => {
      ended = end;
      return (this.#checkpointer as Checkpointer).drain();
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
    this.#stop.abort();
    this.#checkpointer?.stop();
    await Promise.allSettled([...this.#readers.map(r => r.source.close()), this.#delivery?.close(), this.#parallel?.close()]);
    this.#p.store.close();
  }

  /** No more is read until `resume`; what was read is committed. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#loop?.pause();
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#loop?.resume();
  }

  get state(): Progress['state'] { return this.#state; }

  /** How it stands, for one observer that asks about once a second; null before it is open. */
  observe(): Observation | null {
    const { spec, plan } = this.#p;
    if (this.#accounting === null) return null;
    return observe({ spec, plan, readers: this.#readers, operators: this.#operators, meters: this.#meters, accounting: this.#accounting, context: this.#context, shared: this.#parallel, epoch: this.#epoch });
  }

  progress(): Progress {
    const sources = this.#readers.map(r => ({ name: r.name, watermark: r.watermark, holder: r.holder(), lag: r.lag() }));
    return {
      name: this.#p.spec.name, state: this.#state, sources, lag: sources.reduce((n, s) => n + s.lag, 0),
      counts: this.#accounting?.counts() ?? { records_in: 0, rows_out: 0, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 },
      keys: this.#operators.reduce((n, o) => n + o.keys(), this.#parallel?.keys ?? 0), memory: this.#context?.used ?? this.#parallel?.memory ?? 0, onDisk: this.#context?.disk?.bytes ?? 0, lastProblem: this.#accounting?.lastProblem() ?? null,
    };
  }

  async #commitHere(graph: Graph): Promise<void> {
    const watermarks = new Map(this.#readers.flatMap(r => (r.watermark === null ? [] : [[r.name, r.watermark] as const])));
    await this.#commit({ positions: this.#readers.flatMap(r => r.positions()), watermarks, write: tx => { for (const o of graph.operators) o.snapshot(tx); } });
    (this.#context as RunContext).committed();
  }

  async #commit(e: EpochInput): Promise<void> {
    await (this.#checkpointer as Checkpointer).commit(e);
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

  async #reader(scan: Scan, counts: Accounting, saved: Saved, into: Output, lastOpenEnd: () => number | null): Promise<SourceReader> {
    const { spec, plan, formats, clock, options, notices } = this.#p;
    const source = spec.sources.find(s => s.name === scan.source) as SourceSpec;
    const format = formats.find(source.format);
    if (format?.decoder === undefined) throw new PipeError('user.config.bad_value', `format "${source.format}" cannot be read`, { span: source.nameSpan });
    const positions = saved.positions.filter(p => p.source === source.name);
    const input = this.#p.source({
      topic: source.topic, topicId: positions[0]?.topicId ?? null, positions: new Map(positions.map(p => [p.partition, p.next])),
      from: options.from ?? source.start, onDataLoss: source.onDataLoss, appetite: this.#parallel === null ? 1 : APPETITE, packed: this.#parallel !== null,
    });
    const { eventTime } = source;
    const eventClock = eventTime === null || scan.time === null ? null
      : new EventTime({ delay: eventTime.delay, idle: eventTime.idle, maxFuture: eventTime.maxFuture, following: options.following }, clock, saved.watermarks.get(source.name) ?? -Infinity);
    const reader = new SourceReader({
      name: source.name, source: input, input: into, following: options.following, batchRows: options.batchRows, lead: leadOf(plan, scan), counts,
      decoder: format.decoder(decodeColumns(plan, scan, source), { topic: source.topic, maxRecordBytes: spec.settings.maxRecordBytes, generated: options.jit && options.decoder === 'fast' }),
      unitCheck: eventTime === null || eventTime.unit === null || eventTime.unit === 'iso' ? null : new TimeUnitCheck(eventTime.from, eventTime.unit),
      warn: message => notices.warn(`${spec.name}: ${message}`),
      time: eventClock === null ? null : { column: scan.time as number, clock: eventClock },
      lastOpenEnd, meters: { all: this.#meters, own: this.#meters.of(scan.id) },
    });
    await input.open();
    reader.begin(positions);
    return reader;
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

function diskLine(pipeline: string, operator: string, keys: number, bytes: number): string {
  return `${pipeline}  state goes to disk from here on: operator "${operator}" holds ${keys} ${keys === 1 ? 'key' : 'keys'}, more than settings.memory has room for; ${Math.ceil(bytes / 2 ** 20)} MB written`;
}

const savedNext = (saved: Saved, at: Position): number => saved.positions.find(p => p.source === at.source && p.partition === at.partition)?.next ?? 0;

/** End (ms) of the last open window that a scan feeds. */
function lastEnd(plan: PhysicalPlan, scan: Scan, graph: Graph): () => number | null {
  const reached = downstream(plan, scan.id);
  const fed = graph.operators.filter(o => reached.has(o.id));
  return () => fed.reduce<number | null>((last, o) => { const end = o.lastOpenEnd(); return end !== null && (last === null || end > last) ? end : last; }, null);
}

/** Topics of all sinks and of dead letters. */
export function writtenTopics(spec: PipelineSpec, onError: OnError | null): Set<string> {
  const topics = new Set(spec.sinks.map(s => s.topic));
  for (const policy of onError === null ? [...spec.sources, ...spec.sinks].map(x => x.onError) : [onError]) if (policy !== null && typeof policy === 'object') topics.add(policy.topic);
  return topics;
}
