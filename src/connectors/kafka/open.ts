import { setTimeout as sleep } from 'node:timers/promises';
import { PipeError } from '../../errors.ts';
import type { Notices } from '../connector.ts';
import { Unreachable } from './client.ts';
import type { Cluster } from './cluster.ts';
import { ConnectionLost, isPassing } from './kafka-error.ts';
import { backoff } from './retry.ts';

/** First contact, tried again for `timeoutMs`. Throws system.source.unreachable with every address and why it failed; system.source.auth at once. */
export async function reach(cluster: Cluster, brokers: string, timeoutMs: number, notices: Notices, signal: AbortSignal): Promise<void> {
  const end = performance.now() + timeoutMs;
  const reasons = new Map<string, Set<string>>();
  for (let failures = 0; ; failures++) {
    try {
      await within(cluster.bootstrap(), end - performance.now(), signal);
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      const attempts = error instanceof Unreachable ? error.attempts : [{ address: brokers, reason: (error as Error).message }];
      for (const a of attempts) reasons.set(a.address, (reasons.get(a.address) ?? new Set()).add(a.reason));
      if (failures === 0 && timeoutMs > 2000) notices.info(`no answer from Kafka at ${brokers} yet (${words(reasons)}); trying for ${seconds(timeoutMs)}`);
      const left = end - performance.now();
      if (left <= 0 || signal.aborted) throw unreachable(brokers, reasons, failures + 1, timeoutMs, error);
      await sleep(Math.min(left, 5 * backoff(failures)), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** ms that a try has at least, however short the time is. */
const LEAST_MS = 1000;

/** A broker may take a connection and never answer. */
async function within(work: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  work.catch(() => undefined);
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const late = sleep(Math.max(LEAST_MS, ms), undefined, { signal: ended }).then(() => undefined, () => undefined).then(() => { throw new ConnectionLost('no answer'); });
  late.catch(() => undefined);
  try {
    await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

const unreachable = (brokers: string, reasons: ReadonlyMap<string, ReadonlySet<string>>, tries: number, timeoutMs: number, cause: unknown): PipeError =>
  new PipeError('system.source.unreachable', `no Kafka broker answers at ${brokers} (tried ${tries === 1 ? 'once' : `${tries} times`} in ${seconds(timeoutMs)}): ${words(reasons)}`, {
    hint: 'start one, set --brokers or PIPE_BROKERS, or go without a broker: --brokers none', retriable: true, cause,
  });

/** Ports are said where there are several: else the broker's own address has said it. */
function words(reasons: ReadonlyMap<string, ReadonlySet<string>>): string {
  const several = new Set([...reasons.keys()].map(a => PLACE.exec(a)?.[2])).size > 1;
  return [...reasons].map(([address, why]) => `${several ? address : PLACE.exec(address)?.[1] ?? address}: ${[...why].join(', ')}`).join('; ');
}
const PLACE = /^\[?([^[\]]*)\]?:(\d+)$/;

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
