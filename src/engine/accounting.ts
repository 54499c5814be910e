import { PipeError, type Code, type Span } from '../errors.ts';
import type { OnError } from '../config/spec.ts';
import type { Encoder } from '../formats/format.ts';
import { printDuration } from '../plan/print.ts';
import type { Schema } from '../sql/types.ts';
import { DEAD_VALUE_BYTES } from '../state/dead-letters.ts';
import type { DeadLetter, OutBlock } from '../state/store.ts';
import { BadShare } from './bad-records.ts';
import type { Batch } from './batch.ts';
import { BlockQueue } from './block-queue.ts';
import { ByteWriter } from './bytes.ts';
import type { Accounting, PartOptions, Tallies } from './ports.ts';
import type { RunCounts } from './progress.ts';
import type { RecordBatch } from './records.ts';
import { onlySink, sourcesOf } from './scan.ts';

type Reason = 'undecodable' | 'failed' | 'late' | 'future';

/** Problems that are kept for whoever looks on. */
const PROBLEMS = 20;
/** Bookkeeping of one dead letter beside its bytes. */
const LETTER_BYTES = 200;

/**
 * Where the records of a pipeline went. Late and future ones never stop a pipeline; undecodable and failed ones follow
 * `on_error`: of the command, else of the sink whose SQL failed, else of the source.
 */
export class RunAccounting implements Accounting {
  readonly #o: PartOptions;
  readonly #run: { -readonly [K in keyof RunCounts]: number } = { records_in: 0, rows_out: 0, filtered: 0, late: 0, future: 0, undecodable: 0, failed: 0 };
  readonly #before: ReadonlyMap<string, number>;
  readonly #share: BadShare;
  readonly #topics = new Map<string, BlockQueue>();
  /** Sources that feed an operator or sink, and the one sink that its rows go to, or null when there are several. */
  readonly #origins: ReadonlyMap<string, { readonly sources: readonly string[]; readonly sink: string | null }>;
  readonly #encoders = new Map<Schema, Encoder | undefined>();
  readonly #filtered = new Map<string, number>();
  readonly #rows = new Map<string, number>();
  readonly #late = new Map<string, number>();
  readonly #failed = new Map<string, number>();
  readonly #dead = new Map<string, number>();
  readonly #problems: Tallies['problems'][number][] = [];
  #letters: DeadLetter[] = [];
  #letterBytes = 0;
  #last: string | null = null;

