import { PackedRecords, sharedBy, type Header, type RecordBatch } from '../engine/records.ts';
import type { Source, SourceOptions, TopicInfo } from './connector.ts';

/** A source that does not come back for so long (ms), because its output is held up, is left behind: it reads for itself from then on. */
const PATIENCE_MS = 2000;
/** How long a joint fetch may wait for records. */
const FETCH_MS = 200;

/** Makes sources of which those that begin at the same place of a topic share one reader: what is fetched once is given to all of them. */
export class SourceSharing {
  readonly #make: (o: SourceOptions) => Source;
  readonly #patience: number;
  readonly #groups = new Map<string, Group>();

  /** `make` gives readers of one log, not opened; `patience` in ms. */
  constructor(make: (o: SourceOptions) => Source, patience = PATIENCE_MS) {
    this.#make = make;
    this.#patience = patience;
  }

  source(o: SourceOptions): Source { return new SharedSource(o, this); }

  /** A group that nobody has read from yet. */
  fresh(o: SourceOptions): Group {
    const key = JSON.stringify([o.topic, o.topicId, [...o.positions], o.from, o.onDataLoss, o.packed === true]);
    const known = this.#groups.get(key);
    if (known?.joinable === true) return known;
    const group: Group = new Group(this.#make(o), this.#patience, () => { if (this.#groups.get(key) === group) this.#groups.delete(key); });
    this.#groups.set(key, group);
    return group;
  }

  /** A group for one that was left behind. */
  alone(o: SourceOptions): Group { return new Group(this.#make(o), this.#patience, () => undefined); }
}

const alike = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean => a.size === b.size && [...a].every(p => b.has(p));

/** One reader and the sources that share it. A round is what one poll gave; none begins before all have done with the one before. */
class Group {
  readonly reader: Source;
  readonly members = new Set<SharedSource>();
  /** The last round, and its records. */
  round = 0;
  batches: readonly RecordBatch[] = [];
  readonly #patience: number;
  readonly #over: () => void;
  readonly #opening: Promise<void>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  /** Positions before the last round. */
  #before: ReadonlyMap<number, number> = new Map();
  /** Positions before the fetch that is on its way, or null. */
  #during: ReadonlyMap<number, number> | null = null;
  #read = false;
  #failure: { readonly error: unknown } | null = null;
  /** Since when (performance.now) the next round waits for some that are busy, or null. */
  #heldSince: number | null = null;

  /** `over`: nobody reads it any more. */
  constructor(reader: Source, patience: number, over: () => void) {
    this.reader = reader;
    this.#over = over;
    this.#patience = patience;
    this.#opening = reader.open();
    this.#opening.catch(() => undefined);
  }

  get joinable(): boolean { return !this.#read && this.members.size > 0; }
  opened(): Promise<void> { return this.#opening; }

  /** Where a source that has taken rounds up to `taken` goes on. */
  position(partition: number, taken: number): number {
    // the reader moves on before its answer is here
    const then = taken < this.round ? this.#before : this.#during;
    return then?.get(partition) ?? this.reader.position(partition);
  }

  /** For the only member: nothing is in its way. */
  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    this.#read = true;
    return this.reader.poll(paused, maxWaitMs, signal);
  }

  /** False while a joint fetch is on its way. */
  get quiet(): boolean { return this.#during === null; }

  /** Begins the next round when nobody is busy with this one. Who is busy for too long, or wants other partitions, is left behind. */
  advance(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#during !== null) return;
    const busy = [...this.members].filter(m => m.done < this.round);
    if (busy.length > 0) {
      this.#heldSince ??= performance.now();
      if (performance.now() - this.#heldSince < this.#patience) return;
      this.batches.forEach(keep);
      for (const m of busy) m.leave();
    }
    this.#heldSince = null;
    const [first, ...others] = this.members as Iterable<SharedSource> as [SharedSource];
    for (const m of others as SharedSource[]) if (!alike(m.paused, first.paused)) m.leave();
    void this.#fetch(first.paused);
  }

  /** Until something has changed, or `ms`. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.add(done);
    });
  }

  async remove(m: SharedSource): Promise<void> {
    if (!this.members.delete(m)) return;
    this.#wake();
    if (this.members.size > 0) return;
    this.#over();
    this.#stop.abort();
    await this.reader.close();
  }

  #wake(): void { for (const done of [...this.#waiting]) done(); }

  async #fetch(paused: ReadonlySet<number>): Promise<void> {
    this.#read = true;
    const before = new Map(this.reader.partitions().map(p => [p, this.reader.position(p)]));
    this.#during = before;
    try {
      const batches = await this.reader.poll(paused, FETCH_MS, this.#stop.signal);
      if (batches.length === 0) return;
      const readers = this.members.size;
      this.batches = batches.map(b => sharedBy(b, readers));
      this.#before = before;
      this.round++;
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#during = null;
      this.#wake();
    }
  }
}

/** One of the sources of a group. */
class SharedSource implements Source {
  readonly #o: SourceOptions;
  readonly #sharing: SourceSharing;
  #group: Group | null = null;
  /** Left behind: where to go on with a reader of its own, which is not open yet. */
  #behind: ReadonlyMap<number, number> | null = null;
  #taken = 0;
  #closed = false;
  /** The last round whose records are not needed any more. */
  done = 0;
  /** What the last poll left out. */
  paused: ReadonlySet<number> = new Set();

  constructor(o: SourceOptions, sharing: SourceSharing) {
    this.#o = o;
    this.#sharing = sharing;
  }

  async open(): Promise<void> { await this.#join(this.#sharing.fresh(this.#o)); }

  get topic(): TopicInfo { return this.#of().reader.topic; }
  partitions(): readonly number[] { return this.#of().reader.partitions(); }
  endAtOpen(partition: number): number { return this.#of().reader.endAtOpen(partition); }
  end(partition: number): number { return this.#of().reader.end(partition); }
  position(partition: number): number { return this.#behind?.get(partition) ?? this.#of().position(partition, this.#taken); }

  idleSince(partition: number): number | null {
    const group = this.#of();
    return this.#behind === null && this.#taken === group.round ? group.reader.idleSince(partition) : null;
  }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    const deadline = performance.now() + maxWaitMs;
    this.paused = paused;
    this.done = this.#taken;
    for (;;) {
      if (this.#behind !== null) await this.#goAlone(this.#behind);
      const group = this.#of();
      if (this.#taken < group.round) {
        this.#taken = group.round;
        return [...group.batches];
      }
      if (group.members.size === 1 && group.quiet) return group.poll(paused, maxWaitMs, signal);
      group.advance();
      const left = deadline - performance.now();
      if (left <= 0 || signal.aborted || this.#closed) return [];
      await group.wait(left, signal);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#group?.remove(this);
  }

  /** The group goes on without this one. */
  leave(): void {
    const group = this.#of();
    this.#behind = new Map(group.reader.partitions().map(p => [p, group.position(p, this.#taken)]));
    void group.remove(this);
  }

  async #join(group: Group): Promise<void> {
    this.#group = group;
    this.#taken = this.done = group.round;
    group.members.add(this);
    await group.opened();
  }

  async #goAlone(positions: ReadonlyMap<number, number>): Promise<void> {
    await this.#join(this.#sharing.alone({ ...this.#o, topicId: this.#of().reader.topic.id, positions }));
    this.#behind = null;
  }

  #of(): Group {
    if (this.#group === null) throw new Error('the source is not open');
    return this.#group;
  }
}

/** Records that outlive the next poll of their reader, which uses its memory again. */
function keep(b: RecordBatch): void {
  if (b instanceof PackedRecords) return b.keep();
  const headers: (readonly Header[])[] = Array.from({ length: b.length }, (_, i) => b.headers(i).map(h => ({ ...h, value: h.value === null ? null : Buffer.from(h.value) })));
  Object.assign(b, {
    data: Buffer.from(b.data),
    valueStart: b.valueStart.slice(), valueEnd: b.valueEnd.slice(), keyStart: b.keyStart.slice(), keyEnd: b.keyEnd.slice(), offsets: b.offsets.slice(), timestamps: b.timestamps.slice(),
    headers: (row: number) => headers[row] as readonly Header[],
  });
}
