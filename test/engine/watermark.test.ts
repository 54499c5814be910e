import { describe, expect, it } from 'vitest';
import type { Batch } from '../../src/engine/batch.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { Clock } from '../../src/engine/clock.ts';
import { EventTime } from '../../src/engine/watermark.ts';
import { STRING, TIMESTAMP_LTZ } from '../../src/sql/types.ts';

const HOUR = 3_600_000;
const schema = [{ name: 'id', type: STRING, nullable: true }, { name: 'ts', type: TIMESTAMP_LTZ, nullable: false }];

class TestClock implements Clock {
  wall = 1_700_000_000_000;
  mono = 0;
  now(): number { return this.wall; }
  elapsed(): number { return this.mono; }
  pass(ms: number): void { this.wall += ms; this.mono += ms; }
}

interface Row {
  readonly event: number;
  /** Record timestamp. */
  readonly at: number;
}

function batch(rows: readonly Row[]): Batch {
  const records = recordsFrom(rows.map((r, i) => ({ key: null, value: `${i}`, timestamp: r.at })));
  return {
    schema, length: rows.length, wm: null,
    cols: [rows.map((_, i) => `row ${i}`), Float64Array.from(rows, r => r.event)],
    nulls: [Uint8Array.from(rows, (_, i) => i % 2), null],
    origin: { records, rows: Int32Array.from(rows, (_, i) => i) },
  };
}

const at = (event: number): Row => ({ event, at: event });
const options = { delay: 5, idle: 100, maxFuture: HOUR, following: true };
const none = (): void => { throw new Error('no row is from the future here'); };

function make(partitions: number, more: Partial<typeof options> = {}): { time: EventTime; clock: TestClock } {
  const clock = new TestClock();
  const time = new EventTime({ ...options, ...more }, clock, -Infinity);
  for (let p = 0; p < partitions; p++) time.add(p, -Infinity);
  return { time, clock };
}

describe('the watermark of a row', () => {
  it('is the highest event time before it, minus the delay', () => {
    const { time, clock } = make(1);
    const b = time.stamp(batch([at(100), at(90), at(200), at(201)]), 1, 0, clock.now(), none);
    expect([...(b.wm as Float64Array).subarray(0, 4)]).toEqual([-Infinity, 95, 95, 195]);
    expect(time.advance(null)).toBe(196);
  });

  it('waits for the slowest live partition', () => {
    const { time, clock } = make(2);
    time.stamp(batch([at(100)]), 1, 0, clock.now(), none);
    expect(time.advance(null)).toBe(-Infinity);
    time.stamp(batch([at(50)]), 1, 1, clock.now(), none);
    expect(time.advance(null)).toBe(45);
    const b = time.stamp(batch([at(300), at(301)]), 1, 1, clock.now(), none);
    expect([...(b.wm as Float64Array).subarray(0, 2)]).toEqual([45, 95]);
    expect(time.holder()).toBe(0);
  });

  it('no longer waits for a partition that was read to its end', () => {
    const { time, clock } = make(2, { following: false });
    time.stamp(batch([at(100)]), 1, 0, clock.now(), none);
    time.done(1);
    expect(time.advance(null)).toBe(95);
    time.done(0);
    expect(time.advance(1000)).toBe(95);
  });

  it('goes on from a saved epoch and not back when a slower partition appears', () => {
    const clock = new TestClock();
    const time = new EventTime(options, clock, 95);
    time.add(0, 100);
    time.add(1, -Infinity);
    expect(time.advance(null)).toBe(95);
    const b = time.stamp(batch([at(20)]), 1, 1, clock.now(), none);
    expect((b.wm as Float64Array)[0]).toBe(95);
  });
});

describe('idleness', () => {
  it('lets a quiet partition go after `idle` and takes it back with its next record', () => {
    const { time, clock } = make(2);
    time.stamp(batch([at(100)]), 1, 0, clock.now(), none);
    time.observe(1, clock.now());
    clock.pass(99);
    time.observe(1, clock.now() - 99);
    expect(time.advance(null)).toBe(-Infinity);
    clock.pass(1);
    time.observe(1, clock.now() - 100);
    expect(time.advance(null)).toBe(95);
    time.observe(1, null);
    time.stamp(batch([at(120)]), 1, 0, clock.now(), none);
    expect(time.advance(null)).toBe(95);
    expect(time.isLive(1)).toBe(true);
  });

  it('begins again after a break, and does not feel a jump of the wall clock', () => {
    const { time, clock } = make(1);
    time.stamp(batch([at(100)]), 1, 0, clock.now(), none);
    const since = clock.now();
    time.observe(0, since);
    clock.wall += 86_400_000;
    time.observe(0, since);
    expect(time.isLive(0)).toBe(true);
    clock.pass(99);
    time.observe(0, since + 50);
    clock.pass(99);
    time.observe(0, since + 50);
    expect(time.isLive(0)).toBe(true);
    clock.pass(1);
    time.observe(0, since + 50);
    expect(time.isLive(0)).toBe(false);
  });

  it('is the same to another reader of the source, until it says otherwise', () => {
    const { time, clock } = make(2);
    const since = clock.now();
    for (const p of [0, 1]) time.observe(p, since);
    clock.pass(60);
    time.handOn();
    // of its own it has seen this quiet only now
    time.observe(0, clock.now());
    time.observe(1, null);
    clock.pass(40);
    time.observe(0, clock.now() - 40);
    time.observe(1, clock.now());
    expect([time.isLive(0), time.isLive(1)]).toEqual([false, true]);
    // and once only
    time.observe(0, clock.now());
    expect(time.isLive(0)).toBe(true);
  });

  it('lets event time go on with the clock, up to the last open window', () => {
    const { time, clock } = make(1);
    time.stamp(batch([at(1000)]), 1, 0, clock.now(), none);
    const since = clock.now();
    time.observe(0, since);
    clock.pass(100);
    time.observe(0, since);
    expect(time.advance(null)).toBe(995);
    expect(time.advance(2000)).toBe(1095);
    clock.pass(5000);
    expect(time.advance(2000)).toBe(1999);
    clock.pass(5000);
    expect(time.advance(null)).toBe(1999);
    // the next record is judged by the clock that went on
    time.observe(0, null);
    const b = time.stamp(batch([at(1500), at(3000)]), 1, 0, clock.now(), none);
    expect([...(b.wm as Float64Array).subarray(0, 2)]).toEqual([1999, 1999]);
    expect(time.advance(3500)).toBe(2995);
  });

  it('is not in force in until-end', () => {
    const { time, clock } = make(1, { following: false });
    time.stamp(batch([at(1000)]), 1, 0, clock.now(), none);
    time.observe(0, clock.now());
    clock.pass(100_000);
    time.observe(0, clock.now() - 100_000);
    expect(time.isLive(0)).toBe(true);
    expect(time.advance(5000)).toBe(995);
  });
});

