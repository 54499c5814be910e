import type { PipelineSpec, SourceSpec } from '../../config/spec.ts';
import type { Decoder, FormatDef } from '../../formats/format.ts';
import type { PhysicalPlan } from '../../plan/physical.ts';
import type { Batch } from '../batch.ts';
import { buildGraph } from '../build.ts';
import { systemClock } from '../clock.ts';
import { RunContext } from '../context.ts';
import { doneWith } from '../young.ts';
import type { Output } from '../operator.ts';
import { bytesOf, type Unpacker } from '../records.ts';
import { decodeColumns } from '../scan.ts';
import type { Taken } from '../source-reader.ts';
import { TimeUnitCheck } from '../time-unit.ts';
import { EventTime } from '../watermark.ts';
import { Arena } from './arena.ts';
import { Combiner, type GroupPart } from './combine.ts';
import { Router, type Part } from './part.ts';
import { copyRead, openSlice, partsOf, readParts, type RawSlice, type SliceRecords } from './raw.ts';
import { dueOf, Notes } from './reports.ts';
import { shadowState } from './shadow-state.ts';
import { EXCHANGE, type Split } from './split.ts';

export interface MapParts {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  readonly split: Split;
  readonly formats: { find(name: string): FormatDef | undefined };
  readonly unpackers: ReadonlyMap<string, Unpacker>;
  readonly jit: boolean;
  /** Generated code for reading records. */
  readonly generated: boolean;
  readonly following: boolean;
  /** The unit of event time is to be looked at. */
  readonly fresh: boolean;
  /** Workers. */
  readonly count: number;
  /** Where a plan without state writes. */
  readonly sinks: ReadonlyMap<string, Output>;
}

interface Mapped {
  /** The slice where it was read here, else null. */
  readonly raw: RawSlice | null;
  readonly taken: Taken;
  /** Highest event time, epoch ms; -Infinity without any. */
  readonly max: number;
  /** By worker; groups where the rows of the slice were folded. */
  readonly parts: readonly (readonly Part[])[];
  readonly groups: readonly (readonly GroupPart[])[];
  /** Ends of the windows of groups. */
  readonly ends: readonly number[];
  readonly warning: string | null;
}

/**
 * The first half of a worker: records of any partition to rows, by the worker that holds their keys. Rows carry the highest event time
 * of their slice before them, of which the watermark in force is made once the slices before this one are known.
 */
export class Mapper {
  readonly notes: Notes;
  readonly #p: MapParts;
  readonly #decoder: Decoder;
  readonly #input: Output;
  /** The same for rows that are folded here. */
  readonly #combined: Output | null;
  readonly #router: Router | null;
  readonly #combiner: Combiner | null;
  readonly #time: number | null;
  readonly #unitCheck: TimeUnitCheck | null;
  readonly #arenas: Arena[] = [];
  /** Records that were read here, by slot. */
  readonly #read: Arena[] = [];
  #arena = new Arena();
  #parts: Part[][] = [];
  #combining = false;

  constructor(p: MapParts) {
    this.#p = p;
    const { scan, map, keyed } = p.split;
    const source = p.spec.sources.find(s => s.name === scan.source) as SourceSpec;
    const { eventTime } = source;
    this.#time = eventTime === null ? null : scan.time;
    this.notes = new Notes(p.plan, keyed === null ? null : dueOf(keyed.aggregate, keyed.before.sinks[0]?.schema.length ?? 0));
    this.#router = keyed === null ? null : new Router(keyed.schema, keyed.keys, p.count);
    this.#combiner = keyed === null ? null : Combiner.of(keyed, p.count, p.jit, n => this.notes.filtered(keyed.aggregate.id, n));
    this.#unitCheck = !p.fresh || eventTime === null || eventTime.unit === null || eventTime.unit === 'iso' ? null : new TimeUnitCheck(eventTime.from, eventTime.unit);
    const context = new RunContext(shadowState(null), this.notes, Infinity, Infinity, () => 0);
    const input = (plan: PhysicalPlan, sinks: ReadonlyMap<string, Output>): Output => buildGraph(plan, context, sinks, p.jit).inputs.get(scan.source) as Output;
    const exchange = (push: (b: Batch) => void): ReadonlyMap<string, Output> => new Map([[EXCHANGE, { push, watermark: () => undefined, finish: () => undefined }]]);
    this.#input = input(map, keyed === null ? p.sinks : exchange(b => this.#send(b)));
    const combiner = this.#combiner;
    this.#combined = keyed === null || combiner === null ? null : input(keyed.before, exchange(b => combiner.push(b)));
    const make = p.formats.find(source.format)?.decoder;
    if (make === undefined) throw new Error(`format ${source.format} cannot be read`);
    this.#decoder = make(decodeColumns(map, scan, source), { topic: source.topic, maxRecordBytes: p.spec.settings.maxRecordBytes, generated: p.generated });
  }

