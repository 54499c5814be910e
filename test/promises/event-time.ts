import type { Clock } from '../../src/engine/clock.ts';
import { whole } from '../random.ts';
import { GENERATED } from '../no-codegen.ts';
import { compiled, MemoryRun, type MemoryRecord } from './memory-run.ts';
import type { Promised } from './promise.ts';
import { Sandbox } from './sandbox.ts';

const START = Date.UTC(2024, 0, 1);
const SIZE = 10_000;
const SLIDE = 4000;
const HOP_SIZE = 12_000;
const DELAY = 5000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const IDLE = 10_000;

type Pick = ReturnType<typeof whole>;

const text = (unit = 'ms'): string => `name: sums
sources:
  t:
    schema: k STRING, v BIGINT, at BIGINT
    event_time: {from: at, unit: ${unit}, delay: ${DELAY}ms, idle: ${IDLE}ms}
sinks:
  tumbling:
    sql: SELECT k, COUNT(*) AS n, SUM(v) AS s, window_end FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)
  hopping:
    sql: SELECT k, COUNT(*) AS n, SUM(v) AS s, window_end FROM t GROUP BY k, HOP(ts, INTERVAL '4' SECOND, INTERVAL '12' SECOND)
settings: {checkpoint: 1ms}
`;

interface Event {
  readonly k: string;
  readonly v: number;
  readonly at: number;
  readonly partition: number;
}

const event = (k: string, v: number, at: number, partition = 0): Event => ({ k, v, at, partition });
const record = (e: Event, timestamp = e.at): MemoryRecord => ({ partition: e.partition, value: JSON.stringify({ k: e.k, v: e.v, at: e.at }), timestamp });

/** In order of event time. */
function ordered(pick: Pick, n: number, partitions = 1): Event[] {
  let at = START + pick(SIZE);
  return Array.from({ length: n }, (_, i) => event(`k${pick(5)}`, i, (at += pick(1500)), pick(partitions)));
}

/** No event comes behind one that is `bound` ms or more later. */
function shuffled(events: readonly Event[], pick: Pick, bound: number): Event[] {
  return events.map(e => ({ e, key: e.at + pick(bound) })).sort((a, b) => a.key - b.key).map(x => x.e);
}

type Ends = (at: number) => number[];
const tumbling: Ends = at => [Math.floor(at / SIZE) * SIZE + SIZE];
const hopping: Ends = at => Array.from({ length: HOP_SIZE / SLIDE }, (_, i) => Math.floor(at / SLIDE) * SLIDE - i * SLIDE + HOP_SIZE);

/** What a person would compute by hand: each event into its windows, those left out that `closed` says. Also the offsets of events that no window took. */
function byHand(events: readonly Event[], ends: Ends, closed: (i: number, end: number) => boolean = () => false): { rows: string[]; late: number[] } {
  const groups = new Map<string, { k: string; end: number; n: number; s: number }>();
  const late: number[] = [];
  events.forEach((e, i) => {
    const open = ends(e.at).filter(end => !closed(i, end));
    if (open.length === 0) late.push(i);
    for (const end of open) {
      const g = groups.get(`${e.k} ${end}`) ?? { k: e.k, end, n: 0, s: 0 };
      groups.set(`${e.k} ${end}`, g);
      g.n++;
      g.s += e.v;
    }
  });
  return { rows: [...groups.values()].map(g => `{"k":"${g.k}","n":${g.n},"s":${g.s},"window_end":${g.end}}`).sort(), late };
}

const both = (events: readonly Event[]): Readonly<Record<string, readonly string[]>> => ({ hopping: byHand(events, hopping).rows, tumbling: byHand(events, tumbling).rows });

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const rowsOf = (rows: Readonly<Record<string, readonly string[]>>): unknown => ({ hopping: rows['hopping'], tumbling: rows['tumbling'] });

const BATCHES = [1, 2, 7, 8192];

