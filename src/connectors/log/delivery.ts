import { setTimeout as sleep } from 'node:timers/promises';
import { PipeError } from '../../errors.ts';
import { failpoint } from '../../failpoint.ts';
import type { Delivery, DeliveryOptions, Notices, OutEpoch } from '../connector.ts';
import { appendBlock } from './append.ts';
import type { LogDb } from './database.ts';
import { isBusy } from './file.ts';
import { findTopic } from './topics.ts';

const RETRY_MS = 200;
const REPEAT_MS = 60_000;

interface Marker {
  readonly epoch: number;
  readonly stateId: string;
  readonly ownerId: string;
}

export interface DeliveryParts {
  /** Makes topics.db where it is missing. */
  db(): LogDb;
  /** After `bytes` became visible. */
  wrote(bytes: number): void;
  readonly notices: Notices;
}

/** Output of a pipeline on the embedded log: an epoch is one transaction together with the row that says that it is in. */
export class EmbeddedDelivery implements Delivery {
  readonly #o: DeliveryOptions;
  readonly #parts: DeliveryParts;
  readonly #producer: string;
  #closed = false;

  constructor(o: DeliveryOptions, parts: DeliveryParts) {
    this.#o = o;
    this.#parts = parts;
    this.#producer = `${o.idPrefix}pipe-${o.pipeline}`;
  }

  recover(lastDelivery: number): Promise<number | null> {
    return this.#retry(() => {
      const db = this.#parts.db();
      return db.write(() => {
        const { pipeline, stateId, takeOver } = this.#o;
        const marker = this.#marker(db);
        const ours = marker?.stateId === stateId;
        if (marker !== null && !ours && !takeOver) {
          throw new PipeError('system.state.foreign', `another state file than this one has delivered for pipeline "${pipeline}" to ${db.path}`, {
            hint: 'run it with the --data-dir and settings.state of before, or start again with --reset-state: it reads from the start, and sends its rows a second time',
          });
        }
        const epoch = marker !== null && ours ? marker.epoch : 0;
        if (epoch > lastDelivery) {
          throw new PipeError('system.state.rolled_back', `the state of pipeline "${pipeline}" is at delivery ${lastDelivery}, but ${epoch} has been delivered: it is an older copy`, {
            hint: 'put the newer state back (a restore keeps it as *.before-restore), restore this one together with its topics where it was backed up --with-topics, or start again with --reset-state: it reads from the start, and sends its rows a second time',
          });
        }
        this.#mark(db, epoch);
        return epoch === 0 ? null : epoch;
      });
    });
  }

  async commit(e: OutEpoch): Promise<void> {
    // the positions are in the state file; nobody else wants them
    if (e.blocks.length === 0) return;
    const bytes = await this.#retry(() => {
      const db = this.#parts.db();
      failpoint('append.before');
      return db.write(() => this.#append(db, e));
    });
    failpoint('append.after');
    if (bytes > 0) this.#parts.wrote(bytes);
  }

  async close(): Promise<void> { this.#closed = true; }

  #append(db: LogDb, e: OutEpoch): number {
    const marker = this.#marker(db);
    if (marker !== null && marker.ownerId !== this.#o.ownerId) {
      throw new PipeError('system.sink.fenced', `pipeline "${this.#o.pipeline}" was started by another process, which delivers for it now`, { hint: 'one process runs a pipeline, and nothing is lost; rows come twice only if the other was started with --reset-state' });
    }
    if (marker !== null && e.number <= marker.epoch) return 0;
    const now = Date.now();
    let bytes = 0;
    for (const b of e.blocks) {
      const topic = findTopic(db, b.topic);
      if (topic === null) throw new PipeError('system.sink.topic_missing', `topic "${b.topic}" does not exist on the embedded log`, { hint: `create it: pipe topics create ${b.topic}` });
      appendBlock(db, topic, b, now);
      bytes += b.data.length;
    }
    failpoint('append.marker');
    this.#mark(db, e.number);
    return bytes;
  }

  #marker(db: LogDb): Marker | null {
    const row = db.get('SELECT epoch, state_id, owner_id FROM deliveries WHERE producer = ?', this.#producer);
    return row === undefined ? null : { epoch: row[0] as number, stateId: row[1] as string, ownerId: row[2] as string };
  }

  #mark(db: LogDb, epoch: number): void {
    db.run('INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)', this.#producer, epoch, this.#o.stateId, this.#o.ownerId, Date.now());
  }

  /** A log that others keep busy is tried again without limit. */
  async #retry<T>(work: () => T): Promise<T> {
    let said = -Infinity;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || this.#closed) throw error;
        if (performance.now() - said > REPEAT_MS) {
          said = performance.now();
          this.#parts.notices.warn((error as PipeError).message);
        }
        await sleep(RETRY_MS);
      }
    }
  }
}
