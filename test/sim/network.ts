import { type Dial, type Link, readResponse, type Request, Unreachable } from '../../src/connectors/kafka/client.ts';
import { ConnectionLost } from '../../src/connectors/kafka/kafka-error.ts';
import { ResponseMemory } from '../../src/connectors/kafka/response-memory.ts';
import type { Broker } from './broker.ts';
import { abilities, API, BrokerWire, type Nodes } from './broker-wire.ts';
import type { Actor, World } from './world.ts';

/** Requests get no answer after so many ms: what the client's transport waits. */
const REQUEST_MS = 30_000;

/** What decides on an epoch is a small part of all requests. */
const weights: Readonly<Record<number, number>> = { [API.produce]: 4, [API.initProducer]: 3, [API.addPartitions]: 3, [API.addOffsets]: 3, [API.txnOffsets]: 3, [API.offsetFetch]: 2, [API.endTxn]: 6 };

/** Not the end of a transaction: that of one which is given up may go out late. */
const DECIDING: ReadonlySet<number> = new Set([API.offsetFetch, API.initProducer, API.addPartitions, API.addOffsets, API.txnOffsets]);

export type NetFault = 'request lost' | 'reply lost' | 'late request' | 'slow' | 'twice' | 'cut' | 'refused';

/** Brokers 1..n and the connections to them. */
export class Network implements Nodes {
  readonly ids: readonly number[];
  /** Of each request: the probability of a fault. */
  rate = 0;
  /** At most so many. */
  budget = 60;
  readonly faults = new Map<string, number>();
  /** What a process did that none may; null: nothing. */
  broken: string | null = null;
  /** Of a transaction, or before it: the last request of each process. */
  readonly #asked = new Map<Actor, number>();
  readonly #down = new Set<number>();
  readonly #links = new Set<SimLink>();
  #loadingUntil = 0;
  readonly world: World;
  readonly wire: BrokerWire;
  #leaders = 0;
  /** Transactions follow KIP-890. */
  readonly second: boolean;

  constructor(world: World, broker: Broker, nodes: number, second = false) {
    this.world = world;
    this.second = second;
    this.ids = Array.from({ length: nodes }, (_, i) => i + 1);
    this.wire = new BrokerWire(broker, this, world);
  }

