import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from '../e2e/project.ts';
import { type Bed, mustEnd, none, onBed, plus } from './bed.ts';
import type { Promised } from './promise.ts';
import type { Difference } from './workload.ts';

const FULL_MS = 120_000;
const MESSAGE = /error\[system\.resource\.disk\]: .* cannot be written: .*\n {2}hint: make room and start again: nothing is lost/;

export const p7: Promised = {
  id: 'P7',
  promise: 'a disk that is full, or a file that may not grow: exit 30 with a way out, and when there is room again the run goes on where it was',
  needs: 'nothing',
  rounds: 1,
  zero: ['lost', 'dup', 'mismatch'],
  same: [['modes', 'resumed']],
  async run(o) {
    let found: Difference = none;
    let [modes, resumed] = [0, 0];
    const done = (d: Difference): void => { found = plus(found, d); modes++; resumed++; };
    for (let i = 0; i < o.rounds; i++) {
      done(await onBed({ seed: o.seed + i, brokers: null }, fileLimit));
      if (process.getuid?.() !== 0 || process.platform !== 'linux') { o.say('full file systems are left out: they need root on Linux'); continue; }
      for (const small of smalls) {
        const one = await fullDisk(o.seed + i, small);
        if (one === null) o.say('full file systems are left out: nothing can be mounted here');
        else done(one);
      }
    }
    return { modes, resumed, ...found };
  },
};

/** The shell's limit on the size of any file that is written. */
async function fileLimit(bed: Bed): Promise<Difference> {
  await bed.feed(10_000);
  const { PIPE_BROKERS, PIPE_DATA_DIR, ...env } = process.env;
  const r = spawnSync('bash', ['-c', `ulimit -f 600; exec "$@"`, '-', process.execPath, main, 'run', bed.file, '--until-end', '--no-print', '--quiet'], { cwd: bed.project.dir, env: { ...env, NO_COLOR: '1' }, encoding: 'utf8', timeout: FULL_MS });
  mustEnd({ code: r.status, signal: r.signal, out: r.stdout, err: r.stderr, lines: [] }, 30, MESSAGE);
  return bed.check();
}

/** File systems under the state, and under the log, with so many kB left: a state can be made there, but not grow. */
const smalls = [{ folder: 'small', left: 500, settings: ', state: ../small' }, { folder: '.pipe', left: 20, settings: ', state: ../roomy' }] as const;

/** What fills the file system is taken away after the run that it stopped; null where nothing can be mounted. */
async function fullDisk(seed: number, { folder, left, settings }: (typeof smalls)[number]): Promise<Difference | null> {
  let mounted: string | null = null;
  const prepare = (dir: string): void => {
    mkdirSync(join(dir, folder));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', join(dir, folder)]).status === 0) mounted = join(dir, folder);
  };
  return onBed({ seed, brokers: null, settings, prepare }, async bed => {
    if (mounted === null) return null;
    try {
      await bed.feed(10_000);
      const { bavail, bsize } = statfsSync(mounted);
      writeFileSync(join(mounted, 'ballast'), Buffer.alloc(bavail * bsize - left * 1024));
      mustEnd(await bed.project.run(['run', bed.file, '--until-end', '--no-print', '--quiet']), 30, MESSAGE);
      rmSync(join(mounted, 'ballast'));
      return await bed.check();
    } finally {
      spawnSync('umount', ['-l', mounted]);
    }
  });
}
