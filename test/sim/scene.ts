import { encodeBatch, NO_PRODUCER } from '../../src/connectors/kafka/record-batch-encode.ts';
import type { CompiledPipeline } from '../../src/config/compile.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import { GENERATED } from '../no-codegen.ts';
import type { Broker } from './broker.ts';
import type { LifeOptions } from './life.ts';
import { DELAY, DISORDER, type Expected, type Input, inputsOf, pipelineOf, type Shape, shapes, timed, totals } from './shapes.ts';
import { BASE, type World } from './world.ts';

/** Next offsets by `source partition`, as a state file has them. */
export type Positions = ReadonlyMap<string, { readonly next: number }>;

/** Seeds of this kind have groups without a window; all others mean what they did before there were such. */
const isOfTotals = (seed: number): boolean => seed % 8 === 7;

/** What one seed is about: a pipeline, its input and when it is sent. */
export class Scene {
  readonly shape: Shape;
  readonly partitions: number;
  readonly outPartitions: number;
  readonly delay = DELAY;
  /** Event time goes on when it is quiet: what is late depends on when. */
  readonly ticking: boolean;
  readonly exactlyOnce: boolean;
  readonly onError: 'dead_letters' | 'skip' | '{topic: dead}';
  readonly inputs: readonly Input[];
  readonly pipeline: CompiledPipeline;
  /** When the last record is there, ms. */
  sentAt = 0;
  /** Offset of each input in its partition. */
  readonly #offsets = new Map<Input, number>();

  constructor(w: World, seed: number) {
    this.shape = isOfTotals(seed) ? totals : w.one(shapes);
    this.partitions = 1 + w.pick(3);
    this.outPartitions = 1 + w.pick(3);
    this.ticking = this.shape.tumbling && w.chance(0.15);
    this.exactlyOnce = !w.chance(0.06);
    this.onError = w.one(['dead_letters', 'dead_letters', 'skip', '{topic: dead}'] as const);
    // what a step makes is never late; rows of several partitions may overtake each other
    const disorder = this.partitions === 1 && this.shape.name !== 'step' && !this.ticking && w.chance(0.4) ? 20_000 : DISORDER;
    this.inputs = inputsOf(w, this.shape, this.partitions, disorder);
    this.pipeline = pipelineOf(this.shape, { idle: this.ticking ? '300ms' : '1h', delay: this.delay, onError: this.ticking ? 'dead_letters' : this.onError, delivery: this.exactlyOnce ? 'exactly-once' : 'at-least-once' });
  }

  /** Topics, and the producers of the input: at once or bit by bit, in plain batches and in transactions, some of them aborted. */
  prepare(w: World, broker: Broker): void {
    for (const s of this.shape.sources) broker.create(s, this.partitions);
    for (const s of [...this.shape.sinks, 'dead']) broker.create(s, this.outPartitions);
    const span = this.shape.updates === true ? w.between(50, 8000) : w.chance(0.5) ? 0 : w.between(50, 1500);
    const transactional = w.chance(0.3);
    const lists = new Map<string, Input[]>();
    for (const i of this.inputs) lists.set(`${i.source}/${i.partition}`, [...(lists.get(`${i.source}/${i.partition}`) ?? []), i]);
    let producer = 10n;
    for (const list of lists.values()) {
      const { source, partition } = list[0] as Input;
      const topic = this.shape.sources[source] as string;
      let at = 0;
      for (let from = 0; from < list.length;) {
        const part = list.slice(from, from + 1 + w.pick(6));
        from += part.length;
        at += span === 0 ? 0 : w.between(0, (2 * span * part.length) / list.length);
        if (transactional && w.chance(0.4)) {
          const aborted = producer++;
          const open = w.chance(0.3) ? w.between(0, 300) : 0;
          this.#at(w, at, () => this.#append(broker, topic, partition, part.map(p => p.value), aborted));
          this.#at(w, at + open, () => broker.mark(topic, partition, aborted, false));
        }
        const own = transactional && w.chance(0.5) ? producer++ : null;
        this.#at(w, at, () => {
          const base = this.#append(broker, topic, partition, part.map(p => p.value), own);
          part.forEach((p, i) => this.#offsets.set(p, base + i));
        });
        if (own !== null) this.#at(w, at + (w.chance(0.3) ? w.between(0, 300) : 0), () => broker.mark(topic, partition, own, true));
      }
    }
  }

  /** What must come out; where event time went on by itself, given what was late (topic/partition/offset). */
  expected(late: ReadonlySet<string>): Expected {
    const one = this.partitions === 1 && !this.ticking;
    const kept = this.ticking ? this.inputs.filter(i => !late.has(this.place(i))) : this.inputs;
    const made = this.shape.model(timed(kept, this.shape, this.delay, one));
    const dropped = this.inputs.filter(i => !kept.includes(i));
    return { ...made, late: [...made.late, ...dropped] };
  }

  /** The result over the inputs below `positions`, by topic. */
  result(positions: Positions): Expected['out'] {
    const read = this.inputs.filter(i => (this.#offsets.get(i) ?? Infinity) < (positions.get(`${this.shape.sources[i.source]} ${i.partition}`)?.next ?? 0));
    return this.shape.model(timed(read, this.shape, this.delay, false)).out;
  }

  place(i: Input): string { return `${this.shape.sources[i.source]}/${i.partition}/${this.#offsets.get(i)}`; }

  /** Settings of one process. */
  life(w: World, following: boolean): LifeOptions {
    return {
      pipeline: this.pipeline, following, batchRows: w.one([1, 2, 7, 1000]), packFrom: w.one([1, 3, 1e9]), epochBytes: w.one([1, 300, 1 << 25]), jit: w.chance(0.5) && GENERATED, decoder: w.one(['fast', 'plain'] as const),
      checkpoint: w.one([0, 2, 20, 200]),
    };
  }

  #at(w: World, ms: number, work: () => void): void {
    if (ms <= 0) { work(); return; }
    this.sentAt = Math.max(this.sentAt, ms);
    w.after(ms, null, work);
  }

  #append(broker: Broker, topic: string, partition: number, values: readonly string[], producer: bigint | null): number {
    const records = recordsFrom(values.map(value => ({ key: null, value, timestamp: BASE })), topic, partition);
    const { batch } = encodeBatch(records, 0, producer === null ? NO_PRODUCER : { producerId: producer, epoch: 0, transactional: true }, producer === null ? null : 0);
    const log = broker.partition(topic, partition);
    if (log === undefined) throw new Error(`no partition ${topic}/${partition}`);
    const base = log.end;
    if (log.append(batch) !== 0) throw new Error('the input was refused');
    broker.wake();
    return base;
  }
}
