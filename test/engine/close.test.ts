import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import type { Batch } from '../../src/engine/batch.ts';
import { buildGraph } from '../../src/engine/build.ts';
import type { Graph } from '../../src/engine/graph.ts';
import type { OperatorContext } from '../../src/engine/operator.ts';
import type { PhysicalPlan } from '../../src/plan/physical.ts';
import { BIGINT } from '../../src/sql/types.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import type { StateStore } from '../../src/state/store.ts';
import { GENERATED } from '../no-codegen.ts';
import { WINDOW, countPipeline } from './stand-ins.ts';

const GROUPS = 20_000;

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-close-')); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

/** The operators of `COUNT(*) GROUP BY id, TUMBLE` on a state file; an epoch is full after `room` rows of output. */
class Job {
  readonly store: StateStore = openStateStore({ path: join(dir, 'p.db'), pipeline: 'p', logId: 'embedded', reset: false });
  readonly out: number[] = [];
  readonly #graph: Graph;
  readonly context: { -readonly [K in keyof OperatorContext]: OperatorContext[K] };
  #epoch = this.store.saved().epoch;
  #rows = 0;

  late = 0;

  /** `packFrom` null: every epoch puts all panes on disk, and they are read back in ranges of some 700 groups. */
  constructor(room: number, packFrom: number | null, plan: PhysicalPlan = countPipeline().plan) {
    this.context = {
      state: this.store, share: null, packFrom: packFrom ?? 1,
      disk: packFrom === null ? { used: 0, watch: Infinity, limit: -2, most: 1e9, step: 16 << 10, pressed: true, spilled: () => undefined } : null,
      memory: () => undefined, full: () => this.#rows >= room, closed: () => undefined,
      counts: { filtered: () => undefined, late: () => { this.late++; }, failed: (_o, _b, _i, code, message) => { throw new Error(`${code} ${message}`); } },
    };
    const sink = { push: (b: Batch) => { this.#rows += b.length; for (let i = 0; i < b.length; i++) this.out.push((b.cols[0] as number[])[i] as number); }, watermark: () => undefined, finish: () => undefined };
    this.#graph = buildGraph(plan, this.context, new Map(plan.sinks.map(w => [w.sink, sink])), GENERATED);
    for (const o of this.#graph.operators) o.open();
  }

  get input() { return this.#graph.inputs.get('events') as NonNullable<ReturnType<Graph['inputs']['get']>>; }

  /** True when nothing is left of a close. */
  resume(): boolean { return this.#graph.operators.every(o => o.resume()); }

  commit(): void {
    this.store.commit({ epoch: ++this.#epoch, delivery: 0, positions: [], watermarks: new Map(), counters: new Map(), deadLetters: [], out: [] }, tx => { for (const o of this.#graph.operators) o.snapshot(tx); });
    this.#rows = 0;
  }
}

const rows = (ids: readonly number[], time: number): Batch => ({
  schema: countPipeline().plan.scans[0]?.schema ?? [], length: ids.length, cols: [[...ids], new Float64Array(ids.length).fill(time)], nulls: [null, null],
  wm: new Float64Array(ids.length).fill(-Infinity), origin: null,
});

const ids = Array.from({ length: GROUPS }, (_, i) => (i * 7919) % GROUPS);

describe.each([['rows', Infinity], ['packed', 1], ['runs', null]] as const)('windows as %s in the state file', (_, packFrom) => {
  it.each([1, 2, 3, 4])('a close that is cut by full epochs, and by a crash after %s of them, gives every group once', epochs => {
    const first = new Job(GROUPS / 5, packFrom);
    first.input.push(rows(ids, 5));
    first.commit();
    first.input.watermark(WINDOW);
    for (let e = 0; e < epochs; e++) {
      expect(first.resume()).toBe(false);
      first.commit();
    }
    // what was pushed since the last commit is lost with the process, and comes again
    const delivered = first.out.length;
    first.resume();
    first.store.close();
    const second = new Job(Infinity, packFrom);
    second.input.push(rows([1], 5));
    second.input.watermark(WINDOW);
    expect(second.resume()).toBe(true);
    second.commit();
    expect([...first.out.slice(0, delivered), ...second.out].sort((a, b) => a - b)).toEqual(Array.from({ length: GROUPS }, (_, i) => i));
    second.store.close();
    const third = new Job(Infinity, packFrom);
    third.input.finish();
    expect(third.out).toEqual([]);
    third.store.close();
  });

  it('the rows of a close that was cut by a crash are not late for the grouping behind it, and come without a newer record', () => {
    const file = join(dir, 'two.yaml');
    writeFileSync(file, `name: two
sources:
  events:
    schema: id BIGINT, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
steps:
  tens: SELECT id, COUNT(*) AS c, window_start, window_end, window_time FROM events GROUP BY id, TUMBLE(ts, INTERVAL '10' SECOND)
sinks:
  minutes:
    sql: SELECT COUNT(*) AS n, window_start FROM tens GROUP BY TUMBLE(window_time, INTERVAL '10' SECOND)
`);
    const { plan } = compilePipeline(loadPipeline(file, { env: {}, root: dir }));
    // two full epochs a close; what counts is what reaches the sink, so the room is in calls
    let calls = 0;
    const job = (room: number): Job => {
      const made = new Job(Infinity, packFrom, plan);
      made.context.full = () => calls++ >= room;
      return made;
    };
    const first = job(2);
    first.input.push(rows(ids, 5));
    first.commit();
    first.input.watermark(WINDOW);
    expect(first.resume()).toBe(false);
    first.commit();
    first.store.close();
    calls = 0;
    const second = job(Infinity);
    // on disk, the grouping behind must have its newest rows there before it closes
    for (let n = 0; packFrom === null && n < 3 && !second.resume(); n++) second.commit();
    // nothing new is read: the loop only asks the operators to go on
    expect(second.resume()).toBe(true);
    expect([second.late, second.out]).toEqual([0, [GROUPS]]);
    second.store.close();
  });
});

it.each([1, 1e9])('state of other SQL is not taken over, packed or in rows (packed from %s groups)', packFrom => {
  const { plan } = countPipeline();
  const first = new Job(Infinity, packFrom, plan);
  first.input.push(rows([1, 2, 3], 5));
  first.commit();
  first.store.close();
  const others = plan.operators.map(o => ({ ...o, keys: [{ k: 'lit' as const, value: 1, type: BIGINT, nullable: false }] })) as PhysicalPlan['operators'];
  expect(() => new Job(Infinity, packFrom, { ...plan, operators: others })).toThrow(expect.objectContaining({ code: 'system.state.incompatible', message: expect.stringContaining('was made by other SQL') as string }));
});

describe.each([['on disk', null], ['packed', 1], ['in rows', 1e9]] as const)('groups without a window, %s', (_, packFrom) => {
  const { plan } = countPipeline({ window: false });

  it.each([1, 3])('come out once each time that they changed, also when the end is cut by %s full epochs and a crash', epochs => {
    const first = new Job(GROUPS / 5, packFrom, plan);
    first.input.push(rows(ids.slice(0, GROUPS / 2), 5));
    first.commit();
    first.input.push(rows(ids, 5));
    first.commit();
    first.input.finish();
    for (let e = 0; e < epochs; e++) {
      expect(first.resume()).toBe(false);
      first.commit();
    }
    const delivered = first.out.length;
    first.resume();
    first.store.close();
    const second = new Job(Infinity, packFrom, plan);
    // what is committed is not due again, but this one has changed
    const again = first.out[0] as number;
    second.input.push(rows([again], 6));
    second.commit();
    second.input.finish();
    expect(second.resume()).toBe(true);
    second.commit();
    expect([...first.out.slice(0, delivered), ...second.out].sort((a, b) => a - b)).toEqual([...ids, again].sort((a, b) => a - b));
    second.store.close();
    const third = new Job(Infinity, packFrom, plan);
    third.input.finish();
    third.resume();
    expect(third.out).toEqual([]);
    third.store.close();
  });

  it('wait for the next end when there was one before', () => {
    const first = new Job(Infinity, packFrom, plan);
    first.input.push(rows([1, 2], 5));
    first.commit();
    first.input.finish();
    for (let n = 0; n < 3 && !first.resume(); n++) first.commit();
    first.commit();
    first.store.close();
    const second = new Job(Infinity, packFrom, plan);
    expect(second.resume()).toBe(true);
    for (const id of [2, 3]) {
      second.input.push(rows([id], 6));
      second.commit();
      second.input.watermark(7 * id);
      second.resume();
    }
    expect(second.out).toEqual([]);
    second.input.finish();
    for (let n = 0; n < 3 && !second.resume(); n++) second.commit();
    expect(second.out.sort()).toEqual([2, 3]);
    second.store.close();
  });
});
