import type { Cluster, Lane } from './cluster.ts';
import { check, KafkaError } from './kafka-error.ts';
import type { OutBlock } from '../../state/store.ts';
import { BatchWriter } from './producer.ts';
import { initProducerRequest } from './protocol-produce.ts';
import type { Retrier } from './retry.ts';

/** Appends without a transaction, in order; a retry is not stored twice as long as the broker remembers us. */
export class IdempotentWriter {
  readonly #cluster: Cluster;
  readonly #retrier: Retrier;
  readonly #writer: BatchWriter;
  #known = false;

  constructor(cluster: Cluster, lane: Lane, retrier: Retrier) {
    this.#cluster = cluster;
    this.#retrier = retrier;
    this.#writer = new BatchWriter(cluster, lane);
  }

  /** Durable on return. `limitMs` is for each round of requests. Throws system.sink.too_large, and what no retry cures. */
  async write(items: readonly OutBlock[], limitMs: number): Promise<void> {
    await this.#writer.write(items, round => this.#retrier.run(async () => {
      if (!this.#known) await this.#identify();
      try {
        await round();
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.is('OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING')) throw error;
        await this.#identify();
        await round();
      }
    }, limitMs));
  }

  async #identify(): Promise<void> {
    const { error, producerId, epoch } = await this.#cluster.any(initProducerRequest(null, 0));
    check(error, 'producer id');
    this.#writer.begin({ producerId, epoch, transactional: false }, null);
    this.#known = true;
  }
}
