import { shapeOf } from '../../plan/compare.ts';
import type { PhysicalPlan } from '../../plan/physical.ts';
import type { StateSlot } from '../../sql/functions/define.ts';
import { buildGraph } from '../build.ts';
import { RunContext } from '../context.ts';
import type { Graph } from '../graph.ts';
import type { Output } from '../operator.ts';
import { AggregateOperator } from '../aggregate.ts';
import type { SliceTime } from '../watermark.ts';
import { openGroups } from './combine.ts';
import type { Delivered, Status } from './messages.ts';
import { readPart } from './part.ts';
import { stubOf } from './raw.ts';
import type { Notes } from './reports.ts';
import { recordTx, shadowState, type SavedGroups, type StateWrite } from './shadow-state.ts';
import { EXCHANGE, type Keyed } from './split.ts';

export interface ReduceParts {
  readonly plan: PhysicalPlan;
  readonly keyed: Keyed;
  readonly saved: SavedGroups | null;
  readonly share: { readonly index: number; readonly count: number };
  readonly jit: boolean;
  readonly notes: Notes;
  readonly sinks: ReadonlyMap<string, Output>;
  /** Bytes of output that wait. */
  readonly outputBytes: () => number;
}

/** The second half of a worker: groups, windows and output of its share of the keys, in the one order of slices that all workers follow. */
export class Reducer {
  readonly #p: ReduceParts;
  readonly #context: RunContext;
  readonly #graph: Graph;
  readonly #input: Output;
  readonly #grouping: AggregateOperator;
  readonly #slots: readonly StateSlot[];

  constructor(p: ReduceParts) {
    this.#p = p;
    const { plan, keyed, share } = p;
    // together the workers hold as much output as one would
    this.#context = new RunContext(shadowState(p.saved), p.notes, Infinity, 1, () => p.outputBytes() * share.count, share);
    this.#graph = buildGraph(keyed.reduce, this.#context, p.sinks, p.jit, () => shapeOf(plan, keyed.aggregate));
    this.#input = this.#graph.inputs.get(EXCHANGE) as Output;
    this.#grouping = this.#graph.operators.find(o => o instanceof AggregateOperator) as AggregateOperator;
    this.#slots = keyed.aggregate.calls.flatMap(c => c.fn.state);
    for (const o of this.#graph.operators) o.open();
  }

  fold({ slice: id, topic, partition, parts, groups }: Delivered, time: SliceTime): void {
    for (const g of groups) this.#grouping.merge(g, openGroups(g, this.#slots));
    if (parts.length === 0) return;
    // the main thread has the records
    const records = stubOf(id, topic, partition);
    for (const part of parts) {
      const b = readPart(this.#p.keyed.schema, part, records, this.#p.keyed.keys);
      setWatermarks(b.wm as Float64Array, time);
      this.#input.push(b);
    }
  }

  watermark(ms: number): void { this.#input.watermark(ms); }
  finish(): void { this.#input.finish(); }

  /** Goes on with closes that waited for an epoch. */
  resume(): void { for (const o of this.#graph.operators) o.resume(); }

  snapshot(): StateWrite[] {
    const writes: StateWrite[] = [];
    const tx = recordTx(writes);
    for (const o of this.#graph.operators) o.snapshot(tx);
    this.#context.committed();
    return writes;
  }

  status(): Status {
    const { operators } = this.#graph;
    let keys = 0;
    let lastOpenEnd: number | null = null;
    for (const o of operators) {
      keys += o.keys();
      const end = o.lastOpenEnd();
      if (end !== null && (lastOpenEnd === null || end > lastOpenEnd)) lastOpenEnd = end;
    }
    // every resume is to be tried: each pushes what it can
    const full = operators.filter(o => !o.resume()).length > 0;
    return { keys, used: this.#context.used, output: this.#p.outputBytes(), grown: this.#context.grown, lastOpenEnd, full };
  }
}

/** Highest event times of the slice before each row become the watermarks in force. */
function setWatermarks(wm: Float64Array, { floor, max, others, delay }: SliceTime): void {
  for (let i = 0; i < wm.length; i++) {
    const highest = wm[i] as number;
    const own = (highest > max ? highest : max) - delay;
    const w = own < others ? own : others;
    wm[i] = w > floor ? w : floor;
  }
}
