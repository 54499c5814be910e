import { setTimeout as sleep } from 'node:timers/promises';
import type { Fate } from '../kafka/proxy.ts';
import { type Bed, onBed } from './bed.ts';
import { type Breakable, onOwnBroker } from './own-broker.ts';
import type { Promised } from './promise.ts';

/** Requests of a transaction by the level of the feature transaction.version (KIP-890). */
const requests = {
  1: [['AddPartitionsToTxn', 24], ['Produce', 0], ['AddOffsetsToTxn', 25], ['TxnOffsetCommit', 28], ['EndTxn', 26]],
  2: [['Produce', 0], ['TxnOffsetCommit', 28], ['EndTxn', 26]],
} as const;
const fates: readonly Fate[] = ['lost', 'unanswered', 'half', 'late', 1500];
const HIT_MS = 60_000;
const CUTS_A_CHECK = 10;

export const p6: Promised = {
  id: 'P6',
  promise: 'a request of a transaction that is lost, late, or whose answer is lost, cut or slow never loses, doubles or tears an epoch',
  needs: 'broker',
  rounds: 25,
  zero: ['lost', 'dup', 'mismatch'],
  async run(o) {
    const version = o.seed % 2 === 0 ? 2 : 1;
    // every request with every fate
    const points = requests[version].flatMap(([name, key]) => fates.map(fate => ({ name, key, fate })));
    return await onOwnBroker(b => onBed({ seed: o.seed, brokers: b.address, direct: b.direct }, async bed => {
      let kills = 0;
      let run = await bed.begin();
      for (let i = 0; i < o.rounds; i++) {
        const point = points[(i + o.seed) % points.length] as (typeof points)[number];
        const hit = breakAt(b, point.key, point.fate, Math.floor(bed.chance() * 3));
        const end = performance.now() + HIT_MS;
        while (!hit() && performance.now() < end) await bed.feedWhile(run, 40);
        if (!hit()) throw new Error(`${point.name} was never sent\n${run.err}`);
        // the next process finds what is left, or this one goes on in place
        if (bed.chance() < 0.3) {
          kills++;
          await sleep(bed.chance() * 100);
          run.kill('SIGKILL');
          await run.finished;
          run = await bed.begin();
        }
        if ((i + 1) % CUTS_A_CHECK === 0 && i + 1 < o.rounds) {
          run = await checked(bed, run, `${point.name} ${point.fate}`);
        }
      }
      b.proxy.fate = () => 'pass';
      await bed.feedWhile(run, 300);
      await bed.stop(run);
      const found = await bed.check();
      return { [`cuts_v${version}`]: o.rounds, kills, records: bed.work.records, ...found };
    }), version) ?? { skipped: 'no Java and jars for a broker of its own' };
  },
};

async function checked(bed: Bed, run: ReturnType<Bed['start']>, last: string): Promise<ReturnType<Bed['start']>> {
  await bed.stop(run);
  const found = await bed.check();
  if (found.lost + found.dup + found.mismatch > 0) throw new Error(`up to ${last}: lost=${found.lost} dup=${found.dup} mismatch=${found.mismatch}`);
  return bed.begin();
}

/** The request of this kind after `skip` others meets its fate. */
function breakAt(b: Breakable, apiKey: number, fate: Fate, skip: number): () => boolean {
  let left = skip;
  let hit = false;
  b.proxy.fate = key => {
    if (hit || key !== apiKey || left-- > 0) return 'pass';
    hit = true;
    return fate;
  };
  return () => hit;
}
