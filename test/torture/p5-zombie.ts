import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import type { Running } from '../e2e/project.ts';
import { type Bed, mustEnd, none, onBed, plus } from './bed.ts';
import type { Figures, PassOptions, Promised } from './promise.ts';
import { add } from './promise.ts';

export const p5: Promised = {
  id: 'P5',
  promise: 'a runner that sleeps while another takes over with a copy of its state: it wakes, writes nothing that is seen, and exits 20',
  needs: 'nothing',
  rounds: 2,
  zero: ['lost', 'dup', 'mismatch', 'zombie_rows'],
  same: [['zombies', 'fenced']],
  async run(o) {
    const logs = o.brokers === null ? [null] : [null, o.brokers];
    let figures: Figures = {};
    for (let i = 0; i < o.rounds; i++) figures = add(figures, await takeOver({ ...o, seed: o.seed + i }, logs[(o.seed + i) % logs.length] as string | null));
    return figures;
  },
};

/** Not while it writes to the embedded log: everybody would wait for it, as they should. */
async function putToSleep(bed: Bed, zombie: Running, embedded: boolean): Promise<void> {
  for (;;) {
    zombie.kill('SIGSTOP');
    await sleep(50);
    if (!embedded || isFree(`${bed.project.dir}/.pipe/topics.db`)) return;
    zombie.kill('SIGCONT');
    await sleep(20);
  }
}

function isFree(path: string): boolean {
  const db = new Sqlite(path, { timeout: 0 });
  try {
    db.exec('BEGIN IMMEDIATE; ROLLBACK');
    return true;
  } catch {
    return false;
  } finally {
    db.close();
  }
}

async function takeOver(o: PassOptions, brokers: string | null): Promise<Figures> {
  return onBed({ seed: o.seed, brokers }, async bed => {
    const { dir } = bed.project;
    // two places for state, one log
    bed.writePipeline(', state: ../a');
    for (const folder of ['a', 'b']) mkdirSync(`${dir}/${folder}`);
    const zombie = await bed.begin();
    await bed.feedWhile(zombie, 1200 + bed.chance() * 800);
    await putToSleep(bed, zombie, brokers === null);
    for (const suffix of ['', '-wal', '.epoch']) cpSync(`${dir}/a/${bed.name}@${bed.log.id}.db${suffix}`, `${dir}/b/${bed.name}@${bed.log.id}.db${suffix}`, { force: true });
    bed.writePipeline(', state: ../b');
    const next = await bed.begin();
    await bed.feedWhile(next, 1500);
    const before = new Set(await bed.rows());
    zombie.kill('SIGCONT');
    // what it reads now is read by both
    await bed.feedWhile(next, 1500);
    const end = await Promise.race([zombie.finished, bed.feedWhile(zombie, 60_000).then(() => zombie.finished)]);
    mustEnd(end, 20, 'was started by another process', 'hint:');
    await bed.stop(next);
    const found = plus(none, await bed.check());
    // a row of the zombie would be a second one, or one that nobody expects
    rmSync(`${dir}/a`, { recursive: true });
    return { zombies: 1, fenced: 1, rows_before: before.size, zombie_rows: found.dup + found.mismatch, ...found };
  });
}
