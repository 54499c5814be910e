import { cpSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { mustEnd, onBed } from './bed.ts';
import type { Figures, PassOptions, Promised } from './promise.ts';
import { add } from './promise.ts';

export const p12: Promised = {
  id: 'P12',
  promise: 'a state that is older than what the log has seen of it is refused (exit 32), also with its own file of the epoch; the newer one goes on',
  needs: 'nothing',
  rounds: 1,
  zero: ['lost', 'dup', 'mismatch'],
  same: [['restored', 'detected']],
  async run(o) {
    let figures: Figures = {};
    for (let i = 0; i < o.rounds; i++) for (const brokers of o.brokers === null ? [null] : [null, o.brokers]) figures = add(figures, await olderCopy({ ...o, seed: o.seed + i }, brokers));
    return figures;
  },
};

async function olderCopy(o: PassOptions, brokers: string | null): Promise<Figures> {
  return onBed({ seed: o.seed, brokers }, async bed => {
    const state = dirname(bed.state);
    const keep = (name: string): void => {
      rmSync(`${bed.project.dir}/${name}`, { recursive: true, force: true });
      cpSync(state, `${bed.project.dir}/${name}`, { recursive: true });
    };
    const restore = (name: string): void => {
      rmSync(state, { recursive: true });
      cpSync(`${bed.project.dir}/${name}`, state, { recursive: true });
    };
    // one more window each time, so that there is output behind the copy
    const more = async (): Promise<void> => {
      const run = await bed.begin();
      await bed.feedWhile(run, 600);
      bed.work.jump();
      await bed.feedWhile(run, 600);
      await bed.stop(run);
    };
    await more();
    keep('yesterday');
    await more();
    keep('today');
    restore('yesterday');
    const refused = await bed.project.run(['run', bed.file, '--until-end', '--no-print'], { env: bed.env });
    mustEnd(refused, 32, /error\[system\.state\.rolled_back\]: the state of pipeline .* is at delivery \d+, but \d+ has been delivered: it is an older copy\n {2}hint: put the newer state back .*, or start again with --reset-state/);
    restore('today');
    return { restored: 1, detected: 1, ...await bed.check() };
  });
}
