import { mustEnd, onBed } from './bed.ts';
import type { Promised } from './promise.ts';

export const p8: Promised = {
  id: 'P8',
  promise: 'a second runner of a pipeline exits 21 at once and names the first; readers of the state are welcome; kill -9 of the first frees it',
  needs: 'nothing',
  rounds: 3,
  zero: ['lost', 'dup', 'mismatch'],
  same: [['tries', 'refused'], ['tries', 'readers_ok']],
  async run(o) {
    return onBed({ seed: o.seed, brokers: null }, async bed => {
      let [refused, readers, longest] = [0, 0, 0];
      for (let i = 0; i < o.rounds; i++) {
        const first = await bed.begin();
        await bed.feedWhile(first, 1200);
        const began = performance.now();
        const second = bed.project.start(['run', bed.file, '--follow', '--no-print'], { env: bed.env });
        await bed.feedWhile(second, 20_000);
        longest = Math.max(longest, Math.round(performance.now() - began));
        mustEnd(await second.finished, 21, `is running already (process ${first.child.pid})`, 'hint: stop that one first');
        refused++;
        const reader = bed.project.start(['state', 'query', bed.file, 'SELECT count(*) AS n FROM meta'], { env: bed.env });
        await bed.feedWhile(reader, 20_000);
        const { code, out, err } = await reader.finished;
        if (code !== 0 || !/\d/.test(out)) throw new Error(`state query beside a run: exit ${code}\n${out}${err}`);
        readers++;
        first.kill('SIGKILL');
        await first.finished;
      }
      return { tries: o.rounds, refused, readers_ok: readers, ...await bed.check(), max_wait_ms: longest };
    });
  },
};