/** A round is one shuffle. */
export const inOrder: Promised = {
  id: 'P21',
  promise: 'rows out of order by less than the delay give the result of rows in order',
  must: { mismatch: 0, late: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(text());
    const found = { shuffles: 0, mismatch: 0, late: 0 };
    for (let n = 0; n < rounds; n++) {
      const events = ordered(pick, 20 + pick(60));
      const run = new MemoryRun(c, 1, { batch: BATCHES[pick(4)] as number, jit: pick(8) === 0 && GENERATED });
      run.send('t', shuffled(events, pick, DELAY).map(e => record(e)));
      const { rows, counts } = await run.toEnd();
      found.shuffles++;
      found.late += counts['late'] as number;
      if (equal(rowsOf(rows), both(events))) continue;
      found.mismatch++;
      wrong.push(`shuffle ${n}: ${JSON.stringify(rowsOf(rows)).slice(0, 300)}`);
    }
    return found;
  },
};

/** A round is one stream of a hundred rows and more, many of them late. */
export const lateness: Promised = {
  id: 'P22',
  promise: 'a row is late exactly when the last ms of every window it belongs to is not beyond the watermark before it; late rows are counted and kept by operator',
  must: { mismatch: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(text());
    const operators = new Map(c.plan.operators.flatMap(o => (o.k === 'aggregate' ? [[o.query, o.id] as const] : [])));
    const found = { rows: 0, late: 0, mismatch: 0 };
    for (let n = 0; n < rounds; n++) {
      // some rows exactly at the edge of a window, and some one ms beside
      const events = shuffled(ordered(pick, 100 + pick(50)), pick, 4 * SIZE).map(e => (pick(4) === 0 ? { ...e, at: Math.floor(e.at / SIZE) * SIZE + pick(3) - 1 } : e));
      const watermarks: number[] = [];
      let max = -Infinity;
      for (const e of events) { watermarks.push(max - DELAY); max = Math.max(max, e.at); }
      const closed = (i: number, end: number): boolean => end - 1 <= (watermarks[i] as number);
      const run = new MemoryRun(c, 1, { batch: BATCHES[pick(4)] as number, most: 1 + pick(200), jit: pick(2) === 0 && GENERATED });
      run.send('t', events.map(e => record(e)));
      const { rows, counts, letters } = await run.toEnd();
      const wanted = { tumbling: byHand(events, tumbling, closed), hopping: byHand(events, hopping, closed) };
      const kept = (query: string): number[] => letters.filter(l => l.operator === operators.get(query) && l.code === 'user.data.late').map(l => l.offset);
      const seen = { tumbling: { rows: rows['tumbling'], late: kept('tumbling') }, hopping: { rows: rows['hopping'], late: kept('hopping') } };
      found.rows += events.length;
      found.late += counts['late'] as number;
      if (equal(seen, wanted) && counts['late'] === wanted.tumbling.late.length + wanted.hopping.late.length && letters.length === counts['late']) continue;
      found.mismatch++;
      wrong.push(`stream ${n}: ${JSON.stringify({ counts, seen }).slice(0, 500)} instead of ${JSON.stringify(wanted).slice(0, 500)}`);
    }
    return found;
  },
};

/** A clock that tests own. */
class OwnClock implements Clock {
  wall = START + 400 * DAY;
  mono = 0;
  now(): number { return this.wall; }
  elapsed(): number { return this.mono; }
}

const turn = (): Promise<void> => new Promise(done => setImmediate(done));

/** Lets a following run go on until `met`, or gives up after some thousand turns of the event loop. */
async function goOn(run: MemoryRun, clock: OwnClock, met: () => boolean): Promise<boolean> {
  for (let n = 0; n < 5000 && !met(); n++) {
    clock.mono += 1;
    clock.wall += 1;
    for (const s of run.log.sources) s.wake();
    await turn();
  }
  return met();
}

