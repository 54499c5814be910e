import { errors } from '../../src/connectors/kafka/kafka-error.ts';
import { PartitionLog, recordsOf, type StoredBatch, type StoredRecord } from './broker-log.ts';
import type { World } from './world.ts';

export interface BrokerTopic {
  readonly name: string;
  /** 32 hex digits. */
  readonly id: string;
  readonly partitions: PartitionLog[];
}

/** The producer of one transactional id, as the transaction coordinator of Kafka 4.1 keeps it. */
interface Transaction {
  producer: bigint;
  epoch: number;
  state: 'empty' | 'ongoing' | 'prepare-commit' | 'prepare-abort' | 'committed' | 'aborted';
  /** topic/partition. */
  readonly partitions: Set<string>;
  offsets: boolean;
  /** Counts transactions, to know one that has timed out. */
  number: number;
}

const stateNames: Readonly<Record<Transaction['state'], string>> = {
  'empty': 'Empty', 'ongoing': 'Ongoing', 'prepare-commit': 'PrepareCommit', 'prepare-abort': 'PrepareAbort', 'committed': 'CompleteCommit', 'aborted': 'CompleteAbort',
};

interface GroupOffset {
  readonly offset: number;
  readonly metadata: string;
}

export type TopicOffsets = readonly { readonly topic: string; readonly partition: number; readonly offset: number; readonly metadata: string }[];

/** A consumer group without members: committed offsets, those of open transactions, and the epochs of producers. */
interface Group {
  readonly offsets: Map<string, GroupOffset>;
  readonly pending: Map<bigint, TopicOffsets>;
  readonly epochs: Map<bigint, number>;
}

export interface Watch {
  /** Records have become visible to read_committed readers. */
  visible(topic: string, partition: number, records: readonly StoredRecord[]): void;
  /** Offsets of a group were committed. */
  committed(group: string, offsets: TopicOffsets): void;
}

/** Brokers as one state machine: partitions, the transaction coordinator and the group coordinator. */
export class Broker {
  readonly topics = new Map<string, BrokerTopic>();
  readonly groups = new Map<string, Group>();
  readonly #transactions = new Map<string, Transaction>();
  readonly #world: World;
  readonly #watch: Watch;
  /** Woken when a partition changes. */
  readonly waiting = new Set<() => void>();
  /** What of a transaction's end is slow: ms. */
  markerDelay: () => number = () => 1;
  #producers = 1000n;

  constructor(world: World, watch: Watch) {
    this.#world = world;
    this.#watch = watch;
  }

