import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { main } from '../e2e/project.ts';
import { onBed } from './bed.ts';
import type { Promised } from './promise.ts';

export const p13: Promised = {
  id: 'P13',
  promise: 'an epoch is on disk before it is delivered: each commit of state and of the embedded log is synced',
  needs: 'nothing',
  rounds: 1,
  zero: ['commits_without_sync', 'deliveries_before_sync'],
  async run(o) {
    if (spawnSync('strace', ['-V'], { stdio: 'ignore' }).status !== 0) return { skipped: 'no strace' };
    return onBed({ seed: o.seed, brokers: null }, async bed => {
      const trace = `${bed.project.dir}/trace`;
      const { PIPE_BROKERS, PIPE_DATA_DIR, ...env } = process.env;
      const child = spawn('strace', ['-f', '-y', '-e', 'trace=fsync,fdatasync,pwrite64', '-e', 'signal=none', '-o', trace, process.execPath, main, 'run', bed.file, '--follow', '--no-print', '--quiet'], { cwd: bed.project.dir, env, stdio: 'ignore', detached: true });
      try {
        const end = performance.now() + 60_000;
        // some epochs with output
        for (let epochs = 0; epochs < 20 && performance.now() < end; epochs = bed.epoch()) await bed.feed();
      } finally {
        process.kill(-(child.pid as number), 'SIGKILL');
        await new Promise(done => child.on('close', done));
      }
      const epochs = bed.epoch();
      if (epochs < 20) throw new Error(`only ${epochs} epochs under strace`);
      const { synced, logged, early } = follow(readFileSync(trace, 'utf8'));
      return { commits: epochs, state_syncs: synced, log_syncs: logged, commits_without_sync: Math.max(0, epochs - synced), deliveries_before_sync: early };
    });
  },
};

/** Syncs of the two write-ahead logs, and writes to the log's while what was written to the state's is not synced. */
function follow(trace: string): { readonly synced: number; readonly logged: number; readonly early: number } {
  let [synced, logged, early, dirty] = [0, 0, 0, false];
  for (const line of trace.split('\n')) {
    const state = line.includes('.db-wal>') && line.includes('@embedded');
    const log = line.includes('topics.db-wal>');
    if (line.includes('pwrite64(')) {
      if (state) dirty = true;
      if (log && dirty) early++;
    } else if (/f(data)?sync\(/.test(line)) {
      if (state) { synced++; dirty = false; }
      if (log) logged++;
    }
  }
  return { synced, logged, early };
}