/** A round is one jump of the wall clock of up to a day, back or forth, in the middle of a following run. */
export const clockJumps: Promised = {
  id: 'P23',
  promise: 'jumps of the wall clock change no result of event time',
  must: { mismatch: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(text());
    const found = { jumps: 0, mismatch: 0 };
    while (found.jumps < rounds) {
      const events = shuffled(ordered(pick, 60), pick, DELAY);
      const clock = new OwnClock();
      const run = new MemoryRun(c, 1, { following: true, clock, batch: BATCHES[pick(4)] as number });
      const stop = new AbortController();
      await run.runtime.open();
      const running = run.runtime.run(stop.signal);
      running.catch(() => undefined);
      for (let i = 0; i < events.length; i += 12) {
        run.send('t', events.slice(i, i + 12).map(e => record(e)));
        await goOn(run, clock, () => run.runtime.progress().counts.records_in >= Math.min(events.length, i + 12));
        clock.wall += (pick(2) === 0 ? 1 : -1) * pick(DAY);
        found.jumps++;
      }
      // what is still open closes by silence, which the monotonic clock times
      clock.mono += IDLE;
      const wanted = both(events);
      const all = (wanted['tumbling'] as readonly string[]).length + (wanted['hopping'] as readonly string[]).length;
      await goOn(run, clock, () => { if (run.log.values('tumbling').length + run.log.values('hopping').length < all) clock.mono += 100; return run.log.values('tumbling').length + run.log.values('hopping').length >= all; });
      stop.abort();
      await running;
      await run.runtime.close();
      const { rows, counts } = run.result();
      if (equal(rowsOf(rows), wanted) && counts['late'] === 0 && counts['future'] === 0) continue;
      found.mismatch++;
      wrong.push(`after ${found.jumps} jumps: ${JSON.stringify(counts)} ${JSON.stringify(rowsOf(rows)).slice(0, 300)}`);
    }
    return found;
  },
};

/** A round is one event of a wrong clock among a thousand others, per kind of wrong clock. */
export const wrongClocks: Promised = {
  id: 'P24',
  promise: 'an event from 2999 or 1970, or in another unit of time, closes no window',
  must: { windows_closed_early: 0, unkept: 0, unwarned: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const found = { events: 0, windows_closed_early: 0, dead_letters: 0, unkept: 0, unwarned: 0 };
    const kinds = [['ms', Date.UTC(2999, 0, 1), 'user.data.future_event'], ['ms', START * 1000, 'user.data.future_event'], ['ms', 0, 'user.data.late'], ['ms', START / 1000, 'user.data.late'], ['ms', -DAY, 'user.data.late'], ['s', START, 'user.data.future_event']] as const;
    for (let n = 0; n < rounds; n++) {
      for (const [unit, at, code] of kinds) {
        const events = ordered(pick, 1000).map(e => (unit === 's' ? { ...e, at: Math.floor(e.at / 1000) * 1000 } : e));
        const records = events.map(e => record({ ...e, at: unit === 's' ? e.at / 1000 : e.at }, e.at));
        const where = 1 + pick(999);
        records.splice(where, 0, { partition: 0, value: JSON.stringify({ k: 'wrong', v: 1, at }), timestamp: (events[where] as Event).at });
        const run = new MemoryRun(compiled(text(unit)), 1, { batch: BATCHES[pick(4)] as number });
        run.send('t', records);
        const { rows, letters } = await run.toEnd();
        found.events += records.length;
        found.dead_letters += letters.length;
        // one late for each of the two operators, one future for the record
        if (letters.length !== (code === 'user.data.late' ? 2 : 1) || letters.some(l => l.code !== code || l.offset !== where)) { found.unkept++; wrong.push(`${unit} ${at}: ${letters.map(l => `${l.code} ${l.offset}`).join(', ')}`); }
        if (!equal(rowsOf(rows), both(events))) { found.windows_closed_early++; wrong.push(`${unit} ${at} at ${where}: other rows`); }
      }
      // all of them in another unit is a mistake in the file: it is said
      const run = new MemoryRun(compiled(text('ms')), 1);
      run.send('t', ordered(pick, 200).map(e => record({ ...e, at: Math.floor(e.at / 1000) }, e.at)));
      const { warnings } = await run.toEnd();
      if (!warnings.some(w => w.includes('look like s, but event_time.unit is ms'))) { found.unwarned++; wrong.push(`no warning of the unit: ${warnings.join('; ')}`); }
    }
    return found;
  },
};

