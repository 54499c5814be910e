import { setImmediate } from 'node:timers/promises';
import type { Log, TopicInfo } from '../connectors/connector.ts';
import { readRanges, type OffsetRange } from '../engine/read-topic.ts';
import type { RecordBatch } from '../engine/records.ts';
import type { TopicRecord } from './answers.ts';
import { wantedOf, type RecordFilter } from './filter.ts';
import { recordAnswer } from './records.ts';

/** One request looks at so many records, for so many ms, more or less: a filter may find nothing for long. */
const MOST_SCANNED = 200_000;
const MOST_MS = 2000;
/** Records that are read at once, of all partitions. */
const MOST_AT_ONCE = 10_000;
/** ms that a read may take before the next one is smaller. */
const SLOW_MS = 200;
/** Records that are filtered at once. */
const SLICE = 256;

export interface BrowseOptions {
  readonly log: Log;
  readonly topic: TopicInfo;
  /** By partition: the next offset to read, or where `newest`, the one after it. */
  readonly from: ReadonlyMap<number, number>;
  readonly newest: boolean;
  readonly limit: number;
  readonly filter: RecordFilter | null;
  /** Bytes of a key or value that are given. */
  readonly bytes: number;
  readonly signal: AbortSignal;
}

export interface Browsed {
  readonly records: readonly TopicRecord[];
  /** Where to go on, by partition. */
  readonly next: Readonly<Record<string, number>>;
  readonly scanned: number;
  /** There is no more in this direction, as of now. */
  readonly done: boolean;
  /** It has looked long enough: going on at `next` may find more. */
  readonly stopped: boolean;
}

/** Records of some partitions in the order of their time, oldest or newest first; committed ones only. */
export async function browse(o: BrowseOptions): Promise<Browsed> {
  return new Browser(o).run();
}

/** One partition: what was found of it and not given yet lies in `found`, the next one first. */
interface Cursor {
  readonly partition: number;
  /** Next offset to look at; going back, the one after it. */
  at: number;
  /** Where the partition begins and ends in this direction. */
  readonly first: number;
  readonly last: number;
  found: TopicRecord[];
}

class Browser {
  readonly #o: BrowseOptions;
  readonly #cursors: readonly Cursor[];
  readonly #began = performance.now();
  #scanned = 0;
  #chunk: number;

  constructor(o: BrowseOptions) {
    this.#o = o;
    this.#cursors = o.topic.partitions.filter(p => o.from.has(p.partition)).map(p => {
      const at = Math.min(p.end, Math.max(p.begin, o.from.get(p.partition) as number));
      return { partition: p.partition, at, first: at, last: o.newest ? p.begin : p.end, found: [] };
    });
    this.#chunk = o.limit;
  }

  async run(): Promise<Browsed> {
    const { limit, newest, signal } = this.#o;
    const records: TopicRecord[] = [];
    let stopped = false;
    while (records.length < limit) {
      const hungry = this.#cursors.filter(c => c.found.length === 0 && this.#more(c));
      if (hungry.length > 0) {
        stopped = this.#scanned >= MOST_SCANNED || performance.now() - this.#began > MOST_MS || signal.aborted;
        if (stopped) break;
        await this.#fill(hungry);
        // others have their turn: a pipeline may run in this process
        await setImmediate();
        continue;
      }
      const next = this.#cursors.filter(c => c.found.length > 0).reduce<Cursor | null>((best, c) => (best === null || before(c, best, newest) ? c : best), null);
      if (next === null) break;
      records.push(next.found.shift() as TopicRecord);
    }
    const next = Object.fromEntries(this.#cursors.map(c => [c.partition, c.found.length === 0 ? c.at : (c.found[0] as TopicRecord).offset + (newest ? 1 : 0)]));
    return { records, next, scanned: this.#scanned, done: !stopped && this.#cursors.every(c => c.found.length === 0 && !this.#more(c)), stopped };
  }

  #more(c: Cursor): boolean { return this.#o.newest ? c.at > c.last : c.at < c.last; }

  /** Reads the next offsets of some partitions, all that are wanted or, going forward, as far as time allows. */
  async #fill(cursors: readonly Cursor[]): Promise<void> {
    const { log, topic, newest, limit, signal } = this.#o;
    const each = Math.max(1, Math.ceil(this.#chunk / cursors.length));
    const ranges = new Map(cursors.map((c): [number, OffsetRange] => [c.partition, newest ? { from: Math.max(c.last, c.at - each), to: c.at } : { from: c.at, to: Math.min(c.last, c.at + each) }]));
    const began = performance.now();
    for await (const batch of readRanges(log, topic.name, ranges, signal)) this.#take(cursors.find(c => c.partition === batch.partition) as Cursor, batch, ranges.get(batch.partition) as OffsetRange);
    // what a read that was cut short has not seen is not passed over
    if (signal.aborted) return;
    for (const c of cursors) {
      const { from, to } = ranges.get(c.partition) as OffsetRange;
      if (newest) c.found.reverse();
      const cut = c.found.length > limit ? c.found[limit - 1] as TopicRecord : null;
      c.found.length = Math.min(c.found.length, limit);
      c.at = newest ? cut?.offset ?? from : cut === null ? to : cut.offset + 1;
    }
    this.#chunk = performance.now() - began > SLOW_MS ? Math.max(1, this.#chunk >> 1) : Math.min(MOST_AT_ONCE, this.#chunk * 2);
  }

  #take(c: Cursor, b: RecordBatch, { from, to }: OffsetRange): void {
    const { filter, bytes, newest, limit } = this.#o;
    let first = 0;
    let last = b.length;
    while (first < last && (b.offsets[first] as number) < from) first++;
    while (last > first && (b.offsets[last - 1] as number) >= to) last--;
    for (let i = first; i < last; i += SLICE) {
      const end = Math.min(last, i + SLICE);
      // more than can be wanted is not kept; one more tells that there was more
      for (const row of wantedOf(filter, b, i, end)) if (newest || c.found.length <= limit) c.found.push(recordAnswer(b, row, bytes));
      if (newest && c.found.length > 2 * limit) c.found = c.found.slice(-limit - 1);
    }
    this.#scanned += last - first;
  }
}

/** Whether the next record of a comes before that of b. What was sent together has one time: then the partitions come side by side. */
function before(a: Cursor, b: Cursor, newest: boolean): boolean {
  const [x, y] = [a.found[0] as TopicRecord, b.found[0] as TopicRecord];
  if (x.timestamp !== y.timestamp) return newest ? x.timestamp > y.timestamp : x.timestamp < y.timestamp;
  return Math.abs(x.offset - a.first) < Math.abs(y.offset - b.first);
}