  constructor(o: PartOptions) {
    this.#o = o;
    this.#before = o.store.saved().counters;
    this.#share = new BadShare(o.spec.name, o.spec.settings.maxBad, o.warn);
    this.#origins = new Map([
      ...o.plan.operators.map(p => [p.id, { sources: sourcesOf(o.plan, p.input), sink: onlySink(o.plan, p.id) }] as const),
      ...o.plan.sinks.map(w => [w.sink, { sources: sourcesOf(o.plan, w.input), sink: w.sink }] as const),
    ]);
  }

  read(_source: string, n: number): void {
    // the records of the slices before this one
    this.#share.check(this.#run.records_in);
    this.#run.records_in += n;
  }
  filtered(operator: string, n: number): void {
    this.#run.filtered += n;
    add(this.#filtered, operator, n);
  }

  rowsOut(sink: string, n: number): void {
    this.#run.rows_out += n;
    add(this.#rows, sink, n);
  }


  undecodable(source: string, records: RecordBatch, i: number, code: Code, message: string): void {
    this.#run.undecodable++;
    const policy = this.#policy(source, null);
    this.#put('undecodable', policy, { source, operator: null, code, message, at: null }, records, i);
    this.#share.add(code, message, policy === 'skip');
  }

  future(source: string, b: Batch, i: number): void {
    this.#run.future++;
    const column = this.#o.plan.scans.find(s => s.source === source)?.time ?? 0;
    const limit = this.#o.spec.sources.find(s => s.name === source)?.eventTime?.maxFuture ?? 0;
    const time = new Date((b.cols[column] as Float64Array)[i] as number);
    const shown = Number.isNaN(time.getTime()) ? 'the event time' : `event time ${time.toISOString()}`;
    this.#row('future', source, null, b, i, 'user.data.future_event', `${shown} is more than max_future (${printDuration(limit)}) ahead of the record`, null);
  }

  late(operator: string, b: Batch, i: number): void {
    this.#run.late++;
    add(this.#late, operator, 1);
    this.#row('late', this.#sourceOf(operator, b), operator, b, i, 'user.data.late', 'all windows of the row are closed', null);
  }

  failed(operator: string, b: Batch, i: number, code: Code, message: string, at: Span | null): void {
    this.#run.failed++;
    add(this.#failed, operator, 1);
    const policy = this.#row('failed', this.#sourceOf(operator, b), operator, b, i, code, message, at);
    this.#share.add(code, message, policy === 'skip');
  }

  counts(): RunCounts { return { ...this.#run }; }

  counters(): ReadonlyMap<string, number> {
    this.#share.check(this.#run.records_in);
    return new Map(Object.entries({ ...this.#run, starts: 1 }).map(([name, n]) => [name, n + (this.#before.get(name) ?? 0)]));
  }

  takeDeadLetters(): readonly DeadLetter[] {
    const letters = this.#letters;
    this.#letters = [];
    this.#letterBytes = 0;
    return letters;
  }

  takeBlocks(): readonly OutBlock[] { return [...this.#topics.values()].flatMap(q => q.take()); }

  bytes(): number {
    let n = this.#letterBytes;
    for (const q of this.#topics.values()) n += q.bytes;
    return n;
  }

  lastProblem(): string | null { return this.#last; }

  tallies(): Tallies {
    return { rows: this.#rows, filtered: this.#filtered, late: this.#late, failed: this.#failed, dead: this.#dead, problems: this.#problems, restarts: this.#before.get('starts') ?? 0 };
  }

  /** Of a row of records, its record; of a row made of many, its columns as JSON. Returns what became of it. */
  #row(reason: Reason, source: string, operator: string | null, b: Batch, i: number, code: Code, message: string, at: Span | null): OnError {
    const sink = operator === null ? null : this.#origins.get(operator)?.sink ?? null;
    const why = { source, operator, code, message, at };
    const policy = this.#policy(source, sink);
    if (b.origin !== null) this.#put(reason, policy, why, b.origin.records, b.origin.rows[i] as number);
    else this.#keep(reason, policy, why, { topic: this.#o.spec.sources.find(s => s.name === source)?.topic ?? '', partition: -1, offset: -1, timestamp: this.#o.now(), key: null, value: this.#json(b, i) });
    return policy;
  }

  #put(reason: Reason, policy: OnError, why: Why, r: RecordBatch, i: number): void {
    const slice = (from: number, to: number): Buffer | null => (from < 0 ? null : r.data.subarray(from, to));
    this.#keep(reason, policy, why, {
      topic: r.topic, partition: r.partition, offset: r.offsets[i] as number, timestamp: r.timestamps[i] as number,
      key: slice(r.keyStart[i] as number, r.keyEnd[i] as number), value: slice(r.valueStart[i] as number, r.valueEnd[i] as number),
    });
  }

  #keep(reason: Reason, policy: OnError, why: Why, r: Bad): void {
    const { code, message, at } = why;
    const where = r.offset < 0 ? '' : ` at ${r.topic}/${r.partition} offset ${r.offset}`;
    this.#last = `${message}${where}`;
    add(this.#dead, code, 1);
    if (reason !== 'late') this.#remember(code, message, r.offset < 0 ? null : `${r.topic}/${r.partition} offset ${r.offset}`);
    if (policy === 'stop' && (reason === 'undecodable' || reason === 'failed')) {
      throw new PipeError(code, `${this.#o.spec.name}: ${message}${where}`, { span: at ?? undefined, hint: 'on_error: dead_letters keeps such records and goes on' });
    }
    if (policy === 'skip') return;
    if (typeof policy === 'object') this.#send(policy.topic, why, r);
    else this.#letter(why, r);
  }

  #remember(code: Code, message: string, where: string | null): void {
    this.#problems.push({ at: this.#o.now(), code, message, where });
    if (this.#problems.length > PROBLEMS) this.#problems.shift();
  }

  #letter({ source, operator, code, message, at }: Why, r: Bad): void {
    const size = r.value?.length ?? 0;
    const { topic, partition, offset, timestamp } = r;
    // the record's bytes belong to a buffer that is used again
    const key = r.key === null ? null : Buffer.from(r.key.subarray(0, DEAD_VALUE_BYTES));
    const value = r.value === null ? null : Buffer.from(r.value.subarray(0, DEAD_VALUE_BYTES));
    this.#letters.push({ source, operator, topic, partition, offset, timestamp, code, message, place: at === null ? null : place(at), key, value, size });
    this.#letterBytes += LETTER_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  }

  /** The original bytes, with the cause in headers. */
  #send(topic: string, { code, message, at }: Why, r: Bad): void {
    let queue = this.#topics.get(topic);
    if (queue === undefined) this.#topics.set(topic, (queue = new BlockQueue(topic, this.#o.partitions.get(topic) as number)));
    const key = r.key === null ? null : r.key.subarray(0, DEAD_TOPIC_BYTES / 2);
    const partition = r.key === null ? queue.next() : queue.ofKey(r.key, 0, r.key.length);
    const position = r.offset < 0 ? r.topic : `${r.topic}/${r.partition}/${r.offset}`;
    const headers = [{ key: 'pipe.error', value: Buffer.from(`${code}: ${message}`) }, { key: 'pipe.at', value: Buffer.from(at === null ? position : `${position} ${place(at)}`) }];
    queue.builder(partition).add(key, r.value === null ? null : r.value.subarray(0, DEAD_TOPIC_BYTES - (key?.length ?? 0)), headers, this.#o.now());
    queue.added(partition);
  }

  #json(b: Batch, i: number): Buffer | null {
    let encoder = this.#encoders.get(b.schema);
    if (encoder === undefined) this.#encoders.set(b.schema, (encoder = this.#o.formats.find('json')?.encoder?.(b.schema, { timestamps: 'epoch_ms', decimals: 'number', key: [] })));
    if (encoder === undefined) return null;
    const out = new ByteWriter(256);
    encoder.value(b, i, out);
    return Buffer.from(out.buf.subarray(0, out.pos));
  }

  #sourceOf(operator: string, b: Batch): string {
    const sources = this.#origins.get(operator)?.sources ?? [];
    const topic = b.origin?.records.topic;
    return sources.find(name => this.#o.spec.sources.some(s => s.name === name && s.topic === topic)) ?? sources[0] ?? '';
  }

  #policy(source: string, sink: string | null): OnError {
    const { spec, onError } = this.#o;
    return onError ?? spec.sinks.find(s => s.name === sink)?.onError ?? spec.sources.find(s => s.name === source)?.onError ?? 'dead_letters';
  }
}

function add(to: Map<string, number>, name: string, n: number): void { to.set(name, (to.get(name) ?? 0) + n); }

/** A record of a dead-letter topic must itself fit a broker. */
const DEAD_TOPIC_BYTES = 900_000;

interface Why {
  readonly source: string;
  readonly operator: string | null;
  readonly code: Code;
  readonly message: string;
  readonly at: Span | null;
}

interface Bad {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

function place({ source, start }: Span): string {
  const { line, col } = source.position(start);
  return `${source.name}:${line}:${col}`;
}
