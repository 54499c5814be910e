import { availableParallelism, loadavg } from 'node:os';
import Sqlite from 'better-sqlite3';
import { type Failpoint, failpoints } from '../../src/failpoint.ts';
import { type Bed, type BedOptions, mustDie, onBed } from './bed.ts';
import type { Figures, PassOptions, Promised } from './promise.ts';
import { add } from './promise.ts';
import { type ShapeName, shapeNames } from './workload.ts';

/** ms in which a step must be reached. */
const REACH_MS = 90_000;
/** Processes that want each core, from which on a step may be slow for no fault of ours. */
const BUSY = 2;
/** All that was written is compared after so many kills. */
const STEPS_A_CHECK = 5;

const resend: readonly Failpoint[] = ['recover.resend.before', 'recover.resend.after'];
const stop: readonly Failpoint[] = ['drain.before', 'drain.after'];
const transaction: readonly Failpoint[] = ['marker.read', 'marker.fenced', 'txn.begin', 'produce.before', 'produce.after', 'offsets.before', 'offsets.after', 'end.before', 'end.sent', 'end.after'];
const plain: readonly Failpoint[] = ['plain.between'];
const embedded: readonly Failpoint[] = ['append.before', 'append.marker', 'append.after'];
const once: readonly Failpoint[] = ['state.made', 'state.upgrading', 'recover.before', 'marker.read', 'marker.fenced', ...resend, ...stop];
/** Worker threads decode elsewhere. */
const oneThread: readonly Failpoint[] = ['decode.after'];

interface Setting extends Omit<BedOptions, 'seed' | 'shape'> {
  readonly label: string;
  readonly without: readonly Failpoint[];
  /** Dying there, at that time, leaves output that is owed. */
  readonly owes: `${Failpoint}:${number}`;
  readonly dups: boolean;
}

function settings(brokers: string | null): Setting[] {
  const all: Setting[] = [
    { label: 'embedded', brokers: null, without: [...transaction, ...plain], owes: 'append.before:1', dups: false },
    { label: 'kafka', brokers, without: [...embedded, ...plain], owes: 'produce.before:1', dups: false },
    { label: 'embedded, 2 workers', brokers: null, workers: 2, without: [...transaction, ...plain, ...oneThread], owes: 'append.before:1', dups: false },
    { label: 'kafka, at-least-once', brokers, settings: ', delivery: at-least-once', without: [...embedded, ...transaction], // the first is that of the start, which has the marker alone
      owes: 'plain.between:2', dups: true },
    { label: 'kafka, 2 workers', brokers, workers: 2, without: [...embedded, ...plain, ...oneThread], owes: 'produce.before:1', dups: false },
  ];
  return brokers === null ? all.filter(s => s.label.startsWith('embedded')) : all;
}

export const p2: Promised = {
  id: 'P2',
  promise: 'kill -9 at every step of start, recovery, epoch, delivery and stop: nothing lost, nothing twice (at-least-once: nothing lost)',
  needs: 'nothing',
  // of the 5 settings, in turn; each takes all its steps
  rounds: 1,
  zero: ['lost', 'dup', 'mismatch', 'missed'],
  async run(o) {
    const all = settings(o.brokers);
    let figures: Figures = {};
    for (let i = 0; i < o.rounds; i++) figures = add(figures, await steps(o, all[(o.seed + i) % all.length] as Setting, shapeNames[(o.seed + i) % shapeNames.length] as ShapeName));
    return figures;
  },
};

async function steps(o: PassOptions, s: Setting, shape: ShapeName): Promise<Figures> {
  const points = failpoints.filter(p => !s.without.includes(p));
  return onBed({ ...s, seed: o.seed, shape }, async bed => {
    let [kills, dups] = [0, 0];
    let since: string[] = [];
    const [missed, unreached]: [string[], string[]] = [[], []];
    // what was not reached has broken no promise: it has tested none. That counts as wrong where there was time for it, twice
    const take = async (step: string, stopping = false): Promise<void> => {
      for (let tries = 0; tries < 2; tries++) {
        kills++;
        if (await die(bed, step, stopping)) return;
      }
      (busy() ? unreached : missed).push(step);
    };
    const check = async (): Promise<void> => {
      const found = await bed.check();
      if (found.lost + found.mismatch > 0 || (found.dup > dups && !s.dups)) throw new Error(`${s.label}, ${shape}, after ${since.join(', ')}: lost=${found.lost} dup=${found.dup} mismatch=${found.mismatch}`);
      dups = found.dup;
      since = [];
    };
    for (const point of points) {
      // the n-th time that a step is reached; those of a start come once
      const step = once.includes(point) ? `${point}:1` : `${point}:${1 + Math.floor(bed.chance() * 3)}`;
      if (point === 'state.upgrading') {
        await check();
        downgrade(bed);
      }
      if (resend.includes(point)) await take(s.owes);
      since.push(step);
      await take(step, stop.includes(point));
      if (since.length === STEPS_A_CHECK) await check();
    }
    if (since.length > 0) await check();
    if (missed.length > 0) o.say(`${s.label}: never reached ${missed.join(', ')}`);
    if (unreached.length > 0) o.say(`${s.label}: not reached on a machine that has other work to do: ${unreached.join(', ')}`);
    return { settings: 1, points: points.length, kills, missed: missed.length, unreached: unreached.length, records: bed.work.records, lost: 0, dup: 0, mismatch: 0, ...(s.dups ? { allowed_dups: dups } : {}) };
  });
}

const busy = (): boolean => (loadavg()[0] as number) > BUSY * availableParallelism();

/** Runs until the step kills it; false when it was not reached. */
async function die(bed: Bed, failpoint: string, stopping = false): Promise<boolean> {
  const run = stopping ? await bed.begin({ failpoint }) : bed.start({ failpoint });
  if (stopping) {
    await bed.feedWhile(run, 300);
    run.kill('SIGTERM');
  }
  const ended = await bed.feedWhile(run, REACH_MS);
  if (!ended) run.kill('SIGKILL');
  mustDie(await run.finished);
  return ended;
}

/** The state file as the layout before had it. */
function downgrade(bed: Bed): void {
  const db = new Sqlite(bed.state);
  db.exec('DROP TABLE spilled; PRAGMA user_version = 3');
  db.close();
}
