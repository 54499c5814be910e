import type { MessagePort } from 'node:worker_threads';
import type { PipelineSpec } from '../../config/spec.ts';
import { PipeError } from '../../errors.ts';
import type { FormatDef } from '../../formats/format.ts';
import type { PhysicalPlan } from '../../plan/physical.ts';
import { plainColumn } from '../../sql/values/text-column.ts';
import type { Batch } from '../batch.ts';
import type { Output } from '../operator.ts';
import { RowOutbox } from '../outbox.ts';
import { Taps } from '../tap.ts';
import { Mapper } from './mapper.ts';
import type { Answer, Delivered, Fold, Opening, Order, TappedRows } from './messages.ts';
import type { Unpacker } from '../records.ts';
import type { RawSlice } from './raw.ts';
import { Reducer } from './reducer.ts';
import { Notes } from './reports.ts';
import { splitPlan, type Split } from './split.ts';

export interface MemberParts {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly formats: { find(name: string): FormatDef | undefined };
  readonly unpackers: ReadonlyMap<string, Unpacker>;
}

type Ordered = Exclude<Order, { readonly k: 'map' | 'fold' }> | (Fold & { readonly k: 'one' });

/** One worker: maps whatever slice it is given at once, and does all else in the order in which the main thread says it. */
export class Member {
  readonly #o: Opening;
  readonly #post: (a: Answer) => void;
  readonly #outbox: RowOutbox;
  readonly #mapper: Mapper;
  readonly #reducer: Reducer | null;
  readonly #notes: Notes;
  readonly #queue: Ordered[] = [];
  /** Parts that are here, by slice. */
  readonly #parts = new Map<number, Delivered>();
  #taps: TappedRows[] = [];
  #failed = false;

  constructor({ spec, plan, formats, unpackers }: MemberParts, o: Opening, post: (a: Answer) => void) {
    this.#o = o;
    this.#post = post;
    const split = splitPlan(plan) as Split;
    const { keyed } = split;
    this.#notes = new Notes(plan, null);
    const taps = new Taps(new Map(o.tapped.map(sink => [sink, this.#tap(sink)])), {
      rowsOut: (sink, n) => this.#books().rowsOut(sink, n),
      failed: (...x) => this.#books().failed(...x),
    });
    this.#outbox = new RowOutbox({ spec, plan, formats, jit: o.jit, partitions: o.partitions, now: () => Date.now() }, taps);
    const sinks = taps.outputs(this.#outbox.outputs);
    this.#mapper = new Mapper({ spec, plan, split, formats, unpackers, jit: o.jit, generated: o.generated, following: o.following, fresh: o.fresh, count: o.count, sinks });
    this.#reducer = keyed === null ? null : new Reducer({
      plan, keyed, saved: o.saved, share: { index: o.index, count: o.count }, jit: o.jit, notes: this.#notes, sinks, outputBytes: () => this.#outbox.bytes(),
    });
    for (const peer of o.peers) peer?.on('message', (d: Delivered) => this.#guarded(() => this.#deliver(d)));
  }

  receive(c: Order): void {
    this.#guarded(() => {
      if (c.k === 'map') return this.#mapReady(c.slice, c.slot, c.apart);
      if (c.k === 'fold') for (const f of c.folds) this.#queue.push({ ...f, k: 'one' });
      else this.#queue.push(c);
      this.#goOn();
    });
  }

  /** Of a plan without state rows are written where they are read. */
  #books(): Notes { return this.#reducer === null ? this.#mapper.notes : this.#notes; }

  #mapReady(slice: RawSlice, slot: number, apart: boolean): void {
    const waiting = this.#mapper.ready(slice);
    if (waiting === null) this.#map(slice, slot, apart);
    else waiting.then(() => this.#map(slice, slot, apart)).catch(error => this.#guarded(() => { throw error; }));
  }

  #map(slice: RawSlice, slot: number, apart: boolean): void {
    const { raw, taken, max, parts, groups, ends, warning } = this.#mapper.map(slice, slot, apart);
    const rows = parts.map((list, owner) => [...list, ...(groups[owner] ?? [])].reduce((n, p) => n + p.length, 0));
    const blocks = this.#reducer === null ? this.#outbox.take() : [];
    this.#post({ k: 'mapped', slice: slice.id, raw, taken, max, rows, ends, reports: this.#mapper.notes.take(), blocks, taps: this.#reducer === null ? this.#takeTaps() : [], warning });
    parts.forEach((list, owner) => {
      if (rows[owner] === 0) return;
      const delivered = { slice: slice.id, topic: slice.topic, partition: slice.partition, parts: list, groups: groups[owner] ?? [], apart };
      if (owner === this.#o.index) this.#deliver(delivered);
      else (this.#o.peers[owner] as MessagePort).postMessage(delivered);
    });
  }

  #deliver(d: Delivered): void {
    this.#parts.set(d.slice, d);
    this.#goOn();
  }

  #goOn(): void {
    const reducer = this.#reducer as Reducer;
    let commands = 0;
    let slices: number[] = [];
    const done = (): void => {
      if (commands === 0) return;
      const status = reducer.status();
      this.#post({ k: 'done', commands, slices, reports: this.#notes.take(), status });
      commands = 0;
      slices = [];
    };
    for (let c = this.#queue[0]; c !== undefined; c = this.#queue[0]) {
      if (c.k === 'one' && c.rows > 0 && this.#parts.get(c.slice)?.apart !== c.apart) break;
      this.#queue.shift();
      if (c.k === 'snapshot') {
        done();
        this.#snapshot(reducer);
        continue;
      }
      commands++;
      if (c.k === 'one') slices.push(c.slice);
      this.#do(reducer, c);
    }
    done();
  }

  #do(reducer: Reducer, c: Exclude<Ordered, { readonly k: 'snapshot' }>): void {
    if (c.k === 'watermark') return reducer.watermark(c.ms);
    if (c.k === 'finish') return reducer.finish();
    const parts = this.#parts.get(c.slice);
    if (parts !== undefined && c.rows > 0) reducer.fold(parts, c.time);
    this.#parts.delete(c.slice);
    if (c.watermark !== null) reducer.watermark(c.watermark);
  }

  /** What comes of a close that goes on behind it belongs to the next epoch. */
  #snapshot(reducer: Reducer): void {
    const writes = reducer.snapshot();
    const blocks = this.#outbox.take();
    const taps = this.#takeTaps();
    const reports = this.#notes.take();
    reducer.resume();
    this.#post({ k: 'snapshot', writes, blocks, taps, reports, status: reducer.status() });
  }

  #tap(sink: string): Output {
    const push = (b: Batch): void => {
      this.#taps.push({ sink, length: b.length, cols: b.cols.map(c => plainColumn(c, b.length).slice(0, b.length)), nulls: b.nulls.map(n => n?.slice(0, b.length) ?? null) });
    };
    return { push, watermark: () => undefined, finish: () => undefined };
  }

  #takeTaps(): TappedRows[] {
    const taps = this.#taps;
    this.#taps = [];
    return taps;
  }

  /** What fails is the last that it says. */
  #guarded(work: () => void): void {
    if (this.#failed) return;
    try {
      work();
    } catch (error) {
      this.#failed = true;
      const e = error as Error;
      const known = error instanceof PipeError ? error : null;
      this.#post({ k: 'failed', code: known?.code ?? null, message: e.message, hint: known?.hint, retriable: known?.retriable ?? false, stack: e.stack });
    }
  }
}