  up(node: number): boolean { return !this.#down.has(node); }
  loading(): boolean { return this.world.now < this.#loadingUntil; }
  coordinator(): number { return this.#alive(this.#leaders); }
  leader(topic: string, partition: number): number { return this.#alive(this.#leaders + topic.length + partition); }

  #alive(n: number): number {
    const up = this.ids.filter(id => this.up(id));
    return up.length === 0 ? -1 : up[n % up.length] as number;
  }

  /** Leaders and coordinators move. */
  move(): void {
    this.#leaders++;
    this.#loadingUntil = this.world.now + this.world.between(0, 50);
  }

  /** A broker stops, hard: its connections break. It comes back after `ms`. */
  restart(node: number, ms: number): void {
    this.#down.add(node);
    for (const l of [...this.#links]) if (l.node === node) l.cut(false);
    this.world.after(ms, null, () => {
      this.#down.delete(node);
      this.#loadingUntil = this.world.now + this.world.between(0, 200);
    });
  }

  /** The process is gone: the brokers see its connections end. */
  kill(owner: Actor): void { for (const l of [...this.#links]) if (l.owner === owner) l.cut(this.world.chance(0.5)); }

  /** Draws a fault for something that `owner` does on the network, or null. */
  draw(kinds: readonly NetFault[], weight = 1): NetFault | null {
    if (this.budget <= 0 || !this.world.chance(this.rate * weight)) return null;
    this.budget--;
    return this.note(this.world.one(kinds));
  }

  note<T extends string>(kind: T): T {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
    return kind;
  }

  dialer(owner: Actor): Dial {
    return (host, port) => new Promise((resolve, reject) => {
      const address = `${host}:${port}`;
      const fault = this.draw(['refused', 'slow']);
      this.world.after(this.world.between(0, 1) + (fault === 'slow' ? this.world.between(0, 4000) : 0), owner, () => {
        if (fault === 'refused' || !this.up(port)) { reject(new Unreachable(address, [{ address, reason: 'connection refused' }], null)); return; }
        const link = new SimLink(this, owner, port, address);
        this.#links.add(link);
        resolve(link);
      });
    });
  }

  drop(l: SimLink): void { this.#links.delete(l); }

  /** Others are fenced by a process only that has just looked at whether they have taken over. */
  sent(owner: Actor, key: number): void {
    if (!DECIDING.has(key)) return;
    const before = this.#asked.get(owner);
    if (key === API.initProducer && before !== undefined && before !== API.offsetFetch && before !== API.initProducer) this.broken ??= `${owner.name} fences without a look at the marker`;
    this.#asked.set(owner, key);
  }
}

interface Flight {
  readonly key: number;
  readonly version: number;
  readonly body: Buffer;
  readonly fault: NetFault | null;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: Error) => void;
  done: boolean;
  /** What happens when there is no answer. */
  readonly late: { off: boolean };
}

/** One connection: requests arrive in order, are handled one after the other, and are answered in order. */
export class SimLink implements Link {
  readonly address: string;
  readonly owner: Actor;
  readonly node: number;
  readonly able: Link['able'];
  readonly #net: Network;
  readonly #memory = new ResponseMemory();
  connected = true;
  /** Not answered. */
  readonly #flying = new Set<Flight>();
  readonly #arrived: Flight[] = [];
  #handling = false;
  #lastArrival = 0;
  #lastAnswer = 0;
  /** The broker's end. */
  #ended = false;

  constructor(net: Network, owner: Actor, node: number, address: string) {
    this.#net = net;
    this.owner = owner;
    this.node = node;
    this.address = address;
    this.able = abilities(net.second);
  }

  async send<T>(request: Request<T>): Promise<T> {
    if (!this.connected) throw new ConnectionLost(`${this.address}: closed`);
    const { world } = this.#net;
    this.#net.sent(this.owner, request.key);
    // as a socket does: what is written is copied
    const body = Buffer.isBuffer(request.body) ? Buffer.from(request.body) : Buffer.concat(request.body as readonly Buffer[]);
    const kinds: readonly NetFault[] = ['request lost', 'reply lost', 'late request', 'slow', 'twice', 'cut'];
    const fault = this.#net.draw(kinds, weights[request.key] ?? 1);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      const flight: Flight = { key: request.key, version: request.version, body, fault, resolve, reject, done: false, late: world.after(REQUEST_MS, this.owner, () => { if (!flight.done) this.cut(true); }) };
      this.#flying.add(flight);
      const slow = fault === 'slow' ? world.between(0, world.chance(0.2) ? 70_000 : 3000) : 0;
      if (fault === 'request lost') { world.after(world.between(0, 2), this.owner, () => this.cut(false)); return; }
      if (fault === 'cut') world.after(world.between(0, 20), this.owner, () => this.cut(world.chance(0.5)));
      if (fault === 'late request') {
        // the client sees the connection break; what it had sent is still on its way
        world.after(world.between(0, 2), this.owner, () => this.cut(false));
        world.after(world.chance(0.3) ? world.between(0, 90_000) : world.between(0, 300), null, () => this.#handle(flight));
        return;
      }
      this.#lastArrival = Math.max(this.#lastArrival, world.now + world.between(0.05, 1) + slow);
      world.after(this.#lastArrival - world.now, null, () => { this.#arrived.push(flight); this.#next(); });
    });
    return readResponse(request, Buffer.from(answer), this.#memory);
  }

  close(): void { this.cut(true); }

  /** Both ends lose it; requests that have left may still arrive. */
  cut(arrive: boolean): void {
    if (!this.connected) return;
    this.connected = false;
    this.#net.drop(this);
    if (!arrive) this.#ended = true;
    const flying = [...this.#flying];
    this.#flying.clear();
    for (const f of flying) {
      f.done = f.late.off = true;
      this.#net.world.after(0.01, this.owner, () => f.reject(new ConnectionLost(`${this.address}: closed`)));
    }
  }

  #next(): void {
    if (this.#handling || this.#ended) return;
    const flight = this.#arrived.shift();
    if (flight === undefined) return;
    this.#handling = true;
    if (flight.fault === 'twice' && flight.key !== API.fetch) this.#handle(flight, () => undefined);
    this.#handle(flight, answer => {
      this.#handling = false;
      const { world } = this.#net;
      if (flight.fault === 'reply lost') { world.after(world.between(0, 1), this.owner, () => this.cut(true)); }
      else {
        this.#lastAnswer = Math.max(this.#lastAnswer, world.now + world.between(0.05, 1));
        world.after(this.#lastAnswer - world.now, this.owner, () => {
          if (flight.done) return;
          flight.done = flight.late.off = true;
          this.#flying.delete(flight);
          flight.resolve(answer);
        });
      }
      this.#next();
    });
  }

  #handle(f: Flight, reply: (answer: Buffer) => void = () => undefined): void {
    if (!this.#net.up(this.node)) return;
    this.#net.wire.handle(this.node, f.key, f.version, f.body, reply);
  }
}