describe('a record from the future', () => {
  const run = (following: boolean, rows: readonly Row[], fetchedAt: number): { left: string[]; removed: number[]; wm: number[]; end: number; offsets: number[] } => {
    const { time } = make(1, { following });
    const removed: number[] = [];
    const b = time.stamp(batch(rows), 1, 0, fetchedAt, (_, i) => removed.push(i));
    return {
      left: (b.cols[0] as string[]).slice(0, b.length), removed, wm: [...(b.wm as Float64Array).subarray(0, b.length)], end: time.advance(null),
      offsets: [...(b.origin?.rows ?? [])].slice(0, b.length),
    };
  };

  it('moves no clock and is left out, with the rest in place', () => {
    const now = 10 * HOUR;
    const rows = [{ event: now, at: now }, { event: now + HOUR + 1, at: now }, { event: now + HOUR, at: now }, { event: now + 1, at: now }];
    expect(run(true, rows, now)).toEqual({
      left: ['row 0', 'row 2', 'row 3'], removed: [1], offsets: [0, 2, 3], wm: [-Infinity, now - 5, now + HOUR - 5], end: now + HOUR - 5,
    });
  });

  it('is measured at the fetch time too when following, since the record may carry the same wrong clock', () => {
    const rows = [{ event: 5 * HOUR, at: 5 * HOUR }];
    expect(run(true, rows, HOUR).removed).toEqual([0]);
    expect(run(false, rows, HOUR).removed).toEqual([]);
  });

  it('keeps NULLs with their rows', () => {
    const { time } = make(1);
    const b = time.stamp(batch([at(1), { event: 3 * HOUR, at: 0 }, at(2), at(3)]), 1, 0, HOUR, () => undefined);
    expect([...(b.nulls[0] as Uint8Array)]).toEqual([0, 0, 1]);
  });
});

/** The rules of design.md section 3, 1-2 and 7, one row at a time and without any cleverness. */
class Model {
  readonly max = new Map<number, number>();
  readonly live = new Set<number>();
  watermark = -Infinity;
  #compute(): number { return Math.min(...[...this.live].map(p => (this.max.get(p) as number) - options.delay)); }
  row(p: number, r: Row, limit: number): number | null {
    const w = this.live.size === 0 ? -Infinity : this.#compute();
    this.watermark = Math.max(this.watermark, w);
    if (r.event > limit + options.maxFuture) return null;
    const before = this.watermark;
    this.max.set(p, Math.max(this.max.get(p) as number, r.event));
    this.watermark = Math.max(this.watermark, this.#compute());
    return before;
  }
}

describe('stamping in batches', () => {
  const seed = Number(process.env['PIPE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const cases = Number(process.env['PIPE_CASES'] ?? 300);

  it(`equals the rule applied row by row (seed ${seed}, ${cases} cases)`, () => {
    let state = seed;
    const random = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * n);
    };
    for (let c = 0; c < cases; c++) {
      const partitions = 1 + random(4);
      const { time } = make(partitions, { following: false });
      const model = new Model();
      for (let p = 0; p < partitions; p++) { model.max.set(p, -Infinity); model.live.add(p); }
      let clock = 1000;
      for (let step = 0; step < 20; step++) {
        const p = random(partitions);
        if (!model.live.has(p)) continue;
        const rows = Array.from({ length: random(8) }, (): Row => {
          clock += random(10);
          const event = clock - random(40) + (random(30) === 0 ? 2 * HOUR : 0);
          return { event, at: clock };
        });
        const expected = rows.map(r => model.row(p, r, r.at)).filter(w => w !== null);
        const size = 1 + random(rows.length);
        const got: number[] = [];
        for (let i = 0; i < rows.length; i += size) {
          const b = time.stamp(batch(rows.slice(i, i + size)), 1, p, 0, () => undefined);
          got.push(...(b.wm as Float64Array).subarray(0, b.length));
          time.advance(null);
        }
        expect(got).toEqual(expected);
        if (random(12) === 0 && model.live.size > 1) { model.live.delete(p); time.done(p); time.advance(null); }
      }
    }
  });
});
