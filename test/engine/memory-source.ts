import type { Source, TopicInfo } from '../../src/connectors/connector.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { RecordBatch } from '../../src/engine/records.ts';

export interface Stored {
  readonly value: string;
  readonly timestamp: number;
}

/** Topics without any I/O: the smallest thing that keeps the promises of `Source`. */
export class MemorySource implements Source {
  readonly logs: Stored[][];
  readonly starts: number[];
  /** Records of one partition that a poll gives at most. */
  most = Infinity;
  polls: number[][] = [];
  #known: number;
  #positions: number[] = [];
  #ends: number[] = [];
  #quiet: (number | null)[] = [];
  #wake: (() => void) | null = null;
  /** What the last poll gave: its memory is used again. */
  #given: readonly RecordBatch[] = [];
  now: () => number = Date.now;

  readonly #name: string;

  constructor(logs: number | Stored[][], starts: readonly number[] = [], name = 'events') {
    this.logs = typeof logs === 'number' ? Array.from({ length: logs }, () => []) : logs;
    this.starts = [...starts];
    this.#known = this.logs.length;
    this.#name = name;
  }

  get topic(): TopicInfo { return { name: this.#name, id: `id-${this.#name}`, partitions: this.logs.map((l, partition) => ({ partition, begin: 0, end: l.length, bytes: null })) }; }

  send(partition: number, value: string, timestamp: number): void {
    while (this.logs.length <= partition) this.logs.push([]);
    (this.logs[partition] as Stored[]).push({ value, timestamp });
    this.#wake?.();
  }

  wake(): void { this.#wake?.(); }

  open(): Promise<void> {
    this.#positions = this.logs.map((_, p) => this.starts[p] ?? 0);
    this.#ends = this.logs.map(l => l.length);
    return Promise.resolve();
  }

  partitions(): readonly number[] { return Array.from({ length: this.#known }, (_, p) => p); }
  position(p: number): number { return this.#positions[p] ?? 0; }
  endAtOpen(p: number): number { return this.#ends[p] ?? 0; }
  end(p: number): number { return this.logs[p]?.length ?? 0; }
  idleSince(p: number): number | null { return this.#quiet[p] ?? null; }
  close(): Promise<void> { return Promise.resolve(); }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    this.polls.push([...paused]);
    for (const b of this.#given) {
      b.data.fill(0xdb);
      for (const a of [b.valueStart, b.valueEnd, b.keyStart, b.keyEnd, b.offsets, b.timestamps]) a.fill(-2);
    }
    this.#given = [];
    this.#known = this.logs.length;
    if (!this.#any(paused)) await this.#wait(maxWaitMs, signal);
    const found: RecordBatch[] = [];
    for (const p of this.partitions()) {
      if (paused.has(p)) { this.#quiet[p] = null; continue; }
      const from = this.position(p);
      const records = (this.logs[p] as Stored[]).slice(from, Math.min(Infinity, from + this.most));
      if (records.length > 0) found.push(recordsFrom(records.map(r => ({ key: null, value: r.value, timestamp: r.timestamp })), this.#name, p, from));
      this.#positions[p] = from + records.length;
      this.#quiet[p] = records.length > 0 || this.position(p) < this.end(p) ? null : (this.#quiet[p] ?? this.now());
    }
    this.#given = found.map(b => ({ ...b }));
    return found;
  }

  #any(paused: ReadonlySet<number>): boolean { return this.partitions().some(p => !paused.has(p) && this.position(p) < this.end(p)); }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(done => {
      const end = (): void => { clearTimeout(timer); this.#wake = null; signal.removeEventListener('abort', end); done(); };
      const timer = setTimeout(end, ms);
      this.#wake = end;
      signal.addEventListener('abort', end);
    });
  }
}
