import type { Source, TopicInfo } from '../connectors/connector.ts';
import type { RecordBatch } from './records.ts';
import { withoutCopies } from './replayed.ts';

/**
 * A topic as far as it was read before: the partitions and positions of a saved state are its end. Dead letters that were sent again are left
 * out where their originals are read: each is read once, in its first place.
 */
export class BoundedSource implements Source {
  readonly #source: Source;
  /** Offset behind the last one that is read, by partition. */
  readonly ends: ReadonlyMap<number, number>;
  readonly #pipeline: string;
  /** First offset that is read, by partition; known when it is open. */
  begins: ReadonlyMap<number, number> = new Map();

  /** `ends`: next offset by partition; `pipeline` sent dead letters again. */
  constructor(source: Source, ends: ReadonlyMap<number, number>, pipeline: string) {
    this.#source = source;
    this.ends = ends;
    this.#pipeline = pipeline;
  }

  async open(): Promise<void> {
    await this.#source.open();
    this.begins = new Map(this.partitions().map(p => [p, this.position(p)]));
  }

  get topic(): TopicInfo { return this.#source.topic; }
  partitions(): readonly number[] { return this.#source.partitions().filter(p => this.ends.has(p)); }
  position(partition: number): number { return this.#source.position(partition); }
  /** No further than the topic goes, which may have been cut. */
  endAtOpen(partition: number): number { return Math.min(this.ends.get(partition) as number, this.#source.endAtOpen(partition)); }
  end(partition: number): number { return this.endAtOpen(partition); }
  idleSince(): null { return null; }
  close(): Promise<void> { return this.#source.close(); }

  async poll(paused: ReadonlySet<number>, maxWaitMs: number, signal: AbortSignal): Promise<RecordBatch[]> {
    const batches = await this.#source.poll(new Set([...paused, ...this.#source.partitions().filter(p => !this.ends.has(p))]), maxWaitMs, signal);
    return batches.map(b => withoutCopies(b, this.#pipeline, this.begins));
  }
}
