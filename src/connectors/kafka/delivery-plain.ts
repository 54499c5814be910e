import { failpoint } from '../../failpoint.ts';
import type { Delivery, DeliveryOptions, OutEpoch } from '../connector.ts';
import type { Lane } from './cluster.ts';
import { type DeliveryParts, RECOVER_MS } from './delivery-parts.ts';
import { IdempotentWriter } from './idempotent.ts';
import { check } from './kafka-error.ts';
import { fenced, groupName, GroupMarks, markText, offsetsToCommit, readMarks } from './marker.ts';
import { offsetCommitRequest } from './protocol-cluster.ts';
import { explained, Retrier } from './retry.ts';

/** At least once: records first, then the offsets with the marker; a crash between the two sends an epoch again. */
export class PlainDelivery implements Delivery {
  readonly markerMayLag = true;
  readonly #o: DeliveryOptions;
  readonly #parts: DeliveryParts;
  readonly #lane: Lane;
  readonly #retrier: Retrier;
  readonly #writer: IdempotentWriter;
  #seen: GroupMarks;
  #owned = false;
  #epoch = 0;

  constructor(o: DeliveryOptions, parts: DeliveryParts) {
    this.#o = o;
    this.#parts = parts;
    this.#lane = parts.cluster.lane();
    this.#retrier = new Retrier(parts.cluster, parts.outage);
    this.#writer = new IdempotentWriter(parts.cluster, this.#lane, this.#retrier);
    this.#seen = new GroupMarks([], o);
  }

  async recover(lastDelivery: number): Promise<number | null> {
    try {
      this.#seen = await this.#retrier.run(() => readMarks(this.#parts.cluster, this.#lane, this.#o, true), RECOVER_MS);
      this.#seen.check(lastDelivery);
      this.#epoch = this.#seen.epoch;
      if (this.#seen.foreign) await this.#offsets(new Map(), 0, RECOVER_MS);
      return this.#epoch === 0 ? null : this.#epoch;
    } catch (error) {
      throw explained(error, 'sink', `recover pipeline "${this.#o.pipeline}"`);
    }
  }

  async commit(e: OutEpoch): Promise<void> {
    if (e.blocks.length > 0 && e.number <= this.#epoch) return;
    try {
      if (e.blocks.length > 0) await this.#writer.write(e.blocks, Infinity);
      failpoint('plain.between');
      await this.#offsets(e.offsets, e.number, Infinity);
    } catch (error) {
      throw explained(error, 'sink', `deliver for pipeline "${this.#o.pipeline}"`);
    }
    this.#epoch = Math.max(this.#epoch, e.number);
  }

  async close(): Promise<void> {
    this.#retrier.stop();
    this.#parts.cluster.endLane(this.#lane);
  }

  /** Nobody is fenced without transactions: a new owner is found by its marker. */
  async #offsets(current: OutEpoch['offsets'], epoch: number, limitMs: number): Promise<void> {
    const { cluster } = this.#parts;
    const group = groupName(this.#o);
    await this.#retrier.run(async () => {
      const { owners } = await readMarks(cluster, this.#lane, this.#o, true);
      if ([...owners].some(r => r !== this.#o.ownerId && (this.#owned || !this.#seen.owners.has(r)))) throw fenced(this.#o);
      const offsets = await offsetsToCommit(cluster, current, this.#owned ? [] : this.#seen.offsets);
      if (offsets.length === 0) return;
      check(await this.#lane.send(await cluster.coordinator('group', group), offsetCommitRequest(group, offsets, markText(epoch, this.#o))), `offsets of group ${group}`);
      this.#owned = true;
    }, limitMs);
  }
}
