import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PipeError } from '../../src/errors.ts';
import { main } from '../e2e/project.ts';
import { type Bed, mustEnd, none, onBed, plus } from './bed.ts';
import type { Promised } from './promise.ts';
import type { Difference } from './workload.ts';

const FULL_MS = 60_000;
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
  await bed.feed(3000);
  const { PIPE_BROKERS, PIPE_DATA_DIR, ...env } = process.env;
  const r = spawnSync('bash', ['-c', `ulimit -f 600; exec "$@"`, '-', process.execPath, main, 'run', bed.file, '--until-end', '--no-print', '--quiet'], { cwd: bed.project.dir, env: { ...env, NO_COLOR: '1' }, encoding: 'utf8', timeout: FULL_MS });
  mustEnd({ code: r.status, signal: r.signal, out: r.stdout, err: r.stderr, lines: [] }, 30, MESSAGE);
  return bed.check();
}

/** Small file systems under the state, and under the log. */
const smalls = [{ folder: 'small', size: '1m', settings: ', state: ../small' }, { folder: '.pipe', size: '1m', settings: ', state: ../roomy' }] as const;

/** A file system that gets room later; null where none can be mounted. */
async function fullDisk(seed: number, { folder, size, settings }: (typeof smalls)[number]): Promise<Difference | null> {
  let mounted: string | null = null;
  const prepare = (dir: string): void => {
    mkdirSync(join(dir, folder));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', join(dir, folder)]).status === 0) mounted = join(dir, folder);
  };
  return onBed({ seed, brokers: null, settings, prepare }, async bed => {
    if (mounted === null) return null;
    try {
      const full = await bed.begin();
      if (!await feedUntilFull(bed, full)) full.kill('SIGTERM');
      mustEnd(await full.finished, 30, MESSAGE);
      spawnSync('mount', ['-o', 'remount,size=64m', mounted]);
      return await bed.check();
    } finally {
      spawnSync('umount', ['-l', mounted]);
    }
  });
}

async function feedUntilFull(bed: Bed, run: ReturnType<Bed['start']>): Promise<boolean> {
  try {
    return await bed.feedWhile(run, FULL_MS);
  } catch (error) {
    if (!(error instanceof PipeError) || error.code !== 'system.resource.disk') throw error;
    return false;
  }
}
