import type { Delivery } from '../connectors/connector.ts';
import { failpoint } from '../failpoint.ts';
import type { OutBlock, Saved, StateStore } from '../state/store.ts';
import { recycle } from './bytes.ts';
import type { Meters } from './meters.ts';
import type { Accounting, Checkpointer, EpochInput, Outbox, PartOptions } from './ports.ts';
import { byTopic, deliveries, type Offsets, recover } from './recovery.ts';

/** Positions alone, of epochs without output, go out at most this often (ms). */
const OFFSETS_EVERY = 5000;
/** The marker on Kafka expires after 7 days without a commit. */
const REFRESH_EVERY = 24 * 3_600_000;

/**
 * The epoch protocol: SQLite first, the log second, and the log remembers which epoch it has. The delivery of epoch e overlaps
 * with the processing of e + 1, but the commit of e + 1 waits for it: so SQLite is never more than one epoch ahead.
 */
export class EpochCheckpointer implements Checkpointer {
  readonly #pipeline: string;
  readonly #store: StateStore;
  readonly #resume: PartOptions['resume'];
  readonly #accounting: Accounting;
  readonly #outbox: Outbox;
  readonly #delivery: Delivery;
  readonly #meters: Meters | null;
  #epoch = 0;
  /** The last epoch with output. */
  #delivered = 0;
  /** How many epochs had output since the state began. */
  #deliveries = 0;
  #sending: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = false;
  #offsets: Offsets = new Map();
  /** Positions have moved since they were last sent. */
  #owed = false;
  #timer: NodeJS.Timeout | null = null;
  #sentAt = -Infinity;

  constructor({ spec, store, resume }: PartOptions, accounting: Accounting, outbox: Outbox, delivery: Delivery, meters: Meters | null = null) {
    this.#pipeline = spec.name;
    this.#store = store;
    this.#resume = resume;
    this.#accounting = accounting;
    this.#outbox = outbox;
    this.#delivery = delivery;
    this.#meters = meters;
    this.#goOn(store.saved());
  }

  async recover(): Promise<Saved> {
    const saved = await recover({ pipeline: this.#pipeline, store: this.#store, delivery: this.#delivery, resume: this.#resume });
    this.#goOn(saved);
    this.#offsets = byTopic(saved.positions);
    this.#schedule(REFRESH_EVERY);
    return saved;
  }

  async commit(e: EpochInput): Promise<void> {
    await this.#sending;
    const out = [...this.#outbox.take(), ...this.#accounting.takeBlocks()];
    this.#epoch++;
    if (out.length > 0) {
      this.#delivered = this.#epoch;
      this.#deliveries++;
    }
    const counters = new Map([...this.#accounting.counters(), ['deliveries', this.#deliveries]]);
    const began = performance.now();
    failpoint('commit.before');
    this.#store.commit({
      epoch: this.#epoch, delivery: this.#delivered, positions: e.positions, watermarks: e.watermarks, counters, deadLetters: this.#accounting.takeDeadLetters(), out,
    }, e.write);
    failpoint('commit.after');
    this.#store.checkpoint();
    this.#meters?.committed(this.#epoch, performance.now() - began, out);
    if (out.length === 0) this.#meters?.delivered(null);
    this.#offsets = byTopic(e.positions);
    this.#owed = true;
    if (out.length > 0) this.#send(out);
    else this.#schedule(Math.max(0, this.#sentAt + OFFSETS_EVERY - performance.now()));
  }

  delivering(): boolean { return this.#busy; }
  failed(): boolean { return this.#failed; }

  async drain(): Promise<void> {
    failpoint('drain.before');
    await this.#sending;
    if (this.#owed) this.#send([]);
    await this.#sending;
    this.#store.clearOutbox();
    failpoint('drain.after');
    this.stop();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #goOn(saved: Saved): void {
    this.#epoch = saved.epoch;
    this.#delivered = saved.delivery;
    this.#deliveries = deliveries(saved);
  }

  #send(blocks: readonly OutBlock[]): void {
    this.#busy = true;
    this.#owed = false;
    const epoch = { number: this.#delivered, blocks, offsets: this.#offsets };
    const began = performance.now();
    this.#sending = this.#delivery.commit(epoch).then(() => {
      failpoint('delivery.after');
      this.#meters?.delivered(performance.now() - began);
      for (const b of blocks) recycle(b.data);
      this.#sentAt = performance.now();
      this.#schedule(REFRESH_EVERY);
    }, error => {
      this.#failed = true;
      throw error;
    }).finally(() => { this.#busy = false; });
    // whoever commits or drains next sees it
    this.#sending.catch(() => undefined);
  }

  /** Positions alone, unless a delivery takes them along first. */
  #schedule(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#failed) return;
      if (this.#busy) this.#schedule(OFFSETS_EVERY);
      else if (this.#offsets.size > 0) this.#send([]);
    }, ms).unref();
  }
}
