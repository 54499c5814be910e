import type { KafkaSettings } from '../../config/spec.ts';
import type { Notices } from '../connector.ts';
import { speaks } from './client.ts';
import { Cluster } from './cluster.ts';
import { check, errors, KafkaError } from './kafka-error.ts';
import { groupName, GroupMarks } from './marker.ts';
import { reach } from './open.ts';
import { Outage } from './outage.ts';
import { offsetFetchRequest } from './protocol-cluster.ts';
import { controllerClockRequest, DESCRIBE_QUORUM, describeGroupRequest, describeTransactionRequest, may, type TransactionDescription } from './protocol-describe.ts';
import { Retrier } from './retry.ts';
import { clientSettings } from './settings.ts';
import { FEATURE } from './transaction.ts';

const CLOCK_TRIES = 3;
/** ms for what passes: the first question for a coordinator makes the brokers open their own topics. */
const PATIENCE_MS = 10_000;

export interface BrokerFinding {
  readonly node: number;
  /** Requests that it does not speak; null where it could not be asked. */
  readonly lacks: readonly string[] | null;
  /** Why it could not be asked. */
  readonly problem: string | null;
  /** Level of transaction.version. */
  readonly transactions: number;
}

export interface TopicFinding {
  readonly exists: boolean;
  /** Why the broker says nothing of it. */
  readonly problem: string | null;
  readonly partitions: number;
  readonly leaderless: readonly number[];
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

export interface GroupFinding {
  readonly members: number;
  readonly mayRead: boolean;
  /** Partitions with a committed offset. */
  readonly offsets: number;
  /** Throws system.state.foreign and rolled_back for a state file of that id and delivery. */
  marks(stateId: string, lastDelivery: number): void;
}

/** ms that this machine is ahead of the cluster, and how far that may be off; or why it is not known. */
export type ClockFinding = { readonly ahead: number; readonly within: number; readonly controller: number } | { readonly unknown: string };

/** What a cluster says when it is asked and nothing is changed: no topic made, no producer registered, no offset committed. */
export class Survey {
  readonly #brokers: string;
  readonly #cluster: Cluster;
  readonly #retrier: Retrier;

  /** Throws user.config.bad_value where an address or a setting is none. */
  constructor(brokers: readonly string[], settings: KafkaSettings | null) {
    this.#brokers = brokers.join(',');
    this.#cluster = new Cluster(brokers, clientSettings(settings));
    this.#retrier = new Retrier(this.#cluster, new Outage(this.#brokers, { warn: () => undefined, info: () => undefined }));
  }

  /** Throws system.source.unreachable, auth and client_version. */
  open(timeoutMs: number, notices: Notices, signal: AbortSignal): Promise<void> { return reach(this.#cluster, this.#brokers, timeoutMs, notices, signal); }

  get id(): string { return this.#cluster.id; }

  brokers(): Promise<BrokerFinding[]> {
    return Promise.all(this.#cluster.nodes.map(async (node): Promise<BrokerFinding> => {
      try {
        const { lacks, features } = await this.#cluster.abilities(node);
        return { node, lacks, problem: null, transactions: features.get(FEATURE) ?? 0 };
      } catch (error) {
        return { node, lacks: null, problem: (error as Error).message, transactions: 0 };
      }
    }));
  }

  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicFinding>> {
    const { topics } = await this.#cluster.metadata(names, true);
    return new Map(topics.map(t => [t.name, {
      exists: t.error !== errors.UNKNOWN_TOPIC_OR_PARTITION,
      problem: t.error === 0 || t.error === errors.UNKNOWN_TOPIC_OR_PARTITION ? null : new KafkaError(t.error, 'the broker says').message,
      partitions: t.partitions.length, leaderless: t.partitions.filter(p => p.leader < 0).map(p => p.partition),
      mayRead: may(t.operations, 'read'), mayWrite: may(t.operations, 'write'),
    }]));
  }

  /** Throws KafkaError and ConnectionLost. */
  group(pipeline: string, idPrefix: string): Promise<GroupFinding> {
    const name = groupName({ pipeline, idPrefix });
    return this.#retrier.run(async () => {
      const node = await this.#cluster.coordinator('group', name);
      const group = await this.#cluster.node(node, describeGroupRequest(name));
      check(group.error, `group ${name}`);
      const { error, offsets } = await this.#cluster.node(node, offsetFetchRequest(name, false));
      check(error, `offsets of group ${name}`);
      const marks = (stateId: string, lastDelivery: number): void => new GroupMarks(offsets, { pipeline, idPrefix, stateId, ownerId: '', exactlyOnce: true, takeOver: false }).check(lastDelivery);
      return { members: group.members, mayRead: may(group.operations, 'read'), offsets: offsets.filter(o => o.offset >= 0).length, marks };
    }, PATIENCE_MS);
  }

  /** The state of the transactional id; null when it has never been used. Throws KafkaError and ConnectionLost. */
  transaction(pipeline: string, idPrefix: string): Promise<TransactionDescription | null> {
    const id = groupName({ pipeline, idPrefix });
    return this.#retrier.run(async () => {
      const found = await this.#cluster.node(await this.#cluster.coordinator('transaction', id), describeTransactionRequest(id));
      if (found.error === errors.TRANSACTIONAL_ID_NOT_FOUND) return null;
      check(found.error, `transactional id ${id}`);
      return found;
    }, PATIENCE_MS);
  }

  /** By the answer that took least time. `now`: this machine's clock. */
  async clock(now: () => number): Promise<ClockFinding> {
    const [node] = this.#cluster.nodes as [number];
    const tries: { readonly ahead: number; readonly within: number; readonly controller: number }[] = [];
    try {
      if (!speaks(await this.#cluster.abilities(node), DESCRIBE_QUORUM)) return { unknown: 'this Kafka does not tell its time (3.3 and newer with KRaft does)' };
      for (let i = 0; i < CLOCK_TRIES; i++) {
        const before = now();
        const answer = await this.#cluster.node(node, controllerClockRequest());
        const within = (now() - before) / 2;
        check(answer.error, 'DescribeQuorum');
        if (answer.now === null) return { unknown: 'the controller does not tell its time' };
        tries.push({ ahead: before + within - answer.now, within, controller: answer.controller });
      }
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      return { unknown: error.is('CLUSTER_AUTHORIZATION_FAILED') ? 'asking for the time of the controller takes the right Describe on the cluster' : error.message };
    }
    return tries.reduce((a, b) => (b.within < a.within ? b : a));
  }

  close(): void {
    this.#retrier.stop();
    this.#cluster.close();
  }
}
