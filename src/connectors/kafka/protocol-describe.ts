import type { Request } from './client.ts';
import { errors } from './kafka-error.ts';
import { type WireReader, WireWriter } from './wire.ts';

/* Requests that only look. */

/** Bits of what a broker says that we may do. */
export const operations = { read: 3, write: 4, describe: 8 } as const;
export type Operation = keyof typeof operations;

export const may = (bits: number, operation: Operation): boolean => (bits >>> operations[operation] & 1) === 1;

export interface GroupDescription {
  readonly error: number;
  readonly members: number;
  readonly operations: number;
}

/** DescribeGroups v5, to the group's coordinator. */
export function describeGroupRequest(group: string): Request<GroupDescription> {
  const w = new WireWriter().tags();
  w.compactArray([group], name => w.compactString(name)).bool(true).tags();
  return {
    name: 'DescribeGroups', key: 15, version: 5, body: w.finish(), read: r => {
      r.tags();
      r.int32();
      const [found] = r.compactArray(() => {
        const error = r.int16();
        r.compactString();
        for (let i = 0; i < 3; i++) r.compactString();
        const members = r.compactArray(() => {
          r.compactString();
          r.nullableCompactString();
          for (let i = 0; i < 2; i++) r.compactString();
          for (let i = 0; i < 2; i++) r.compactBytes();
          r.tags();
        }).length;
        const description = { error, members, operations: r.int32() };
        r.tags();
        return description;
      });
      return found as GroupDescription;
    },
  };
}

export interface TransactionDescription {
  readonly error: number;
  /** Of the last transaction, in Kafka's words: Empty, Ongoing, PrepareCommit, CompleteCommit, .. */
  readonly state: string;
  /** Epoch ms; -1 when none is open. */
  readonly startedAt: number;
}

/** DescribeTransactions v0 (Kafka 3.0), to the coordinator of the transactional id. */
export function describeTransactionRequest(id: string): Request<TransactionDescription> {
  const w = new WireWriter().tags();
  w.compactArray([id], name => w.compactString(name)).tags();
  return {
    name: 'DescribeTransactions', key: 65, version: 0, body: w.finish(), read: r => {
      r.tags();
      r.int32();
      const [found] = r.compactArray(() => {
        const error = r.int16();
        r.compactString();
        const state = r.compactString();
        r.int32();
        const description = { error, state, startedAt: r.long() };
        r.int64();
        r.int16();
        r.compactArray(() => {
          r.compactString();
          r.compactArray(() => r.int32());
          r.tags();
        });
        r.tags();
        return description;
      });
      return found ?? { error: errors.UNKNOWN_SERVER_ERROR, state: '', startedAt: -1 };
    },
  };
}

export const DESCRIBE_QUORUM = { key: 55, version: 1 } as const;

/**
 * DescribeQuorum v1 (Kafka 3.3): the active controller's clock (epoch ms), which it gives as the time at which it has heard of itself;
 * null where it does not say so.
 */
export function controllerClockRequest(): Request<{ readonly error: number; readonly controller: number; readonly now: number | null }> {
  const w = new WireWriter().tags();
  w.compactArray(['__cluster_metadata'], topic => w.compactString(topic).compactArray([0], partition => w.int32(partition).tags()).tags()).tags();
  return {
    name: 'DescribeQuorum', ...DESCRIBE_QUORUM, body: w.finish(), read: r => {
      r.tags();
      const error = r.int16();
      const [found] = r.compactArray(() => {
        r.compactString();
        return r.compactArray(() => readQuorum(r));
      }).flat();
      return found === undefined || error !== 0 ? { error, controller: -1, now: null } : found;
    },
  };
}

function readQuorum(r: WireReader): { error: number; controller: number; now: number | null } {
  r.int32();
  const error = r.int16();
  const controller = r.int32();
  r.int32();
  r.int64();
  const replica = (): { id: number; fetched: number } => {
    const id = r.int32();
    r.int64();
    const fetched = r.long();
    r.int64();
    r.tags();
    return { id, fetched };
  };
  const voters = r.compactArray(replica);
  r.compactArray(replica);
  const now = voters.find(v => v.id === controller)?.fetched ?? -1;
  return { error, controller, now: now < 0 ? null : now };
}
