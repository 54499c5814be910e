import { setTimeout as sleep } from 'node:timers/promises';
import { type Bed, mustEnd, onBed } from './bed.ts';
import { type Breakable, onOwnBroker } from './own-broker.ts';
import type { Promised } from './promise.ts';

const END_TXN = 26;
/** ms that each answer to the end of a transaction takes. */
const SLOW_MS = 3000;

export const p15: Promised = {
  id: 'P15',
  promise: 'SIGTERM with a slow sink: what was read is delivered and the exit is 0; the second signal leaves at once (143); past 20 s the exit is 23; nothing is lost by any of them',
  needs: 'broker',
  rounds: 1,
  zero: ['lost', 'dup', 'mismatch'],
  async run(o) {
    return await onOwnBroker(b => onBed({ seed: o.seed, brokers: b.address, direct: b.direct }, async bed => {
      let [drain, second] = [0, 0];
      for (let i = 0; i < o.rounds; i++) {
        const slow = await busy(bed, b, SLOW_MS);
        let began = performance.now();
        slow.kill('SIGTERM');
        mustEnd(await slow.finished, 0);
        drain = Math.max(drain, Math.round(performance.now() - began));

        const hasty = await busy(bed, b, 60_000);
        hasty.kill('SIGTERM');
        await sleep(300);
        began = performance.now();
        hasty.kill('SIGTERM');
        mustEnd(await hasty.finished, 143);
        second = Math.max(second, Math.round(performance.now() - began));

        const stuck = await busy(bed, b, 120_000);
        stuck.kill('SIGTERM');
        mustEnd(await stuck.finished, 23, /error\[system\.run\.drain_deadline\]: pipeline .* did not stop within 20 s\n {2}hint: what is committed is safe: the next start delivers it/);
        b.proxy.fate = () => 'pass';
      }
      return { stops: 3 * o.rounds, drained: o.rounds, at_once: o.rounds, over_deadline: o.rounds, max_drain_ms: drain, max_second_ms: second, ...await bed.check() };
    })) ?? { skipped: 'no Java and jars for a broker of its own' };
  },
};

/** A run whose deliveries take `ms`, in the middle of one. */
async function busy(bed: Bed, b: Breakable, ms: number): Promise<ReturnType<Bed['start']>> {
  b.proxy.fate = () => 'pass';
  const run = await bed.begin();
  await bed.feedWhile(run, 300);
  let slow = 0;
  b.proxy.fate = key => { if (key !== END_TXN) return 'pass'; slow++; return ms; };
  const end = performance.now() + 30_000;
  while (slow === 0 && performance.now() < end) await bed.feedWhile(run, 50);
  await bed.feedWhile(run, 200);
  return run;
}