/** A round is one following run with a silent partition among three. */
export const silence: Promised = {
  id: 'P25',
  promise: 'a silent partition is named and does not hold the others back for longer than `idle`',
  must: { stalled: 0, unnamed: 0, early: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(text());
    const found = { runs: 0, max_stall_ms: 0, stalled: 0, unnamed: 0, early: 0 };
    for (let n = 0; n < rounds; n++) {
      const silent = pick(3);
      const clock = new OwnClock();
      const run = new MemoryRun(c, 3, { following: true, clock });
      const stop = new AbortController();
      await run.runtime.open();
      const running = run.runtime.run(stop.signal);
      running.catch(() => undefined);
      const quiet = clock.mono;
      const out = (): number => run.log.values('tumbling').length;
      // the others go on all the time, so that they are never silent themselves
      let at = START;
      let sent = 0;
      const speak = async (): Promise<void> => {
        at += 1000;
        run.send('t', [0, 1, 2].filter(p => p !== silent).map(p => record(event('k', 1, at, p))));
        sent += 2;
        await goOn(run, clock, () => run.runtime.progress().counts.records_in >= sent);
      };
      while (clock.mono - quiet < IDLE - 1000) {
        await speak();
        clock.mono += 500;
      }
      if (out() > 0) { found.early++; wrong.push(`run ${n}: rows after ${clock.mono - quiet} ms`); }
      const holder = run.runtime.progress().sources[0]?.holder;
      if (holder !== silent) { found.unnamed++; wrong.push(`run ${n}: partition ${silent} is silent, ${String(holder)} is named`); }
      while (out() === 0 && clock.mono - quiet < 3 * IDLE) {
        await speak();
        clock.mono += 50;
      }
      const stall = clock.mono - quiet;
      found.runs++;
      found.max_stall_ms = Math.max(found.max_stall_ms, stall);
      if (stall > IDLE + 1000) { found.stalled++; wrong.push(`run ${n}: rows after ${stall} ms only`); }
      stop.abort();
      await running;
      await run.runtime.close();
    }
    return found;
  },
};

/** Each partition in its order, the partitions in any. */
function interleaved(events: readonly Event[], partitions: number, pick: Pick): Event[] {
  const queues = Array.from({ length: partitions }, (_, p) => events.filter(e => e.partition === p));
  const result: Event[] = [];
  while (result.length < events.length) {
    const next = queues[pick(partitions)]?.shift();
    if (next !== undefined) result.push(next);
  }
  return result;
}

/** A round is one more run over the same records; every tenth on the embedded log, with worker threads. */
export const sameRows: Promised = {
  id: 'P26',
  promise: 'the same input gives the same rows whatever the batches, polls, interleaving of partitions and workers',
  must: { distinct_outputs: 1, late: 0 },
  async run({ rounds, seed }, wrong = []) {
    const pick = whole(seed);
    const c = compiled(text());
    const events = shuffled(ordered(pick, 400, 3), pick, DELAY);
    const outputs = new Set([JSON.stringify(both(events))]);
    const found = { runs: 0, distinct_outputs: 1, late: 0 };
    const take = (rows: unknown, how: string): void => {
      const before = outputs.size;
      outputs.add(JSON.stringify(rows));
      if (outputs.size > before) wrong.push(`other rows with ${how}: ${JSON.stringify(rows).slice(0, 300)}`);
      found.runs++;
    };
    for (let n = 0; n < rounds; n++) {
      const batch = BATCHES[pick(4)] as number;
      if (n % 10 === 9) {
        const box = await Sandbox.open();
        try {
          box.write('pipelines/sums.yaml', text());
          await box.send('t', 3, interleaved(events, 3, pick).map(e => ({ value: Buffer.from(record(e).value), partition: e.partition })));
          const workers = 1 + pick(3);
          const { problems } = await box.run(['sums', '--no-print', '--quiet', '--workers', String(workers)], { PIPE_BATCH_ROWS: String(batch) });
          for (const p of problems) wrong.push(String(p));
          take({ hopping: await box.rows('hopping'), tumbling: await box.rows('tumbling') }, `${workers} workers, batches of ${batch}`);
          found.late += box.counters('sums')['late'] as number;
        } finally {
          await box.close();
        }
      } else {
        const most = [1, 3, 50, Infinity][pick(4)] as number;
        const run = new MemoryRun(c, 3, { batch, most, jit: pick(4) === 0 && GENERATED });
        run.send('t', interleaved(events, 3, pick).map(e => record(e)));
        const { rows, counts } = await run.toEnd();
        take(rowsOf(rows), `batches of ${batch}, polls of ${most}`);
        found.late += counts['late'] as number;
      }
    }
    return { ...found, distinct_outputs: outputs.size };
  },
};
