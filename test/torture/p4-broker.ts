import { setTimeout as sleep } from 'node:timers/promises';
import { none, onBed, plus } from './bed.ts';
import { onOwnBroker } from './own-broker.ts';
import type { Promised } from './promise.ts';
import { shapeNames, type ShapeName } from './workload.ts';

/** ms in which a row must come once the broker is back. */
const BACK_MS = 60_000;

export const p4: Promised = {
  id: 'P4',
  promise: 'a broker that is stopped or killed under a running pipeline and started again: the pipeline stays, says so, goes on, and nothing is lost or doubled',
  needs: 'broker',
  rounds: 2,
  zero: ['lost', 'dup', 'mismatch'],
  async run(o) {
    return await onOwnBroker(b => onBed({ seed: o.seed, brokers: b.address, direct: b.direct, shape: shapeNames[o.seed % shapeNames.length] as ShapeName }, async bed => {
      let [hard, longest] = [0, 0];
      let found = none;
      let run = await bed.begin();
      for (let bounce = 0; bounce < o.rounds; bounce++) {
        await bed.feedWhile(run, 600 + bed.chance() * 600);
        const kill = (o.seed + bounce) % 2 === 0;
        if (kill) hard++;
        const said = run.err.length;
        await b.broker.down(kill ? 'SIGKILL' : 'SIGTERM');
        await sleep(300 + bed.chance() * 1200);
        await b.broker.up();
        const up = performance.now();
        // rows of windows that close now tell that it is back
        const before = (await bed.rows()).length;
        bed.work.jump();
        while ((await bed.rows()).length === before) {
          if (performance.now() - up > BACK_MS) throw new Error(`nothing was written ${BACK_MS / 1000} s after the broker came back\n${run.err}`);
          if (await bed.feedWhile(run, 200)) throw new Error(`the pipeline ended\n${run.err}`);
        }
        longest = Math.max(longest, (performance.now() - up) / 1000);
        if (!/does not answer/.test(run.err.slice(said))) throw new Error(`nobody was told that the broker is away\n${run.err}`);
        // every other time the process dies, too
        if (bed.chance() < 0.5) {
          run.kill('SIGKILL');
          await run.finished;
          run = await bed.begin();
        }
      }
      await bed.feedWhile(run, 300);
      await bed.stop(run);
      found = plus(found, await bed.check());
      return { bounces: o.rounds, hard, records: bed.work.records, ...found, max_gap_s: Math.round(longest * 10) / 10 };
    })) ?? { skipped: 'no Java and jars for a broker of its own' };
  },
};
