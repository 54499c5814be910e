import type { Delivery } from '../connectors/connector.ts';
import { PipeError } from '../errors.ts';
import { failpoint } from '../failpoint.ts';
import type { OutBlock, Position, Saved, StateStore } from '../state/store.ts';
import { openBlock } from './block.ts';
import type { Accounting, Checkpointer, EpochInput, Outbox, PartOptions } from './ports.ts';

/** Positions alone, of epochs without output, go out at most this often (ms). */
const OFFSETS_EVERY = 5000;
/** The marker on Kafka expires after 7 days without a commit. */
const REFRESH_EVERY = 24 * 3_600_000;

type Offsets = ReadonlyMap<string, ReadonlyMap<number, number>>;

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
  #epoch: number;
  /** The last epoch with output. */
  #delivered: number;
  /** How many epochs had output since the state began. */
  #deliveries: number;
  #sending: Promise<void> = Promise.resolve();
  #busy = false;
  #failed = false;
  #offsets: Offsets = new Map();
  /** Positions have moved since they were last sent. */
  #owed = false;
  #timer: NodeJS.Timeout | null = null;
  #sentAt = -Infinity;

  constructor({ spec, store, resume }: PartOptions, accounting: Accounting, outbox: Outbox, delivery: Delivery) {
    this.#pipeline = spec.name;
    this.#store = store;
    this.#resume = resume;
    this.#accounting = accounting;
    this.#outbox = outbox;
    this.#delivery = delivery;
    const saved = store.saved();
    this.#epoch = saved.epoch;
    this.#delivered = saved.delivery;
    this.#deliveries = saved.counters.get('deliveries') ?? 0;
  }

  async recover(): Promise<Saved> {
    const saved = this.#store.saved();
    failpoint('recover.before');
    const last = await this.#delivery.recover(saved.delivery);
    const blocks = this.#store.outbox();
    // those of this process are sent as they are; what was on disk is looked at first
    for (const b of blocks) checkBlock(b);
    this.#offsets = byTopic(saved.positions);
    const resend = this.#isOwed(blocks, last);
    if (resend) failpoint('recover.resend.before');
    // the marker gets our owner id right away, with the epoch that the log missed or alone
    if (resend || saved.positions.length > 0) await this.#delivery.commit({ number: saved.delivery, blocks: resend ? blocks : [], offsets: this.#offsets });
    if (resend) failpoint('recover.resend.after');
    this.#store.clearOutbox();
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
    failpoint('commit.before');
    this.#store.commit({
      epoch: this.#epoch, delivery: this.#delivered, positions: e.positions, watermarks: e.watermarks, counters, deadLetters: this.#accounting.takeDeadLetters(), out,
    }, e.write);
    failpoint('commit.after');
    this.#store.checkpoint();
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

  #send(blocks: readonly OutBlock[]): void {
    this.#busy = true;
    this.#owed = false;
    const epoch = { number: this.#delivered, blocks, offsets: this.#offsets };
    this.#sending = this.#delivery.commit(epoch).then(() => {
      failpoint('delivery.after');
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

  /** Whether the log lacks the epoch that lies in the outbox. */
  #isOwed(blocks: readonly OutBlock[], last: number | null): boolean {
    if (blocks.length === 0) return false;
    if (last !== null) return last < this.#delivered;
    // no marker: nothing was ever delivered, or the marker has expired
    if (this.#deliveries <= 1) return true;
    if (this.#resume !== null) return this.#resume === 'resend';
    throw new PipeError('system.sink.unknown_outcome', `pipeline "${this.#pipeline}" was stopped while epoch ${this.#delivered} was on its way, and the log no longer knows whether it arrived`, {
      hint: '--resume resend sends it (once more, perhaps), --resume skip takes it as delivered',
    });
  }
}

/** Throws system.state.corrupt when the bytes are not those that were saved. */
function checkBlock({ data, topic, partition }: OutBlock): void {
  try {
    openBlock(data, topic, partition, 0, null);
  } catch (cause) {
    throw new PipeError('system.state.corrupt', `the state file is damaged: output for ${topic}/${partition} that was not delivered yet has changed in it`, { cause, hint: 'restore a copy of it, or start again with --reset-state' });
  }
}

function byTopic(positions: Iterable<Position>): Offsets {
  const topics = new Map<string, Map<number, number>>();
  for (const p of positions) {
    const partitions = topics.get(p.topic) ?? new Map<number, number>();
    // two sources may read one topic: the log gets the lower position
    partitions.set(p.partition, Math.min(p.next, partitions.get(p.partition) ?? Infinity));
    topics.set(p.topic, partitions);
  }
  return topics;
}
