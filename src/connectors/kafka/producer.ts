import { openBlock } from '../../engine/block.ts';
import type { RecordBatch } from '../../engine/records.ts';
import type { OutBlock } from '../../state/store.ts';
import { PipeError } from '../../errors.ts';
import type { Cluster, Lane } from './cluster.ts';
import { errors, KafkaError } from './kafka-error.ts';
import { produceRequest, type ProduceRequest } from './protocol-produce.ts';
import { BATCH_BYTES, batchOfBlock, encodeBatch, nextSequence, NO_PRODUCER, type BatchProducer, type EncodedBatch } from './record-batch-encode.ts';

/** A request ends at about this size; brokers take 100 MB. */
const REQUEST_BYTES = 8 << 20;
const KEY_SHOWN = 80;

/** What is left to send to one partition: rows from `row` on of the first of `blocks`, then the others. */
interface Queue {
  readonly topic: string;
  readonly partition: number;
  readonly blocks: Buffer[];
  row: number;
  /** The first block, where it goes in parts. */
  opened: RecordBatch | null;
  /** Encoded and not acknowledged: sent again byte for byte. */
  batch: EncodedBatch | null;
  /** Of the identity that it was encoded for. */
  generation: number;
}

/**
 * Writes record batches with sequence numbers, one at a time to each partition, so that a broker knows a batch that it gets twice.
 * Batches get their header right before they are sent.
 */
export class BatchWriter {
  readonly #cluster: Cluster;
  readonly #lane: Lane;
  readonly #sequences = new Map<string, number>();
  /** Smaller batches for topics that refused larger ones. */
  readonly #limits = new Map<string, number>();
  #producer: BatchProducer = NO_PRODUCER;
  #transactionalId: string | null = null;
  #request: ProduceRequest = produceRequest;
  #generation = 0;

  constructor(cluster: Cluster, lane: Lane) {
    this.#cluster = cluster;
    this.#lane = lane;
  }

  /** From now on under this identity; sequences begin at 0. What is not acknowledged yet is encoded anew. */
  begin(producer: BatchProducer, transactionalId: string | null, request: ProduceRequest = produceRequest): void {
    this.#producer = producer;
    this.#transactionalId = transactionalId;
    this.#request = request;
    this.#sequences.clear();
    this.#generation++;
  }

  /**
   * All of it, acknowledged by all replicas. `attempt` runs each round of requests, and may run it again.
   * Throws system.sink.too_large, and what `attempt` lets through.
   */
  async write(items: readonly OutBlock[], attempt: (round: () => Promise<void>) => Promise<void>): Promise<void> {
    const queues = new Map<string, Queue>();
    for (const { topic, partition, rows, data } of items) {
      if (rows === 0) continue;
      const name = place(topic, partition);
      const queue = queues.get(name);
      if (queue === undefined) queues.set(name, { topic, partition, blocks: [data], row: 0, opened: null, batch: null, generation: 0 });
      else queue.blocks.push(data);
    }
    while (queues.size > 0) {
      await attempt(() => this.#round([...queues.values()]));
      for (const [name, q] of queues) if (q.blocks.length === 0) queues.delete(name);
    }
  }

  /** One batch of each partition, as far as requests hold them. */
  async #round(queues: readonly Queue[]): Promise<void> {
    const leaders = await this.#cluster.byLeader(queues.filter(q => q.blocks.length > 0));
    // all answers are waited for: what is acknowledged must not be sent again
    const results = await Promise.allSettled([...leaders].map(([node, list]) => this.#send(node, list)));
    for (const r of results) if (r.status === 'rejected') throw r.reason;
  }

  async #send(node: number, queues: readonly Queue[]): Promise<void> {
    const sent: Queue[] = [];
    let bytes = 0;
    for (const q of queues) {
      bytes += this.#encoded(q).batch.length;
      if (sent.length > 0 && bytes > REQUEST_BYTES) break;
      sent.push(q);
    }
    const answers = await this.#lane.send(node, this.#request(this.#transactionalId, sent.map(q => ({ topic: q.topic, partition: q.partition, batch: this.#encoded(q).batch }))));
    let failure: Error | null = null;
    for (const { topic, partition, error } of answers) {
      const q = sent.find(s => s.topic === topic && s.partition === partition);
      if (q === undefined) continue;
      if (error === 0 || error === errors.DUPLICATE_SEQUENCE_NUMBER) this.#acknowledged(q);
      else if (error === errors.MESSAGE_TOO_LARGE || error === errors.RECORD_LIST_TOO_LARGE) this.#smaller(q);
      else failure ??= new KafkaError(error, `write to ${topic}/${partition}`);
    }
    if (failure !== null) throw failure;
  }

  #encoded(q: Queue): EncodedBatch {
    if (q.batch === null || q.generation !== this.#generation) {
      const sequence = this.#sequences.get(place(q.topic, q.partition)) ?? 0;
      const limit = this.#limits.get(q.topic) ?? BATCH_BYTES;
      q.batch = (q.opened === null ? batchOfBlock(q.blocks[0] as Buffer, this.#producer, sequence, limit) : null) ?? encodeBatch(open(q), q.row, this.#producer, sequence, limit);
      q.generation = this.#generation;
    }
    return q.batch;
  }

  #acknowledged(q: Queue): void {
    const { records } = q.batch as EncodedBatch;
    const name = place(q.topic, q.partition);
    this.#sequences.set(name, nextSequence(this.#sequences.get(name) ?? 0, records));
    q.batch = null;
    q.row += records;
    if (q.opened !== null && q.row < q.opened.length) return;
    q.blocks.shift();
    q.opened = null;
    q.row = 0;
  }

  /** The topic takes less at once than is usual. */
  #smaller(q: Queue): void {
    const { batch, records } = q.batch as EncodedBatch;
    if (records === 1) throw tooLarge(q, batch.length);
    this.#limits.set(q.topic, Math.min(this.#limits.get(q.topic) ?? BATCH_BYTES, batch.length >> 1));
    q.batch = null;
  }
}

const open = (q: Queue): RecordBatch => (q.opened ??= openBlock(q.blocks[0] as Buffer, q.topic, q.partition, 0, null));

const place = (topic: string, partition: number): string => `${topic}/${partition}`;

function tooLarge(q: Queue, bytes: number): PipeError {
  const r = open(q);
  const from = r.keyStart[q.row] as number;
  const key = from < 0 ? 'no key' : `key ${JSON.stringify(r.data.toString('utf8', from, Math.min(r.keyEnd[q.row] as number, from + KEY_SHOWN)))}`;
  return new PipeError('system.sink.too_large', `a record of ${bytes} bytes for ${place(q.topic, q.partition)} (${key}) is larger than the topic takes`, {
    hint: `raise max.message.bytes of topic "${q.topic}"`,
  });
}
