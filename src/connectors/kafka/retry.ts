import { setTimeout as sleep } from 'node:timers/promises';
import { PipeError } from '../../errors.ts';
import type { Cluster } from './cluster.ts';
import { ConnectionLost, isPassing, KafkaError } from './kafka-error.ts';
import type { Outage } from './outage.ts';

const FIRST_MS = 20;
const MOST_MS = 1000;

/** Waits that grow from 20 ms to 1 s. */
export const backoff = (failures: number): number => Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 10));

/** Tries again what a retry cures, and says so through the outage. One for each party that works on its own. */
export class Retrier {
  readonly #cluster: Cluster;
  readonly #outage: Outage;
  readonly #stop = new AbortController();
  #failures = 0;

  constructor(cluster: Cluster, outage: Outage) {
    this.#cluster = cluster;
    this.#outage = outage;
  }

  /** Also when the log was closed. */
  get stopped(): boolean { return this.#stop.signal.aborted || this.#cluster.closed; }

  /** Until it succeeds, fails for good, was stopped, or `limitMs` are over: then the last error. */
  async run<T>(work: () => Promise<T>, limitMs = Infinity): Promise<T> {
    const end = performance.now() + limitMs;
    for (;;) {
      try {
        const result = await work();
        this.ok();
        return result;
      } catch (error) {
        if (!isPassing(error) || this.stopped || performance.now() > end) {
          this.#outage.end(this);
          throw error;
        }
        await this.failed(error);
      }
    }
  }

  /** Notes a failure that passes, and waits. Leaders and coordinators are looked up again. */
  async failed(error: unknown): Promise<void> {
    if (this.stopped) return;
    this.#outage.failed(this, error);
    this.#cluster.forget();
    await sleep(backoff(this.#failures++), undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  ok(): void {
    this.#failures = 0;
    this.#outage.ok(this);
  }

  /** Ends all waiting; nothing is tried again. */
  stop(): void {
    this.#stop.abort();
    this.#outage.end(this);
  }
}

/** What a user reads when no retry cures it, or when no more are made. `doing` is such as 'write to topic "x"'. */
export function explained(error: unknown, side: 'source' | 'sink', doing: string): unknown {
  if (error instanceof ConnectionLost) return new PipeError(`system.${side}.unreachable`, `cannot ${doing}: ${error.message}`, { retriable: true, cause: error });
  if (!(error instanceof KafkaError)) return error;
  if (error.is('TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) {
    return new PipeError('system.source.auth', `cannot ${doing}: the broker does not allow it (${error.message})`, {
      hint: 'ACLs: Read, Write and Describe on its topics; Read on the group and Write and Describe on the transactional id pipe-<pipeline>', cause: error,
    });
  }
  if (error.is('ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS')) {
    return new PipeError('system.sink.fenced', `cannot ${doing}: another client has joined its consumer group (${error.message})`, {
      hint: 'the group pipe-<pipeline> belongs to the pipeline alone: end that consumer, or set settings.kafka.id_prefix', cause: error,
    });
  }
  return new PipeError(`system.${side}.unreachable`, `cannot ${doing}: ${error.message}`, { retriable: isPassing(error), cause: error });
}
