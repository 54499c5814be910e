import type { Delivery } from '../connectors/connector.ts';
import type { OutBlock, ReplayMark, StateStore } from '../state/store.ts';
import { BlockQueue } from './block-queue.ts';
import { failpoint } from '../failpoint.ts';
import type { Header } from './records.ts';
import { byTopic } from './recovery.ts';

/** A dead letter as it goes back to a topic. */
export interface ReplayRecord {
  readonly topic: string;
  /** Null: the one that its key or the turn says. */
  readonly partition: number | null;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
  /** Epoch ms. */
  readonly timestamp: number;
}

/** One delivery of a replay ends here: a transaction must not take too long. */
const CHUNK_BYTES = 8 << 20;
const CHUNK_RECORDS = 10_000;

/**
 * Sends dead letters of a pipeline that does not run as deliveries of that pipeline, so that they are in a topic as often as its
 * rows are: once, or with `delivery: at-least-once` at least once.
 */
export class Replayer {
  readonly #store: StateStore;
  readonly #delivery: Delivery;
  readonly #partitions: ReadonlyMap<string, number>;
  #queues = new Map<string, BlockQueue>();
  #letters: number[] = [];
  #marks: ReplayMark[] = [];
  #records = 0;
  #bytes = 0;
  /** Records that are sent and settled. */
  sent = 0;

  /** `partitions` of every topic that is written to. */
  constructor(store: StateStore, delivery: Delivery, partitions: ReadonlyMap<string, number>) {
    this.#store = store;
    this.#delivery = delivery;
    this.#partitions = partitions;
  }

  /** `letters` and `marks` say all that the record was kept as. */
  async add(r: ReplayRecord, letters: readonly number[], marks: readonly ReplayMark[]): Promise<void> {
    this.#letters.push(...letters);
    this.#marks.push(...marks);
    let queue = this.#queues.get(r.topic);
    if (queue === undefined) this.#queues.set(r.topic, (queue = new BlockQueue(r.topic, this.#partitions.get(r.topic) as number, this.sent)));
    queue.add(r.partition, r.key, r.value, r.headers, r.timestamp);
    this.#records++;
    this.#bytes += (r.key?.length ?? 0) + (r.value?.length ?? 0);
    if (this.#bytes >= CHUNK_BYTES || this.#records >= CHUNK_RECORDS) await this.flush();
  }

  /** Sends what was added. */
  async flush(): Promise<void> {
    const blocks: OutBlock[] = [...this.#queues.values()].flatMap(q => q.take());
    if (blocks.length === 0) return;
    const saved = this.#store.saved();
    const epoch = saved.epoch + 1;
    this.#store.letters.begin({ epoch, records: this.#records, letters: this.#letters, marks: this.#marks });
    failpoint('replay.noted');
    await this.#delivery.commit({ number: epoch, blocks, offsets: byTopic(saved.positions) });
    failpoint('replay.sent');
    this.#store.letters.settle(true);
    this.sent += this.#records;
    this.#queues = new Map();
    this.#letters = [];
    this.#marks = [];
    this.#records = this.#bytes = 0;
  }
}
