import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Lane } from './cluster.ts';
import type { Request } from './client.ts';
import { check, isPassing, KafkaError } from './kafka-error.ts';
import type { OutBlock } from '../../state/store.ts';
import { failpoint, failpointSoon } from '../../failpoint.ts';
import { BatchWriter } from './producer.ts';
import type { GroupOffsets } from './protocol-cluster.ts';
import { describeTransactionRequest } from './protocol-describe.ts';
import { addOffsetsRequest, addPartitionsRequest, byTopic, type EndAnswer, endTxnRequest, initProducerRequest, type ProducerIdentity, produceRequest, txnOffsetCommitRequest } from './protocol-produce.ts';
import { endTxnRequest2, produceRequest2, txnOffsetCommitRequest2 } from './protocol-transactions-2.ts';
import { backoff } from './retry.ts';

/** The broker aborts a transaction that is open for longer, and refuses its producer. */
const TRANSACTION_MS = 60_000;
/** Errors that pass are waited for until a transaction is so old; then it is given up and sent anew, before the broker gives it up. */
const PATIENCE_MS = 40_000;
/** A broker that adds the partitions of one request to a transaction (KIP-890) refuses another that comes meanwhile, and may call it so. */
const BUSY = ['COORDINATOR_LOAD_IN_PROGRESS', 'NOT_ENOUGH_REPLICAS'] as const;
/** Waits grow from 1 ms to this: so long do the markers of the transaction before take to be written, at most, or those partitions to be added. */
const BUSY_MOST_MS = 40;
const ABORT_MS = 2000;
/** How long a transaction that was committed may take to be readable. */
const READABLE_MS = 5000;
const READABLE_POLL_MS = 5;
/** Feature whose level says how transactions go. */
export const FEATURE = 'transaction.version';
/** From this level on they follow KIP-890. */
const SECOND = 2;

/** A transactional producer: at most one transaction at a time. Any error means that the producer must be fenced before it goes on. */
export class Transactions {
  readonly #name: string;
  readonly #cluster: Cluster;
  /** Produce and offsets go out side by side. */
  readonly #produce: Lane;
  readonly #control: Lane;
  readonly #writer: BatchWriter;
  #identity: ProducerIdentity | null = null;
  /** The cluster speaks the second protocol. */
  #second = false;
  #open = false;
  /** The last transaction was committed by us. */
  #committed = false;
  #closed = false;
  /** performance.now() until which errors that pass are waited for. */
  #deadline = 0;

  /** `name` is the transactional id, and the group. */
  constructor(name: string, cluster: Cluster, control: Lane) {
    this.#name = name;
    this.#cluster = cluster;
    this.#control = control;
    this.#produce = cluster.lane();
    this.#writer = new BatchWriter(cluster, this.#produce);
  }