  /** What is to be waited for before `map`, or null. */
  ready(slice: RawSlice): Promise<void> | null {
    const { form } = slice.lies;
    return (form === null ? null : this.#p.unpackers.get(form)?.ready?.(partsOf(slice))) ?? null;
  }

  /** `slot`: whose memory the parts use; until all workers are done with the slice it is given to no other. `apart`: rows are not to be folded here. */
  map(told: RawSlice, slot: number, apart: boolean): Mapped {
    const combiner = this.#combiner;
    this.#arena = this.#arenas[slot] ??= new Arena();
    this.#arena.reset();
    if (apart) combiner?.rest();
    const read = readParts(told, this.#p.unpackers);
    const records = openSlice(told, this.#p.unpackers, read ?? undefined);
    const mapped = this.#mapOpen(told, records);
    // what is said of a record, now or where its key is, needs it
    const raw = read !== null && (this.notes.any || mapped.parts.some(list => list.length > 0)) ? copyRead(told, read, this.#read[slot] ??= new Arena()) : null;
    if (read !== null) doneWith(read.map(p => p.data));
    return { ...mapped, raw };
  }

  #mapOpen(slice: RawSlice, records: SliceRecords): Omit<Mapped, 'raw'> {
    const combiner = this.#combiner;
    const taken = { bytes: bytesOf(records, 0, records.length), timestamp: records.timestamps[0] as number };
    this.#combining = combiner?.next() ?? false;
    const folded = { taken, ...this.#run(slice, records) };
    if (combiner === null || !this.#combining) return { ...folded, groups: [], ends: [] };
    const groups = combiner.take(this.#arena);
    if (groups !== null) return { ...folded, groups: groups.parts, ends: groups.ends };
    // a row that fails is to do so where its key is, and all that was said of the slice is said again
    this.notes.take();
    this.#combining = false;
    const again = this.#run(slice, records);
    return { ...folded, ...again, warning: folded.warning ?? again.warning, groups: [], ends: [] };
  }

  #run(slice: RawSlice, records: SliceRecords): Pick<Mapped, 'max' | 'parts' | 'warning'> {
    this.#parts = Array.from({ length: this.#p.count }, () => []);
    let batch = this.#decoder.decode(records, 0, records.length, this.#bad);
    let max = -Infinity;
    let warning: string | null = null;
    if (batch.length > 0 && this.#time !== null) {
      warning = this.#checkUnit(batch, this.#time);
      const clock = this.#clock(slice.partition);
      batch = clock.stamp(batch, this.#time, slice.partition, slice.fetchedAt, this.#future);
      max = clock.maxEventTime(slice.partition);
    }
    if (batch.length > 0) (this.#combining ? this.#combined as Output : this.#input).push(batch);
    return { max, parts: this.#parts, warning };
  }

  #send(b: Batch): void {
    (this.#router as Router).route(b, this.#arena).forEach((part, owner) => { if (part !== null) (this.#parts[owner] as Part[]).push(part); });
  }

  /** Without delay and without others its watermark is the highest event time so far. */
  #clock(partition: number): EventTime {
    const { spec, split, following } = this.#p;
    const { maxFuture } = (spec.sources.find(s => s.name === split.scan.source) as SourceSpec).eventTime as NonNullable<SourceSpec['eventTime']>;
    const clock = new EventTime({ delay: 0, idle: Infinity, maxFuture, following }, systemClock, -Infinity);
    clock.add(partition, -Infinity);
    return clock;
  }

  #checkUnit(batch: Batch, column: number): string | null {
    const check = this.#unitCheck;
    if (check === null || check.done) return null;
    const found = check.look(batch, column);
    return found === null ? null : `${found.message}; write ${found.hint}`;
  }

  readonly #bad: Parameters<Decoder['decode']>[3] = (i, code, message) => this.notes.undecodable(i, code, message);
  readonly #future = (b: Batch, i: number): void => {
    this.notes.future((b.origin as NonNullable<Batch['origin']>).rows[i] as number, (b.cols[this.#time as number] as Float64Array)[i] as number);
  };
}
