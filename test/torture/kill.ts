import { type BedOptions, mustDie, none, onBed } from './bed.ts';
import type { Figures, PassOptions } from './promise.ts';

/** Kills between two checks of all that was written. */
const KILLS_A_CHECK = 3;
/** ms after which a process is killed whatever it does. */
const MOST_MS = 900;
const WORKERS_MOST_MS = 1600;

/** kill -9 at random times over a run, in one bed: figures of what came out. */
export async function killAtRandom(o: PassOptions, more: Omit<BedOptions, 'seed'>): Promise<Figures> {
  return onBed({ ...more, seed: o.seed }, async bed => {
    let found = none;
    for (let kills = 0; kills < o.rounds; kills++) {
      const run = bed.start();
      await bed.feedWhile(run, 60 + bed.chance() * (more.workers === undefined ? MOST_MS : WORKERS_MOST_MS));
      run.kill('SIGKILL');
      mustDie(await run.finished);
      // what was found wrong once stays in the topic, so the last check counts
      if ((kills + 1) % KILLS_A_CHECK === 0 || kills === o.rounds - 1) found = await bed.check();
      if (found.lost + found.mismatch > 0 || (found.dup > 0 && !/at-least-once/.test(more.settings ?? ''))) break;
    }
    return { kills: o.rounds, records: bed.work.records, rows: (await bed.rows()).length, ...found };
  });
}
