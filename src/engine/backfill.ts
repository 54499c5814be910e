import { setImmediate } from 'node:timers/promises';
import type { Source, SourceOptions } from '../connectors/connector.ts';
import type { SourceSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import { plural } from '../numbers.ts';
import { upstream, type PlanChange } from '../plan/compare.ts';
import type { Scan } from '../plan/physical.ts';
import type { Position, Saved, SavedState } from '../state/store.ts';
import { BackfillAccounting } from './backfill-accounting.ts';
import { checkStart } from './backfill-start.ts';
import { checkCut, workOf, type Work } from './backfill-work.ts';
import { BoundedSource } from './bounded-source.ts';
import { buildGraph } from './build.ts';
import { claimState } from './claim.ts';
import { RunContext } from './context.ts';
import { COUNTED, type Counted } from './counted.ts';
import { deadPlaces } from './dead-topics.ts';
import type { Graph } from './graph.ts';
import { emptyTable } from './group-table.ts';
import { EPOCH_BYTES, POLL_MS } from './loop.ts';
import type { Output } from './operator.ts';
import type { Accounting, Outbox, PartOptions } from './ports.ts';
import type { RuntimeParts } from './runtime-parts.ts';
import { decodeColumns, leadOf } from './scan.ts';
import { SourceReader } from './source-reader.ts';
import { Taps } from './tap.ts';
import { EventTime } from './watermark.ts';

export interface BackfillParts {
  readonly run: Pick<RuntimeParts, 'spec' | 'plan' | 'log' | 'source' | 'store' | 'formats' | 'engine' | 'clock' | 'notices' | 'taps' | 'committed' | 'backfilled' | 'options'>;
  readonly part: PartOptions;
  readonly change: PlanChange;
  /** The plan as it is kept with the state. */
  readonly text: string;
  /** Aborted: what was built is thrown away. */
  readonly signal: AbortSignal;
}

/**
 * Builds groupings that are new or changed again from their topics, up to the positions of the saved state; new sinks get the rows of all windows
 * that had closed by then. An existing sink gets no row of a closed window again, whatever has changed. All of it lies aside until one transaction
 * puts it in its place: a process that dies before leaves the state as it was. Throws system.source.offset_lost where a topic no longer reaches back.
 */
export class Backfill {
  readonly #p: BackfillParts;
  readonly #saved: Saved;
  readonly #work: Work;
  readonly #accounting: Accounting;
  readonly #outbox: Outbox;
  readonly #graph: Graph;
  readonly #readers: SourceReader[] = [];
  /** Places of dead letters. */
  readonly #known: Set<string>;
  #read = 0;
  /** Offsets up to the saved positions, from where it began. */
  #total = 0;

  constructor(p: BackfillParts) {
    const { store, plan, engine, taps, options } = p.run;
    this.#p = p;
    this.#saved = store.saved();
    this.#work = workOf(plan, p.change);
    const { rebuilt, fresh, sinks, plan: part } = this.#work;
    const reported = new Set([...rebuilt, ...sinks, ...part.operators.filter(o => o.k === 'stage').map(o => o.id)]);
    this.#known = new Set(store.deadRecords());
    this.#accounting = new BackfillAccounting(engine.accounting(p.part), this.#known, reported, fresh);
    const tapped = new Taps(new Map([...taps].filter(([sink]) => sinks.includes(sink))), this.#accounting);
    this.#outbox = engine.outbox({ ...p.part, plan: part }, tapped);
    const context = new RunContext(NOTHING, this.#accounting, options.memory, options.packFrom, () => this.#outbox.bytes());
    this.#graph = buildGraph(part, context, tapped.outputs(this.#outbox.outputs), options.jit);
  }

  /** Until it is in its place. */
  async run(): Promise<void> {
    const { store, plan, notices, spec } = this.#p.run;
    const { rebuilt, sinks } = this.#work;
    checkCut(this.#p.change, this.#work, store);
    store.unstage();
    for (const o of this.#graph.operators) o.open();
    try {
      if (this.#work.plan.scans.length > 0) await this.#knowTopics();
      for (const scan of this.#work.plan.scans) await this.#open(scan);
      for (const reader of this.#readers) await this.#readAll(reader);
    } finally {
      await Promise.allSettled(this.#readers.map(r => r.source.close()));
    }
    await this.#advance();
    await this.#stage();
    this.#checkStopped();
    const letters = this.#accounting.takeDeadLetters();
    claimState(store, plan, this.#p.text, this.#p.change, {
      rebuilt,
      write: tx => {
        for (const o of this.#graph.operators) if (rebuilt.has(o.id)) o.snapshot(tx);
        for (const { id, counted } of this.#counted()) tx.put(id, COUNTED, JSON.stringify(counted));
        tx.takeStaged();
        tx.deadLetters(letters);
      },
    });
    const { rows_out: rows, late, future, undecodable, failed } = this.#accounting.counts();
    const bad = late + future + undecodable + failed;
    const parts = [...rebuilt].map(o => `"${o}"`).concat(sinks.filter(s => !rebuilt.has(s)).map(s => `"${s}"`));
    notices.info(`${spec.name}  ${parts.length === 0 ? '--backfill has nothing to build' : `${parts.join(', ')} built again from ${plural(this.#read, 'record')}`}${sinks.length === 0 ? '' : `; ${plural(rows, 'row')} of history for ${sinks.join(', ')}`}${bad === 0 ? '' : `; ${plural(bad, 'record')} late or bad`}`);
  }

  async #knowTopics(): Promise<void> {
    const { part, run: { spec, log }, signal } = this.#p;
    const topics = [...part.partitions.keys()].filter(t => !spec.sinks.some(s => s.topic === t));
    for (const place of await deadPlaces(topics, log, signal)) this.#known.add(place);
  }

  /** A reader of one source from its start to its saved positions. */
  async #open(scan: Scan): Promise<void> {
    const { spec, plan, log, source: make, formats, clock, options, notices } = this.#p.run;
    const source = spec.sources.find(s => s.name === scan.source) as SourceSpec;
    const positions = this.#positions(scan);
    const ends = new Map(positions.map(p => [p.partition, p.next]));
    const from = options.from ?? source.start;
    const at: SourceOptions = { topic: source.topic, topicId: positions[0]?.topicId ?? null, positions: new Map(), from, onDataLoss: source.onDataLoss };
    await checkStart(source, ends, options.from, log, (o: SourceOptions): Source => log.source(o), at);
    const input = new BoundedSource(make(at), ends, spec.name);
    const decoder = formats.find(source.format)?.decoder;
    if (decoder === undefined) throw new PipeError('user.config.bad_value', `format "${source.format}" cannot be read`, { span: source.nameSpan });
    const { eventTime } = source;
    const time = eventTime === null || scan.time === null ? null : {
      column: scan.time, clock: new EventTime({ delay: eventTime.delay, idle: eventTime.idle, maxFuture: eventTime.maxFuture, following: false, ceiling: this.#ceiling(scan) }, clock, -Infinity),
    };
    const reader = new SourceReader({
      ends: null,
      name: source.name, source: input, input: this.#graph.inputs.get(source.name) as Output, following: false, batchRows: options.batchRows, lead: leadOf(plan, scan), counts: this.#accounting,
      decoder: decoder(decodeColumns(plan, scan, source), { topic: source.topic, maxRecordBytes: spec.settings.maxRecordBytes, generated: options.jit && options.decoder === 'fast' }),
      time, unitCheck: null, warn: message => notices.warn(`${spec.name}: ${message}`), lastOpenEnd: () => null, meters: null,
    });
    this.#readers.push(reader);
    await input.open();
    reader.begin([]);
    this.#total += reader.lag();
  }

  async #readAll(reader: SourceReader): Promise<void> {
    const { clock } = this.#p.run;
    while (!reader.finished) {
      this.#checkStopped();
      reader.take(await reader.source.poll(reader.paused(), POLL_MS, this.#p.signal), clock.now());
      for (let n = reader.step(); n !== null; n = reader.step()) {
        this.#read += n;
        await this.#settle();
        if (this.#outbox.bytes() >= EPOCH_BYTES) await this.#stage();
        this.#checkStopped();
      }
      this.#tell();
      await setImmediate();
    }
  }

  /**
   * Closes what was closed when the state was saved; groupings stand in the order of the plan, so that what one gives the next has. Without a
   * window (Infinity: there was an end of the input) what is built anew waits for the next end.
   */
  async #advance(): Promise<void> {
    for (const o of this.#graph.operators) {
      const to = this.#closed(o.id);
      if (to < Infinity) { if (to > -Infinity) o.watermark(to); } else if (!this.#work.rebuilt.has(o.id)) o.finish();
      await this.#settle();
    }
  }

  /** Closes that paused because enough waits to be staged go on; between two of them a signal is heard. */
  async #settle(): Promise<void> {
    while (!this.#graph.operators.every(o => o.resume())) {
      await this.#stage();
      await setImmediate();
      this.#checkStopped();
    }
  }

  async #stage(): Promise<void> {
    const blocks = [...this.#outbox.take(), ...this.#accounting.takeBlocks()];
    if (blocks.length === 0) return;
    this.#p.run.store.stage(blocks);
    await this.#p.run.committed();
  }

  /** What each grouping over records was built from. */
  #counted(): { readonly id: string; readonly counted: Counted }[] {
    const { plan } = this.#work;
    return plan.operators.filter(o => o.k === 'aggregate' && o.overRecords && this.#work.rebuilt.has(o.id)).flatMap(({ id }) => {
      const scan = plan.scans.find(s => s.id === upstream(plan, id).at(-1));
      const reader = this.#readers.find(r => r.name === scan?.source);
      if (reader === undefined) return [];
      const { topic, begins, ends } = reader.source as BoundedSource;
      return [{ id, counted: { pipeline: this.#p.run.spec.name, topic: topic.name, ranges: [...ends].map(([p, end]) => [p, begins.get(p) ?? end, end] as const) } }];
    });
  }

  #positions(scan: Scan): Position[] {
    const name = this.#p.change.savedName(scan.source);
    return this.#saved.positions.filter(p => p.source === name);
  }

  #watermark(scan: string): number { return this.#saved.watermarks.get(this.#p.change.savedName(scan)) ?? -Infinity; }

  /** Event time must not go beyond what the state has seen, nor beyond what a changed grouping has given out. */
  #ceiling(scan: Scan): number {
    const changed = this.#p.change.operators.filter(o => this.#work.rebuilt.has(o.id) && o.was !== null && upstream(this.#p.run.plan, o.id).includes(scan.id));
    return Math.min(this.#watermark(scan.source), ...changed.map(o => this.#closed(o.id)));
  }

  /** How far (epoch ms) the windows of an operator were closed and sent: where it had others, as far as the last of those went. */
  #closed(id: string): number {
    const { plan, store } = this.#p.run;
    const o = this.#p.change.operators.find(x => x.id === id);
    const saved = o?.was == null ? null : store.get(o.was, 'closed');
    if (typeof saved === 'number') {
      const every = o?.everyWas;
      const before = upstream(plan, id).slice(1).filter(x => this.#p.change.operators.some(c => c.id === x));
      return Math.min(every === undefined ? saved : Math.floor((saved + 1) / every) * every - 1, ...before.map(x => this.#closed(x)));
    }
    const scan = plan.scans.find(s => s.id === upstream(plan, id).at(-1)) as Scan;
    return this.#watermark(scan.source);
  }

  #tell(): void { this.#p.run.backfilled?.(this.#read, this.#total - this.#readers.reduce((n, r) => n + r.lag(), 0), this.#total); }

  #checkStopped(): void {
    if (this.#p.signal.aborted) throw new PipeError('system.run.drain_deadline', 'the backfill was stopped before its end: the state is as it was');
  }
}

/** A state that holds nothing. */
const NOTHING: SavedState = { table: emptyTable, get: () => undefined };