  create(name: string, partitions: number): BrokerTopic {
    const topic = { name, id: Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32), partitions: Array.from({ length: partitions }, () => new PartitionLog()) };
    this.topics.set(name, topic);
    return topic;
  }

  partition(topic: string, partition: number): PartitionLog | undefined { return this.topics.get(topic)?.partitions[partition]; }

  topicOf(id: string): BrokerTopic | undefined { return [...this.topics.values()].find(t => t.id === id); }

  /** One batch; of a transaction it must be of the open one, which it joins in the second protocol (KIP-890). */
  produce(transactionalId: string | null, topic: string, partition: number, batch: Buffer, second: boolean): number {
    const log = this.partition(topic, partition);
    if (log === undefined) return errors.UNKNOWN_TOPIC_OR_PARTITION;
    const transactional = (batch.readInt16BE(21) & 16) !== 0;
    const producer = batch.readBigInt64BE(43);
    if (transactional) {
      const epoch = batch.readInt16BE(51);
      if (epoch < log.epochOf(producer)) return errors.INVALID_PRODUCER_EPOCH;
      const t = this.#transactions.get(transactionalId ?? '');
      const refused = t === undefined || t.producer !== producer ? errors.INVALID_PRODUCER_ID_MAPPING : this.#refused(t, producer, epoch);
      if (refused !== 0) return refused;
      if (second) {
        const joined = this.addPartitions(transactionalId ?? '', producer, epoch, [`${topic}/${partition}`]);
        if (joined !== 0) return joined;
      }
      if (t?.state !== 'ongoing' || !t.partitions.has(`${topic}/${partition}`)) return errors.INVALID_TXN_STATE;
    }
    const error = log.append(batch);
    if (error === 0) {
      if (!transactional) this.#show(topic, partition, log.batches.slice(-1));
      this.wake();
    }
    return error;
  }

  initProducer(id: string | null, timeoutMs: number): { error: number; producer: bigint; epoch: number } {
    if (id === null) return { error: 0, producer: this.#producers++, epoch: 0 };
    const known = this.#transactions.get(id);
    if (known === undefined) {
      const t: Transaction = { producer: this.#producers++, epoch: 0, state: 'empty', partitions: new Set(), offsets: false, number: 0 };
      this.#transactions.set(id, t);
      this.#timeouts.set(id, timeoutMs);
      return { error: 0, producer: t.producer, epoch: 0 };
    }
    if (known.state === 'ongoing') {
      // fences first, then aborts; the client asks again until that is done
      known.epoch++;
      this.#end(id, known, false);
      return { error: errors.CONCURRENT_TRANSACTIONS, producer: -1n, epoch: -1 };
    }
    if (known.state === 'prepare-commit' || known.state === 'prepare-abort') return { error: errors.CONCURRENT_TRANSACTIONS, producer: -1n, epoch: -1 };
    known.epoch++;
    known.state = 'empty';
    return { error: 0, producer: known.producer, epoch: known.epoch };
  }

  addPartitions(id: string, producer: bigint, epoch: number, partitions: readonly string[]): number {
    return this.#join(id, producer, epoch, t => { for (const p of partitions) t.partitions.add(p); });
  }

  addOffsets(id: string, producer: bigint, epoch: number): number { return this.#join(id, producer, epoch, t => { t.offsets = true; }); }

  txnOffsets(id: string, group: string, producer: bigint, epoch: number, offsets: TopicOffsets, second: boolean): number {
    const g = this.group(group);
    if (epoch < (g.epochs.get(producer) ?? -1)) return errors.INVALID_PRODUCER_EPOCH;
    const t = this.#transactions.get(id);
    const refused = t === undefined ? errors.INVALID_PRODUCER_ID_MAPPING : this.#refused(t, producer, epoch);
    if (refused !== 0) return refused;
    if (second) {
      const joined = this.addOffsets(id, producer, epoch);
      if (joined !== 0) return joined;
    }
    if (t?.state !== 'ongoing' || !t.offsets) return errors.INVALID_TXN_STATE;
    g.epochs.set(producer, epoch);
    const before = (g.pending.get(producer) ?? []).filter(b => !offsets.some(o => o.topic === b.topic && o.partition === b.partition));
    g.pending.set(producer, [...before, ...offsets]);
    return 0;
  }

  /** By no member, outside of transactions. */
  commitOffsets(group: string, offsets: TopicOffsets): void { this.#apply(group, offsets); }

  /** In the second protocol the producer goes on under the next epoch, which the answer has; asked again it is the same answer. */
  endTransaction(id: string, producer: bigint, epoch: number, commit: boolean, second: boolean): { readonly error: number; readonly epoch: number } {
    const no = (error: number): { readonly error: number; readonly epoch: number } => ({ error, epoch: -1 });
    const t = this.#transactions.get(id);
    if (t === undefined || t.producer !== producer) return no(errors.INVALID_PRODUCER_ID_MAPPING);
    const again = second && epoch === t.epoch - 1 && t.state !== 'ongoing' && t.state !== 'empty';
    if (epoch !== t.epoch && !again) return no(errors.INVALID_PRODUCER_EPOCH);
    if (t.state === 'ongoing') {
      if (second) t.epoch++;
      this.#end(id, t, commit);
      return { error: 0, epoch: t.epoch };
    }
    if (second && !again) return no(errors.INVALID_TXN_STATE);
    if (t.state === 'prepare-commit' || t.state === 'prepare-abort') return no((t.state === 'prepare-commit') === commit ? errors.CONCURRENT_TRANSACTIONS : errors.INVALID_TXN_STATE);
    return (t.state === 'committed' && commit) || (t.state === 'aborted' && !commit) ? { error: 0, epoch: t.epoch } : no(errors.INVALID_TXN_STATE);
  }

  /** State of the transaction of an id, as DescribeTransactions says it. */
  stateOf(id: string): string { return stateNames[this.#transactions.get(id)?.state ?? 'empty']; }

  group(name: string): Group {
    let g = this.groups.get(name);
    if (g === undefined) this.groups.set(name, (g = { offsets: new Map(), pending: new Map(), epochs: new Map() }));
    return g;
  }

  wake(): void { for (const w of [...this.waiting]) w(); }

  /** A transaction of the world's own producers, which write the inputs. */
  mark(topic: string, partition: number, producer: bigint, commit: boolean): void {
    this.partition(topic, partition)?.mark(producer, 0, commit);
    this.wake();
  }

  readonly #timeouts = new Map<string, number>();

  #refused(t: Transaction, producer: bigint, epoch: number): number {
    if (t.producer !== producer) return errors.INVALID_PRODUCER_ID_MAPPING;
    return t.epoch === epoch ? 0 : errors.INVALID_PRODUCER_EPOCH;
  }

  #join(id: string, producer: bigint, epoch: number, add: (t: Transaction) => void): number {
    const t = this.#transactions.get(id);
    if (t === undefined) return errors.INVALID_PRODUCER_ID_MAPPING;
    const refused = this.#refused(t, producer, epoch);
    if (refused !== 0) return refused;
    if (t.state === 'prepare-commit' || t.state === 'prepare-abort') return errors.CONCURRENT_TRANSACTIONS;
    if (t.state !== 'ongoing') {
      t.state = 'ongoing';
      t.partitions.clear();
      t.offsets = false;
      const number = ++t.number;
      this.#world.after(this.#timeouts.get(id) ?? 60_000, null, () => {
        if (t.number !== number || t.state !== 'ongoing') return;
        t.epoch++;
        this.#end(id, t, false);
      });
    }
    add(t);
    return 0;
  }

  /** The decision is durable at once; what it decides on hears of it one after the other. */
  #end(id: string, t: Transaction, commit: boolean): void {
    t.state = commit ? 'prepare-commit' : 'prepare-abort';
    const { producer, epoch } = t;
    let left = t.partitions.size + (t.offsets ? 1 : 0);
    const done = (): void => { if (--left <= 0) t.state = commit ? 'committed' : 'aborted'; };
    if (left === 0) done();
    for (const place of t.partitions) {
      this.#world.after(this.markerDelay(), null, () => {
        const [topic, partition] = split(place);
        const decided = this.partition(topic, partition)?.mark(producer, epoch, commit) ?? [];
        if (commit) this.#show(topic, partition, decided);
        this.wake();
        done();
      });
    }
    if (!t.offsets) return;
    this.#world.after(this.markerDelay(), null, () => {
      const group = this.group(id);
      const pending = group.pending.get(producer);
      group.pending.delete(producer);
      group.epochs.set(producer, epoch);
      if (commit && pending !== undefined) this.#apply(id, pending);
      done();
    });
  }

  #apply(group: string, offsets: TopicOffsets): void {
    const g = this.group(group);
    for (const { topic, partition, offset, metadata } of offsets) g.offsets.set(`${topic}/${partition}`, { offset, metadata });
    this.#watch.committed(group, offsets);
  }

  #show(topic: string, partition: number, batches: readonly StoredBatch[]): void {
    if (batches.length > 0) this.#watch.visible(topic, partition, batches.flatMap(recordsOf));
  }
}

export function split(place: string): [topic: string, partition: number] {
  const at = place.lastIndexOf('/');
  return [place.slice(0, at), Number(place.slice(at + 1))];
}
