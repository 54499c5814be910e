import type { Link } from '../../src/connectors/kafka/client.ts';
import { errors } from '../../src/connectors/kafka/kafka-error.ts';
import { WireReader, WireWriter } from '../../src/connectors/kafka/wire.ts';
import type { Broker, TopicOffsets } from './broker.ts';
import { split } from './broker.ts';
import type { PartitionLog } from './broker-log.ts';
import type { World } from './world.ts';

const versions: ReadonlyMap<number, readonly [number, number]> = new Map([0, 1, 2, 3, 8, 9, 10, 19, 22, 24, 25, 26, 28, 35, 65].map(key => [key, [0, 17]]));

/** What the brokers say of themselves; `second`: transactions follow KIP-890. */
export const abilities = (second: boolean): Link['able'] => ({ versions, features: new Map(second ? [['transaction.version', 2]] : []) });

export const API = { produce: 0, fetch: 1, listOffsets: 2, metadata: 3, offsetCommit: 8, offsetFetch: 9, findCoordinator: 10, initProducer: 22, addPartitions: 24, addOffsets: 25, endTxn: 26, txnOffsets: 28, logDirs: 35, describeTransactions: 65 } as const;
const CONTROL: ReadonlySet<number> = new Set([API.offsetCommit, API.offsetFetch, API.initProducer, API.addPartitions, API.addOffsets, API.endTxn, API.txnOffsets, API.describeTransactions]);

/** What a cluster of brokers looks like from outside. */
export interface Nodes {
  readonly ids: readonly number[];
  up(node: number): boolean;
  leader(topic: string, partition: number): number;
  coordinator(): number;
  /** The coordinator has not read its partitions yet. */
  loading(): boolean;
}

/** From these versions on a transaction is one of the second protocol (KIP-890). */
const SECOND: Readonly<Record<number, number>> = { [API.produce]: 12, [API.txnOffsets]: 5, [API.endTxn]: 5 };

/** Answers requests as they lie on the wire, in the versions that the client sends. */
export class BrokerWire {
  readonly #broker: Broker;
  readonly #nodes: Nodes;
  readonly #world: World;

  constructor(broker: Broker, nodes: Nodes, world: World) {
    this.#broker = broker;
    this.#nodes = nodes;
    this.#world = world;
  }

