import type { Source, TopicInfo } from '../connectors/connector.ts';
import type { RecordBatch } from './records.ts';

/** A topic as far as it was read before: the partitions and positions of a saved state are its end. */
export class BoundedSource implements Source {
  readonly #source: Source;
  readonly #ends: ReadonlyMap<number, number>;

  /** `ends`: next offset by partition. */
  constructor(source: Source, ends: ReadonlyMap<number, number>) {
    this.#source = source;
    this.#ends = ends;
  }

  open(): Promise<void> { return this.#source.open(); }
  get topic(): TopicInfo { return this.#source.topic; }
  partitions(): readonly number[] { return this.#source.partitions().filter(p => this.#ends.has(p)); }
  position(partition: number): number { return this.#source.position(partition); }
  /** No further than the topic goes, which may have been cut. */
  endAtOpen(partition: number): number { return Math.min(this.#ends.get(partition) as number, this.#source.endAtOpen(partition)); }
  end(partition: number): number { return this.endAtOpen(partition); }
  idleSince(): null { return null; }
  close(): Promise<void> { return this.#source.close(); }

  poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    return this.#source.poll(new Set([...paused, ...this.#source.partitions().filter(p => !this.#ends.has(p))]), maxWaitMs, signal);
  }
}