  /** Ends what other producers of this name have begun, and refuses them from now on. */
  async fence(): Promise<void> {
    this.#identity = null;
    this.#committed = false;
    this.#deadline = performance.now() + PATIENCE_MS;
    const request = initProducerRequest(this.#name, TRANSACTION_MS);
    const answer = await this.#patiently(async () => {
      const node = await this.#cluster.coordinator('transaction', this.#name);
      const found = await this.#control.send(node, request);
      check(found.error, `transactional id ${this.#name}`);
      this.#second = await this.#control.feature(node, FEATURE) >= SECOND;
      return found;
    });
    this.#begin(answer);
    this.#open = false;
  }

  /** Records and offsets become visible together. When it throws, the outcome is not known. */
  async commit(items: readonly OutBlock[], offsets: GroupOffsets, metadata: string): Promise<void> {
    const p = this.#identity;
    if (p === null) throw new Error('not fenced yet');
    this.#deadline = performance.now() + PATIENCE_MS;
    try {
      this.#open = true;
      this.#committed = false;
      failpoint('txn.begin');
      // the coordinator gets both requests at once, and takes what comes on one connection in turn
      const results = await Promise.allSettled([this.#records(p, items), this.#offsets(p, offsets, metadata)]);
      for (const r of results) if (r.status === 'rejected') throw r.reason;
      failpoint('end.before');
      failpointSoon('end.sent');
      const { next } = await this.#asked('transaction', this.#ending(p, true), a => a.error);
      failpoint('end.after');
      this.#open = false;
      this.#committed = true;
      if (next !== null) this.#begin(next);
    } catch (error) {
      this.#identity = null;
      if (this.#open && !isPassing(error)) await this.#abort(p);
      throw error;
    }
  }

  /** An open transaction is aborted, so that readers of the topics need not wait until it times out; a committed one can be read on return. */
  async close(): Promise<void> {
    const p = this.#identity;
    this.#closed = true;
    this.#identity = null;
    if (p !== null && this.#open) await this.#abort(p);
    if (this.#committed) await this.#within(READABLE_MS, this.#readable());
    this.#cluster.endLane(this.#produce);
  }

  async #records(p: ProducerIdentity, items: readonly OutBlock[]): Promise<void> {
    if (items.length === 0) return;
    if (!this.#second) await this.#ask('transaction', addPartitionsRequest(p, partitionsOf(items)));
    failpoint('produce.before');
    await this.#writer.write(items, round => this.#patiently(round));
    failpoint('produce.after');
  }

  async #offsets(p: ProducerIdentity, offsets: GroupOffsets, metadata: string): Promise<void> {
    if (!this.#second) await this.#ask('transaction', addOffsetsRequest(p, this.#name));
    failpoint('offsets.before');
    await this.#ask('group', (this.#second ? txnOffsetCommitRequest2 : txnOffsetCommitRequest)(p, this.#name, offsets, metadata));
    failpoint('offsets.after');
  }

  #ending(p: ProducerIdentity, commit: boolean): Request<EndAnswer> { return (this.#second ? endTxnRequest2 : endTxnRequest)(p, commit); }

  #begin({ producerId, epoch }: { readonly producerId: bigint; readonly epoch: number }): void {
    this.#identity = { transactionalId: this.#name, producerId, epoch };
    this.#writer.begin({ producerId, epoch, transactional: true }, this.#name, this.#second ? produceRequest2 : produceRequest);
  }

  #ask(kind: 'group' | 'transaction', request: Request<number>): Promise<number> { return this.#asked(kind, request, error => error); }

  #asked<T>(kind: 'group' | 'transaction', request: Request<T>, errorOf: (answer: T) => number): Promise<T> {
    return this.#patiently(async () => {
      const answer = await this.#control.send(await this.#cluster.coordinator(kind, this.#name), request);
      check(errorOf(answer), `${request.name} of ${this.#name}`);
      return answer;
    });
  }

  /** Waits out errors that pass; a lost connection is not waited for, since nobody knows what was done. */
  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    for (let failures = 0, busy = 1; ; ) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof KafkaError) || !isPassing(error) || this.#closed || performance.now() > this.#deadline) throw error;
        if (error.is('CONCURRENT_TRANSACTIONS') || (error.is(...BUSY) && busy < BUSY_MOST_MS)) {
          await sleep(busy);
          busy = Math.min(busy * 2, BUSY_MOST_MS);
        } else {
          this.#cluster.forget();
          await sleep(backoff(failures++));
        }
      }
    }
  }

  async #abort(p: ProducerIdentity): Promise<void> {
    await this.#within(ABORT_MS, this.#cluster.coordinator('transaction', this.#name).then(node => this.#control.send(node, this.#ending(p, false))));
  }

  /**
   * A commit is answered once it is decided; the markers that let readers see it are written after that, one partition by one. Who reads
   * the topics to their end when this process has ended, must find all of its rows. Throws where nobody can tell.
   */
  async #readable(): Promise<void> {
    const request = describeTransactionRequest(this.#name);
    for (const end = performance.now() + READABLE_MS; performance.now() < end; await sleep(READABLE_POLL_MS)) {
      const node = await this.#cluster.coordinator('transaction', this.#name);
      if (!await this.#control.speaks(node, request)) return;
      const { error, state } = await this.#control.send(node, request);
      if (error === 0 && state !== 'PrepareCommit') return;
      if (error !== 0 && !isPassing(new KafkaError(error, this.#name))) return;
      if (error !== 0) this.#cluster.forget();
    }
  }

  /** Whatever becomes of it. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    await Promise.race([work.catch(() => undefined), sleep(ms, undefined, { ref: false })]);
  }
}

const partitionsOf = (items: readonly OutBlock[]): Map<string, number[]> =>
  new Map([...byTopic(items)].map(([topic, list]) => [topic, [...new Set(list.map(b => b.partition))]]));
