import { PipeError } from '../../errors.ts';
import { type Abilities, type Attempt, connect, type Dial, type Link, type Request, speaks, Unreachable } from './client.ts';
import { check, ConnectionLost, errors, KafkaError } from './kafka-error.ts';
import { coordinatorRequest, metadataRequest, type ClusterMetadata, type TopicMetadata } from './protocol-cluster.ts';
import type { ClientSettings } from './settings.ts';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Requests that must not wait for those of others have a lane: connections of their own, one a broker, each opened once. */
export class Lane {
  readonly #settings: ClientSettings;
  readonly #dial: Dial;
  readonly #addressOf: (node: number) => Address;
  readonly #connections = new Map<string, Promise<Link>>();
  #closed = false;

  constructor(settings: ClientSettings, dial: Dial, addressOf: (node: number) => Address) {
    this.#settings = settings;
    this.#dial = dial;
    this.#addressOf = addressOf;
  }

  async send<T>(node: number, request: Request<T>): Promise<T> {
    return (await this.connection(this.#addressOf(node))).send(request);
  }

  /** Level of a feature that the cluster has agreed on, as the broker `node` knows it; 0 without. */
  async feature(node: number, name: string): Promise<number> {
    return (await this.connection(this.#addressOf(node))).able.features.get(name) ?? 0;
  }

  /** False where the broker `node` is too old for a request. */
  async speaks(node: number, request: Request<unknown>): Promise<boolean> {
    return speaks((await this.connection(this.#addressOf(node))).able, request);
  }

  async connection({ host, port }: Address): Promise<Link> {
    if (this.#closed) throw new ConnectionLost('closed');
    const key = `${host}:${port}`;
    const known = await this.#connections.get(key)?.catch(() => undefined);
    if (known?.connected === true) return known;
    // whoever came first opens it; the others find that promise
    const pending = this.#pending.get(key) ?? this.#open(key, host, port);
    return pending;
  }

  readonly #pending = new Map<string, Promise<Link>>();

  #open(key: string, host: string, port: number): Promise<Link> {
    const opening = this.#dial(host, port, this.#settings).then(c => {
      if (!this.#closed) return c;
      c.close();
      throw new ConnectionLost('closed');
    }).finally(() => this.#pending.delete(key));
    this.#pending.set(key, opening);
    this.#connections.set(key, opening);
    return opening;
  }

  close(): void {
    this.#closed = true;
    for (const c of this.#connections.values()) void c.then(connection => connection.close(), () => undefined);
    this.#connections.clear();
  }
}

/** API key, version and name of what the data path cannot do without. */
const needed: readonly (readonly [key: number, version: number, name: string])[] = [
  [0, 7, 'Produce'], [1, 13, 'Fetch'], [2, 2, 'ListOffsets'], [3, 12, 'Metadata'], [8, 5, 'OffsetCommit'], [9, 7, 'OffsetFetch'], [10, 2, 'FindCoordinator'],
  [19, 4, 'CreateTopics'], [22, 1, 'InitProducerId'], [24, 1, 'AddPartitionsToTxn'], [25, 1, 'AddOffsetsToTxn'], [26, 1, 'EndTxn'], [28, 1, 'TxnOffsetCommit'],
];

/** Brokers, leaders and coordinators as far as they are known; asks again when told that something moved. */
export class Cluster {
  readonly seeds: readonly Address[];
  readonly #settings: ClientSettings;
  readonly #dial: Dial;
  readonly #nodes = new Map<number, Address>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #coordinators = new Map<string, Promise<number>>();
  readonly #lanes = new Set<Lane>();
  readonly #control: Lane;
  #closed = false;
  #clusterId = '';
  #controller = -1;

  constructor(brokers: readonly string[], settings: ClientSettings, dial: Dial = connect) {
    this.seeds = brokers.map(parseAddress);
    this.#settings = settings;
    this.#dial = dial;
    this.#control = this.lane();
  }

  get id(): string { return this.#clusterId; }
  get nodes(): readonly number[] { return [...this.#nodes.keys()]; }

  lane(): Lane {
    const lane = new Lane(this.#settings, this.#dial, node => {
      const address = this.#nodes.get(node);
      if (address === undefined) throw new KafkaError(errors.LEADER_NOT_AVAILABLE, `broker ${node}`);
      return address;
    });
    this.#lanes.add(lane);
    return lane;
  }

  endLane(lane: Lane): void {
    this.#lanes.delete(lane);
    lane.close();
  }

  /** First contact, one try. Throws Unreachable with all addresses, system.source.auth, system.source.client_version. */
  async bootstrap(): Promise<void> {
    await this.metadata([]);
    const [node] = this.#nodes.has(this.#controller) ? [this.#controller] : this.nodes;
    if (node === undefined) throw new ConnectionLost('the cluster names no broker');
    const { address, lacks: [first] } = await this.abilities(node);
    if (first !== undefined) throw new PipeError('system.source.client_version', `the broker at ${address} does not speak ${first}`, { hint: 'pipe works with Kafka 4, and 3.1 or newer' });
  }

  /** What a broker says of itself, and which requests of the data path it does not speak: 'Fetch version 13'. */
  async abilities(node: number): Promise<Abilities & { readonly address: string; readonly lacks: readonly string[] }> {
    const address = this.#nodes.get(node);
    if (address === undefined) throw new KafkaError(errors.LEADER_NOT_AVAILABLE, `broker ${node}`);
    const { able } = await this.#control.connection(address);
    return { ...able, address: name(address), lacks: needed.filter(([key, version]) => !speaks(able, { key, version })).map(([, version, what]) => `${what} version ${version}`) };
  }

  /** Fresh; topics that do not exist come back with an error code. null: all topics. */
  async metadata(topics: readonly string[] | null, operations = false): Promise<ClusterMetadata> {
    const answer = await this.any(metadataRequest(topics, operations));
    this.#nodes.clear();
    for (const b of answer.brokers) this.#nodes.set(b.id, b);
    this.#clusterId = answer.clusterId;
    this.#controller = answer.controller;
    for (const t of answer.topics) this.#topics.set(t.name, t);
    return answer;
  }

  /** As last seen, or fresh when never seen; null when there is none. */
  async topic(name: string, fresh = false): Promise<TopicMetadata | null> {
    const known = this.#topics.get(name);
    if (!fresh && known !== undefined && known.error === 0) return known;
    const { topics: [found] } = await this.metadata([name]);
    if (found === undefined || found.error === errors.UNKNOWN_TOPIC_OR_PARTITION || found.error === errors.INVALID_TOPIC) return null;
    check(found.error, `topic "${name}"`);
    return found;
  }

  /** Leader of a partition by what is known. Throws a passing KafkaError where there is none. */
  async leader(topic: string, partition: number): Promise<number> {
    const found = (await this.topic(topic))?.partitions.find(p => p.partition === partition);
    if (found === undefined) throw new KafkaError(errors.UNKNOWN_TOPIC_OR_PARTITION, `${topic}/${partition}`);
    if (found.leader < 0) throw new KafkaError(errors.LEADER_NOT_AVAILABLE, `${topic}/${partition}`);
    return found.leader;
  }

  /** Partitions of a topic by their leader. */
  async byLeader<T extends { readonly topic: string; readonly partition: number }>(items: readonly T[]): Promise<Map<number, T[]>> {
    const leaders = new Map<number, T[]>();
    for (const item of items) {
      const node = await this.leader(item.topic, item.partition);
      const list = leaders.get(node);
      if (list === undefined) leaders.set(node, [item]);
      else list.push(item);
    }
    return leaders;
  }

  async coordinator(kind: 'group' | 'transaction', key: string): Promise<number> {
    const name = `${kind} ${key}`;
    const known = this.#coordinators.get(name) ?? this.any(coordinatorRequest(key, kind)).then(async ({ error, node }) => {
      check(error, `coordinator of ${name}`);
      if (!this.#nodes.has(node)) await this.metadata([]);
      return node;
    });
    this.#coordinators.set(name, known);
    known.catch(() => this.#coordinators.delete(name));
    return known;
  }

  /** After an error that says that something moved: leaders and coordinators are looked up again. */
  forget(): void {
    this.#topics.clear();
    this.#coordinators.clear();
  }

  async controller<T>(request: Request<T>): Promise<T> {
    if (!this.#nodes.has(this.#controller)) await this.metadata([]);
    return this.#control.send(this.#controller, request);
  }

  node<T>(node: number, request: Request<T>): Promise<T> { return this.#control.send(node, request); }

  /** Asks whoever answers first: known brokers, then the given ones. */
  async any<T>(request: Request<T>): Promise<T> {
    const attempts: Attempt[] = [];
    let last: unknown = null;
    for (const address of this.#candidates()) {
      try {
        return await (await this.#control.connection(address)).send(request);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        last = error;
        if (error instanceof Unreachable) attempts.push(...error.attempts);
        else attempts.push({ address: `${address.host}:${address.port}`, reason: 'closed by the broker (does this listener want TLS or SASL?)' });
      }
    }
    throw new Unreachable(this.seeds.map(name).join(','), attempts, last);
  }

  get closed(): boolean { return this.#closed; }

  close(): void {
    this.#closed = true;
    for (const lane of this.#lanes) lane.close();
    this.#lanes.clear();
  }

  #candidates(): Address[] {
    const all = [...this.#nodes.values(), ...this.seeds];
    return all.filter((a, i) => all.findIndex(b => b.host === a.host && b.port === a.port) === i);
  }
}

export const name = (a: Address): string => (a.host.includes(':') ? `[${a.host}]:${a.port}` : `${a.host}:${a.port}`);

function parseAddress(text: string): Address {
  const m = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  if (m === null) throw new PipeError('user.config.bad_value', `"${text}" is no broker address; write host:port`);
  return { host: (m[1] ?? m[2]) as string, port: Number(m[3] ?? 9092) };
}
