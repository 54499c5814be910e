import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAll } from '../cases/run-case.ts';
import { type Bed, mustDie, onBed, openLog } from './bed.ts';
import { runHere } from './here.ts';
import type { Promised } from './promise.ts';

const kinds = ['cut', 'flipped', 'removed', 'cut with the file of the epoch lost'] as const;
type Kind = (typeof kinds)[number];

export const p10: Promised = {
  id: 'P10',
  promise: 'a write-ahead log of the state that is torn, flipped or lost: the start refuses, or goes on to exactly the right output',
  needs: 'nothing',
  rounds: 24,
  zero: ['lost', 'dup', 'mismatch', 'changed'],
  async run(o) {
    return onBed({ seed: o.seed, brokers: null }, async bed => {
      const run = await bed.begin();
      await bed.feedWhile(run, 1500);
      run.kill('SIGKILL');
      mustDie(await run.finished);
      if (!existsSync(`${bed.state}-wal`)) throw new Error('the kill left no write-ahead log');
      // the log is closed, so that its files can be copied as they are
      await bed.log.close();
      const count = { trials: 0, refused: 0, exact: 0, changed: 0, lost: 0, dup: 0, mismatch: 0 };
      for (let i = 0; i < o.rounds; i++) {
        const kind = kinds[i % kinds.length] as Kind;
        const dir = mkdtempSync(join(tmpdir(), 'pipe-wal-'));
        try {
          cpSync(bed.project.dir, dir, { recursive: true });
          const state = bed.state.replace(bed.project.dir, dir);
          damage(state, kind, bed.chance);
          const before = files(state);
          const { problem } = await runHere(dir, bed.file);
          count.trials++;
          if (problem !== null) {
            if (!/^system\.state\.(rolled_back|corrupt)$/.test(problem.code) || problem.hint === undefined) throw problem;
            count.refused++;
            // where only the log knows that the state is old, it was opened to be written
            if (!/it is an older copy$/.test(problem.message) && !before.every((b, n) => b.equals(files(state)[n] as Buffer))) count.changed++;
            continue;
          }
          const found = await compared(bed, dir);
          count.lost += found.lost;
          count.dup += found.dup;
          count.mismatch += found.mismatch;
          if (found.lost + found.dup + found.mismatch === 0) count.exact++;
          else o.say(`${kind}: lost=${found.lost} dup=${found.dup} mismatch=${found.mismatch}`);
        } finally {
          rmSync(dir, { recursive: true, force: true });
        }
      }
      return count;
    });
  },
};

/** The state, and its write-ahead log where there is one. */
const files = (state: string): Buffer[] => [readFileSync(state), existsSync(`${state}-wal`) ? readFileSync(`${state}-wal`) : Buffer.alloc(0)];

async function compared(bed: Bed, dir: string): Promise<ReturnType<Bed['work']['compare']>> {
  const log = await openLog(null, dir);
  try {
    return bed.work.compare(await readAll(log, bed.output));
  } finally {
    await log.close();
  }
}

function damage(state: string, kind: Kind, chance: () => number): void {
  const wal = `${state}-wal`;
  const data = readFileSync(wal);
  const at = Math.floor(chance() * data.length);
  rmSync(`${state}-shm`, { force: true });
  if (kind === 'removed') { rmSync(wal); return; }
  if (kind === 'flipped') {
    data[at] = (data[at] as number) ^ (1 << Math.floor(chance() * 8));
    writeFileSync(wal, data);
    return;
  }
  truncateSync(wal, at);
  if (kind !== 'cut') rmSync(`${state}.epoch`, { force: true });
}