  handle(node: number, key: number, version: number, body: Buffer, reply: (answer: Buffer) => void): void {
    const r = new WireReader(body);
    if (key === API.fetch) { this.#fetch(node, r, reply); return; }
    const w = new WireWriter(256);
    const refused = !CONTROL.has(key) ? 0 : this.#nodes.coordinator() !== node ? errors.NOT_COORDINATOR : this.#nodes.loading() ? errors.COORDINATOR_LOAD_IN_PROGRESS : 0;
    if (version >= (SECOND[key] ?? Infinity)) this.#answerSecond(node, key, r, w, refused);
    else this.#answer(node, key, r, w, refused);
    reply(Buffer.from(w.finish()));
  }

  #answer(node: number, key: number, r: WireReader, w: WireWriter, refused: number): void {
    switch (key) {
      case API.metadata: this.#metadata(r, w); return;
      case API.findCoordinator: {
        const to = this.#nodes.coordinator();
        w.int32(0).int16(to < 0 ? errors.COORDINATOR_NOT_AVAILABLE : 0).string(null).int32(to).string('sim').int32(to);
        return;
      }
      case API.listOffsets: this.#listOffsets(node, r, w); return;
      case API.logDirs: w.int32(0).array([], () => undefined); return;
      case API.produce: this.#produce(node, r, w); return;
      case API.initProducer: {
        const id = r.nullableString();
        const { error, producer, epoch } = refused !== 0 && id !== null ? { error: refused, producer: -1n, epoch: -1 } : this.#broker.initProducer(id, r.int32());
        w.int32(0).int16(error).int64(producer).int16(epoch);
        return;
      }
      case API.addPartitions: this.#addPartitions(r, w, refused); return;
      case API.addOffsets: {
        const [id, producer, epoch] = [r.string(), r.int64(), r.int16()];
        w.int32(0).int16(refused !== 0 ? refused : this.#broker.addOffsets(id, producer, epoch));
        return;
      }
      case API.endTxn: {
        const [id, producer, epoch, commit] = [r.string(), r.int64(), r.int16(), r.bool()];
        w.int32(0).int16(refused !== 0 ? refused : this.#broker.endTransaction(id, producer, epoch, commit, false).error);
        return;
      }
      case API.txnOffsets: {
        const [id, group, producer, epoch] = [r.string(), r.string(), r.int64(), r.int16()];
        const offsets = readOffsets(r);
        writeErrors(w, offsets, refused !== 0 ? refused : this.#broker.txnOffsets(id, group, producer, epoch, offsets, false));
        return;
      }
      case API.offsetCommit: {
        const group = r.string();
        r.int32();
        r.string();
        const offsets = readOffsets(r);
        if (refused === 0) this.#broker.commitOffsets(group, offsets);
        writeErrors(w, offsets, refused);
        return;
      }
      case API.offsetFetch: this.#offsetFetch(r, w, refused); return;
      case API.describeTransactions: {
        r.tags();
        const ids = r.compactArray(() => r.compactString());
        w.tags().int32(0).compactArray(ids, id => w.int16(refused).compactString(id).compactString(refused !== 0 ? '' : this.#broker.stateOf(id)).int32(0).int64(0).int64(0).int16(0).compactArray([], () => undefined).tags()).tags();
        return;
      }
      default: throw new Error(`no broker of the simulation speaks API ${key}`);
    }
  }

  /** Flexible versions: the tags of their header stand before them. */
  #answerSecond(node: number, key: number, r: WireReader, w: WireWriter, refused: number): void {
    r.tags();
    w.tags();
    if (key === API.endTxn) {
      const [id, producer, epoch, commit] = [r.compactString(), r.int64(), r.int16(), r.bool()];
      const end = refused !== 0 ? { error: refused, epoch: -1 } : this.#broker.endTransaction(id, producer, epoch, commit, true);
      w.int32(0).int16(end.error).int64(end.error === 0 ? producer : -1n).int16(end.epoch).tags();
      return;
    }
    if (key === API.txnOffsets) {
      const [id, group, producer, epoch] = [r.compactString(), r.compactString(), r.int64(), r.int16()];
      r.int32();
      r.compactString();
      r.nullableCompactString();
      const topics = r.compactArray(() => {
        const topic = r.compactString();
        const list = r.compactArray(() => {
          const o = { topic, partition: r.int32(), offset: r.long(), leader: r.int32(), metadata: r.compactString() };
          r.tags();
          return o;
        });
        r.tags();
        return { topic, list };
      });
      const error = refused !== 0 ? refused : this.#broker.txnOffsets(id, group, producer, epoch, topics.flatMap(t => t.list), true);
      w.int32(0).compactArray(topics, t => w.compactString(t.topic).compactArray(t.list, o => w.int32(o.partition).int16(error).tags()).tags()).tags();
      return;
    }
    const id = r.nullableCompactString();
    r.int16();
    r.int32();
    const topics = r.compactArray(() => {
      const topic = r.compactString();
      const partitions = r.compactArray(() => {
        const p = { partition: r.int32(), batch: r.compactBytes() as Buffer };
        r.tags();
        return p;
      });
      r.tags();
      return { topic, partitions };
    });
    w.compactArray(topics, ({ topic, partitions }) => w.compactString(topic).compactArray(partitions, ({ partition, batch }) => {
      const { error } = this.#led(node, topic, partition);
      w.int32(partition).int16(error !== 0 ? error : this.#broker.produce(id, topic, partition, batch, true)).int64(0).int64(-1).int64(0).compactArray([], () => undefined).compactString(null).tags();
    }).tags()).int32(0).tags();
  }

  #metadata(r: WireReader, w: WireWriter): void {
    r.tags();
    const names = r.compactArray(() => { r.uuid(); const name = r.compactString(); r.tags(); return name; });
    const wanted = names.length > 0 ? names : [];
    const up = this.#nodes.ids.filter(id => this.#nodes.up(id));
    w.tags().int32(0).compactArray(up, id => w.int32(id).compactString('sim').int32(id).compactString(null).tags());
    w.compactString('sim-cluster').int32(up[0] ?? -1).compactArray(wanted, name => {
      const topic = this.#broker.topics.get(name);
      w.int16(topic === undefined ? errors.UNKNOWN_TOPIC_OR_PARTITION : 0).compactString(name).uuid(topic?.id ?? '0'.repeat(32)).bool(false);
      w.compactArray(topic?.partitions ?? [], p => {
        const partition = (topic?.partitions ?? []).indexOf(p);
        const leader = this.#nodes.leader(name, partition);
        w.int16(leader < 0 ? errors.LEADER_NOT_AVAILABLE : 0).int32(partition).int32(leader).int32(0).compactArray([], () => undefined).compactArray([], () => undefined).compactArray([], () => undefined).tags();
      });
      w.int32(0).tags();
    });
    w.tags();
  }

  #listOffsets(node: number, r: WireReader, w: WireWriter): void {
    r.int32();
    const committed = r.int8() === 1;
    const topics = r.array(() => ({ topic: r.string(), partitions: r.array(() => ({ partition: r.int32(), at: r.long() })) }));
    w.int32(0).array(topics, ({ topic, partitions }) => w.string(topic).array(partitions, ({ partition, at }) => {
      const { log, error } = this.#led(node, topic, partition);
      const offset = log === undefined || at >= 0 ? -1 : at === -2 ? 0 : committed ? log.stable : log.end;
      w.int32(partition).int16(error).int64(-1).int64(offset);
    }));
  }

  #led(node: number, topic: string, partition: number): { readonly log: PartitionLog | undefined; readonly error: number } {
    const log = this.#broker.partition(topic, partition);
    if (log === undefined) return { log, error: errors.UNKNOWN_TOPIC_OR_PARTITION };
    return { log, error: this.#nodes.leader(topic, partition) === node ? 0 : errors.NOT_LEADER_OR_FOLLOWER };
  }

  #produce(node: number, r: WireReader, w: WireWriter): void {
    const id = r.nullableString();
    r.int16();
    r.int32();
    const topics = r.array(() => ({ topic: r.string(), partitions: r.array(() => ({ partition: r.int32(), batch: r.bytes() as Buffer })) }));
    w.array(topics, ({ topic, partitions }) => w.string(topic).array(partitions, ({ partition, batch }) => {
      const { error } = this.#led(node, topic, partition);
      w.int32(partition).int16(error !== 0 ? error : this.#broker.produce(id, topic, partition, batch, false)).int64(0).int64(-1).int64(0);
    }));
    w.int32(0);
  }

  #addPartitions(r: WireReader, w: WireWriter, refused: number): void {
    const [id, producer, epoch] = [r.string(), r.int64(), r.int16()];
    const topics = r.array(() => ({ topic: r.string(), partitions: r.array(() => r.int32()) }));
    const error = refused !== 0 ? refused : this.#broker.addPartitions(id, producer, epoch, topics.flatMap(t => t.partitions.map(p => `${t.topic}/${p}`)));
    w.int32(0).array(topics, t => w.string(t.topic).array(t.partitions, p => w.int32(p).int16(error)));
  }

  #offsetFetch(r: WireReader, w: WireWriter, refused: number): void {
    r.tags();
    const group = this.#broker.group(r.compactString());
    r.compactArray(() => undefined);
    const stable = r.bool();
    const unstable = stable && group.pending.size > 0;
    const topics = new Map<string, string[]>();
    const places = new Set([...group.offsets.keys(), ...[...group.pending.values()].flat().map(o => `${o.topic}/${o.partition}`)]);
    for (const place of refused !== 0 ? [] : places) topics.set(split(place)[0], [...(topics.get(split(place)[0]) ?? []), place]);
    w.tags().int32(0).compactArray([...topics], ([topic, list]) => w.compactString(topic).compactArray(list, place => {
      const found = unstable ? undefined : group.offsets.get(place);
      w.int32(split(place)[1]).int64(found?.offset ?? -1).int32(-1).compactString(found?.metadata ?? '').int16(unstable ? errors.UNSTABLE_OFFSET_COMMIT : 0).tags();
    }).tags());
    w.int16(refused).tags();
  }

  /** Waits for records as long as the client lets it. */
  #fetch(node: number, r: WireReader, reply: (answer: Buffer) => void): void {
    r.tags();
    r.int32();
    const maxWait = r.int32();
    r.int32(); r.int32(); r.int8(); r.int32(); r.int32();
    const topics = r.compactArray(() => {
      const id = r.uuid();
      const partitions = r.compactArray(() => {
        const partition = r.int32();
        r.int32();
        const offset = r.long();
        r.int32(); r.int64(); r.int32(); r.tags();
        return { partition, offset };
      });
      r.tags();
      return { id, partitions };
    });
    // one batch a partition at times, as small fetches of a busy broker give them
    const most = this.#world.chance(0.5) ? 1 + this.#world.pick(3) : Infinity;
    const answer = (): Buffer | null => {
      let any = false;
      const w = new WireWriter(1024);
      w.tags().int32(0).int16(0).int32(0).compactArray(topics, ({ id, partitions }) => w.uuid(id).compactArray(partitions, ({ partition, offset }) => {
        const topic = this.#broker.topicOf(id);
        const { log, error } = topic === undefined ? { log: undefined, error: errors.UNKNOWN_TOPIC_ID } : this.#led(node, topic.name, partition);
        const beyond = error === 0 && log !== undefined && offset > log.end ? errors.OFFSET_OUT_OF_RANGE : error;
        if (beyond !== 0 || log === undefined) {
          any = true;
          w.int32(partition).int16(beyond).int64(-1).int64(-1).int64(-1).compactArray([], () => undefined).int32(-1).uvarint(1).tags();
          return;
        }
        const { stable } = log;
        const batches = log.batches.filter(b => b.base + b.count > offset && b.base < stable).slice(0, most);
        if (batches.length > 0) any = true;
        const aborted = log.aborted.filter(a => a.last >= offset && a.first < stable);
        const bytes = Buffer.concat(batches.map(b => b.bytes));
        w.int32(partition).int16(0).int64(log.end).int64(stable).int64(0).compactArray(aborted, a => w.int64(a.producer).int64(a.first).tags()).int32(-1).uvarint(bytes.length + 1).raw(bytes).tags();
      }).tags());
      w.tags();
      return any ? w.finish() : null;
    };
    const now = answer();
    if (now !== null) { reply(now); return; }
    const give = (): void => {
      const found = answer();
      if (found === null && !late) return;
      this.#broker.waiting.delete(give);
      timer.off = true;
      reply(found ?? empty());
    };
    let late = false;
    const empty = (): Buffer => {
      const w = new WireWriter(256);
      w.tags().int32(0).int16(0).int32(0).compactArray(topics, ({ id, partitions }) => w.uuid(id).compactArray(partitions, ({ partition }) => {
        const log = this.#broker.partition(this.#broker.topicOf(id)?.name ?? '', partition) as PartitionLog;
        w.int32(partition).int16(0).int64(log.end).int64(log.stable).int64(0).compactArray([], () => undefined).int32(-1).uvarint(1).tags();
      }).tags()).tags();
      return w.finish();
    };
    const timer = this.#world.after(maxWait, null, () => { late = true; give(); });
    this.#broker.waiting.add(give);
  }
}

function readOffsets(r: WireReader): TopicOffsets {
  return r.array(() => {
    const topic = r.string();
    return r.array(() => ({ topic, partition: r.int32(), offset: r.long(), metadata: r.string() }));
  }).flat();
}

function writeErrors(w: WireWriter, offsets: TopicOffsets, error: number): void {
  const topics = [...new Set(offsets.map(o => o.topic))];
  w.int32(0).array(topics, topic => w.string(topic).array(offsets.filter(o => o.topic === topic), o => w.int32(o.partition).int16(error)));
}
