import { recordsFrom } from '../../engine/block.ts';
import type { RecordBatch } from '../../engine/records.ts';
import type { Source, SourceOptions, TopicInfo } from '../connector.ts';
import type { MemoryTopic } from './topic.ts';
import type { Waiting } from './waiting.ts';

export interface MemorySourceParts {
  readonly waiting: Waiting;
  readonly now: () => number;
  /** Partitions that count as busy though nothing comes. */
  readonly busy: (topic: string, partition: number) => boolean;
  readonly closed: (s: MemorySource) => void;
}

/** Reads a topic in memory. */
export class MemorySource implements Source {
  readonly #topic: MemoryTopic;
  readonly #p: MemorySourceParts;
  readonly #positions: number[];
  readonly #ends: readonly number[];
  readonly #quiet: (number | null)[];

  constructor(topic: MemoryTopic, o: Pick<SourceOptions, 'positions' | 'from'>, parts: MemorySourceParts) {
    this.#topic = topic;
    this.#p = parts;
    this.#ends = topic.partitions.map(log => log.length);
    this.#positions = topic.partitions.map((log, p) => o.positions.get(p) ?? (o.from === 'latest' ? log.length : 0));
    this.#quiet = topic.partitions.map(() => null);
  }

  get topic(): TopicInfo { return this.#topic.info; }

  open(): Promise<void> { return Promise.resolve(); }
  partitions(): readonly number[] { return this.#topic.partitions.map((_, p) => p); }
  position(p: number): number { return this.#positions[p] as number; }
  endAtOpen(p: number): number { return this.#ends[p] as number; }
  end(p: number): number { return this.#topic.partitions[p]?.length ?? 0; }
  idleSince(p: number): number | null { return this.#p.busy(this.#topic.name, p) ? null : (this.#quiet[p] ?? null); }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    const open = this.partitions().filter(p => !paused.has(p));
    if (open.every(p => this.position(p) === this.end(p))) await this.#p.waiting.wait(maxWaitMs, signal);
    return this.partitions().flatMap(p => {
      if (paused.has(p)) {
        this.#quiet[p] = null;
        return [];
      }
      const from = this.position(p);
      const records = (this.#topic.partitions[p] ?? []).slice(from);
      this.#positions[p] = from + records.length;
      this.#quiet[p] = records.length > 0 ? null : (this.#quiet[p] ?? this.#p.now());
      return records.length === 0 ? [] : [recordsFrom(records, this.#topic.name, p, from)];
    });
  }

  close(): Promise<void> {
    this.#p.closed(this);
    return Promise.resolve();
  }
}
