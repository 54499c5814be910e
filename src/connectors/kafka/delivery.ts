import { setTimeout as sleep } from 'node:timers/promises';
import { PipeError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import type { OutBlock } from '../../state/store.ts';
import type { Delivery, DeliveryOptions, OutEpoch } from '../connector.ts';
import type { Lane } from './cluster.ts';
import { type DeliveryParts, RECOVER_MS } from './delivery-parts.ts';
import { PlainDelivery } from './delivery-plain.ts';
import { ConnectionLost, isPassing, KafkaError } from './kafka-error.ts';
import { fenced, groupName, GroupMarks, markText, offsetsToCommit, readMarks } from './marker.ts';
import { explained, Retrier } from './retry.ts';
import { Transactions } from './transaction.ts';

/** An output topic that is away for so long was deleted. */
const GONE_MS = 60_000;
/** How long a commit that was answered may take to be readable, and how often to look. */
const SETTLE_MS = 300;
const POLL_MS = 5;

export const openDelivery = (o: DeliveryOptions, parts: DeliveryParts): Delivery => (o.exactlyOnce ? new TransactionalDelivery(o, parts) : new PlainDelivery(o, parts));

/** An epoch is one Kafka transaction: output of all sinks, and the input offsets with the marker that says which epoch it was. */
class TransactionalDelivery implements Delivery {
  readonly #o: DeliveryOptions;
  readonly #parts: DeliveryParts;
  readonly #lane: Lane;
  readonly #transactions: Transactions;
  readonly #retrier: Retrier;
  /** As read when we fenced the others. */
  #seen: GroupMarks;
  /** What became of the last transaction is not known: the marker is to be read before anything more is sent. */
  #unsure = false;
  /** Every partition of the group says that it is ours. */
  #owned = false;
  #epoch = 0;
  /** Fenced since the last epoch, by ourselves perhaps (a time-out): once is forgiven. */
  #fenced = false;
  #missingSince: number | null = null;

  constructor(o: DeliveryOptions, parts: DeliveryParts) {
    this.#o = o;
    this.#parts = parts;
    this.#lane = parts.cluster.lane();
    this.#transactions = new Transactions(groupName(o), parts.cluster, this.#lane);
    this.#retrier = new Retrier(parts.cluster, parts.outage);
    this.#seen = new GroupMarks([], o);
  }

  async recover(lastDelivery: number, owed: OutEpoch['offsets'] | null = null): Promise<number | null> {
    try {
      return await this.#retrier.run(async () => {
        (await this.#readSettled()).check(lastDelivery, owed);
        failpoint('marker.read');
        await this.#transactions.fence();
        failpoint('marker.fenced');
        this.#seen = await this.#read(true);
        this.#seen.check(lastDelivery, owed);
        this.#epoch = this.#seen.epoch;
        // the state of before must not come back, even if we end before our first epoch
        if (this.#seen.foreign) await this.#send([], new Map(), 0);
        return this.#epoch === 0 ? null : this.#epoch;
      }, RECOVER_MS);
    } catch (error) {
      throw explained(error, 'sink', `recover pipeline "${this.#o.pipeline}"`);
    }
  }

  async commit(e: OutEpoch): Promise<void> {
    if (this.#has(e)) return;
    const items = e.blocks;
    for (;;) {
      try {
        if (this.#unsure) {
          await this.#reclaim();
          if (this.#has(e)) break;
        }
        await this.#send(items, e.offsets, e.number);
        break;
      } catch (error) {
        this.#unsure = true;
        await this.#judge(error, items);
      }
    }
    this.#epoch = Math.max(this.#epoch, e.number);
    this.#fenced = false;
    this.#missingSince = null;
    this.#retrier.ok();
  }

  async close(): Promise<void> {
    this.#retrier.stop();
    await this.#transactions.close();
    this.#parts.cluster.endLane(this.#lane);
  }

  #has(e: OutEpoch): boolean { return e.blocks.length > 0 && e.number <= this.#epoch; }

  async #send(items: readonly OutBlock[], current: OutEpoch['offsets'], epoch: number): Promise<void> {
    const offsets = await offsetsToCommit(this.#parts.cluster, current, this.#owned ? [] : this.#seen.offsets);
    // a fresh state has no positions yet
    if (offsets.length === 0 && items.length === 0) return;
    if (offsets.length === 0) throw new Error(`epoch ${epoch} has output but no positions`);
    await this.#transactions.commit(items, offsets, markText(epoch, this.#o));
    this.#owned = true;
  }

  /** After an error: finds out what became of the epoch. Others are not fenced if they have taken over. */
  async #reclaim(): Promise<void> {
    this.#checkOwner(await this.#read(false));
    await this.#transactions.fence();
    const now = await this.#read(true);
    this.#checkOwner(now);
    this.#owned ||= now.owners.has(this.#o.ownerId);
    this.#epoch = now.epoch;
    this.#unsure = false;
  }

  #checkOwner(marks: GroupMarks): void {
    const ours = marks.owners.has(this.#o.ownerId);
    const known = [...marks.owners].every(r => r === this.#o.ownerId || (!this.#owned && this.#seen.owners.has(r)));
    if (!known || (!ours && marks.epoch > this.#epoch)) throw fenced(this.#o);
  }

  /** Waits after what a retry cures; throws all else. */
  async #judge(error: unknown, items: readonly OutBlock[]): Promise<void> {
    if (this.#retrier.stopped) throw explained(error instanceof PipeError ? error : new ConnectionLost('the delivery was closed', error), 'sink', `deliver for pipeline "${this.#o.pipeline}"`);
    if (error instanceof KafkaError && error.is('INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED')) {
      if (this.#fenced) throw fenced(this.#o);
      this.#fenced = true;
      return;
    }
    const lost = error instanceof KafkaError && error.is('OUT_OF_ORDER_SEQUENCE_NUMBER', 'INVALID_TXN_STATE', 'INVALID_PRODUCER_ID_MAPPING', 'UNKNOWN_PRODUCER_ID', 'TRANSACTION_COORDINATOR_FENCED', 'TRANSACTION_ABORTABLE');
    if (!lost && !isPassing(error)) throw explained(error, 'sink', `deliver for pipeline "${this.#o.pipeline}"`);
    if (error instanceof KafkaError && error.is('UNKNOWN_TOPIC_OR_PARTITION')) await this.#checkTopics(items);
    await this.#retrier.failed(error);
  }

  async #checkTopics(items: readonly OutBlock[]): Promise<void> {
    const topics = new Set(items.map(i => i.topic));
    const found = await Promise.all([...topics].map(async topic => ({ topic, known: await this.#parts.cluster.topic(topic, true).catch(() => undefined) })));
    const gone = found.find(f => f.known === null);
    if (gone === undefined) { this.#missingSince = null; return; }
    this.#missingSince ??= performance.now();
    if (performance.now() - this.#missingSince > GONE_MS) {
      throw new PipeError('system.sink.topic_missing', `topic "${gone.topic}" does not exist on ${this.#parts.label} any more`, { hint: `create it: pipe topics create ${gone.topic}; the next start sends what is owed` });
    }
  }

  /**
   * The marks before anybody is fenced. A commit is answered some ms before its offsets can be read, so a pending one is waited
   * for; one that stays pending is of a process that died, and only fencing ends it.
   */
  async #readSettled(): Promise<GroupMarks> {
    const end = performance.now() + SETTLE_MS;
    while (performance.now() < end && !this.#retrier.stopped) {
      try {
        return await this.#read(true);
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.is('UNSTABLE_OFFSET_COMMIT')) throw error;
        await sleep(POLL_MS);
      }
    }
    return this.#read(false);
  }

  #read(stable: boolean): Promise<GroupMarks> { return readMarks(this.#parts.cluster, this.#lane, this.#o, stable); }
}
