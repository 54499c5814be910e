/** What state costs: memory of a key, the pause of a commit, the close of a window and a restart, through the real operators and state file. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compilePipeline } from '../../dist/config/compile.js';
import { loadPipeline } from '../../dist/config/load.js';
import { writeFileSync } from 'node:fs';
import { buildGraph } from '../../dist/engine/build.js';
import { PACK_GROUPS } from '../../dist/engine/group-store.js';
import { openStateStore } from '../../dist/state/sqlite.js';
import { spread } from './measure.mjs';

const BATCH = 1000;
const WINDOW = 10_000;
const PIPELINE = `name: state
sources:
  s: {schema: "k STRING, v DECIMAL(12,2), at BIGINT", event_time: {from: at, unit: ms, delay: 0s}}
sinks:
  out: {sql: "SELECT k, SUM(v) AS total, COUNT(*) AS n, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"}
`;

/** The operators of a sum and a count by a short key, on a state file in `dir`; `bytes` is what they hold. */
function job(dir, plan) {
  const store = openStateStore({ path: join(dir, 'state.db'), pipeline: 'state', logId: 'bench', reset: false });
  const j = { store, bytes: 0, rows: 0, epoch: store.saved().epoch };
  const context = { state: store, packFrom: PACK_GROUPS, share: null, disk: null, memory: (_o, _k, n) => { j.bytes += n; }, full: () => false, closed: () => undefined, counts: { filtered() {}, late() {}, failed() { throw new Error('a row failed'); } } };
  const graph = buildGraph(plan, context, new Map([['out', { push: b => { j.rows += b.length; }, watermark() {}, finish() {} }]]), true);
  j.graph = graph;
  j.input = graph.inputs.get('s');
  j.commit = () => {
    store.commit({ epoch: ++j.epoch, delivery: 0, positions: [], watermarks: new Map(), counters: new Map(), deadLetters: [], out: [] }, tx => { for (const o of graph.operators) o.snapshot(tx); });
    const done = performance.now();
    store.checkpoint();
    return done;
  };
  return j;
}

/** Keys [from, to) once each, in batches. */
function feed(j, plan, from, to) {
  const { schema } = plan.scans[0];
  for (let at = from; at < to; at += BATCH) {
    const n = Math.min(BATCH, to - at);
    const cols = schema.map(f => (f.name === 'k' ? Array.from({ length: n }, (_, i) => `k${at + i}`) : new Float64Array(n).fill(f.name === 'v' ? 125 : 5)));
    j.input.push({ schema, length: n, cols, nulls: schema.map(() => null), wm: new Float64Array(n).fill(-Infinity), origin: null });
  }
}

const timed = work => {
  const t = performance.now();
  const until = work();
  return (typeof until === 'number' ? until : performance.now()) - t;
};

/** Rows {name, unit, median, low, high} with their limits. */
export function state({ runs }) {
  const root = fileURLToPath(new URL('../../.pipe', import.meta.url));
  mkdirSync(root, { recursive: true });
  const found = new Map();
  const note = (name, unit, limit, value) => {
    if (!found.has(name)) found.set(name, { unit, limit, values: [] });
    found.get(name).values.push(value);
  };
  for (let run = 0; run < runs; run++) {
    const dir = mkdtempSync(join(root, 'bench-state-'));
    try {
      const file = join(dir, 'state.yaml');
      writeFileSync(file, PIPELINE);
      const { plan } = compilePipeline(loadPipeline(file, { env: {}, root: dir }));
      const small = job(dir, plan);
      for (const o of small.graph.operators) o.open();
      feed(small, plan, 0, 100_000);
      note('commit of 100,000 new keys, pause', 'ms', 50, timed(() => small.commit()));
      feed(small, plan, 0, 100_000);
      note('commit of 100,000 changed keys, pause', 'ms', 50, timed(() => small.commit()));
      note('close of a window of 100,000 keys', 'ms', 20, timed(() => { small.input.watermark(WINDOW); for (const o of small.graph.operators) o.resume(); }));
      note('commit after that close, pause', 'ms', null, timed(() => small.commit()));
      feed(small, plan, 0, 0);
      small.store.close();
      const large = job(dir, plan);
      for (const o of large.graph.operators) o.open();
      const { schema } = plan.scans[0];
      for (let at = 0; at < 1_000_000; at += BATCH) {
        large.input.push({ schema, length: BATCH, cols: schema.map(f => (f.name === 'k' ? Array.from({ length: BATCH }, (_, i) => `k${at + i}`) : new Float64Array(BATCH).fill(f.name === 'v' ? 125 : WINDOW + 5))), nulls: schema.map(() => null), wm: new Float64Array(BATCH).fill(-Infinity), origin: null });
        if (at % 250_000 === 0) large.commit();
      }
      large.commit();
      note('memory of a key, 1,000,000 keys', 'bytes', 130, large.bytes / 1e6);
      large.store.close();
      let again = null;
      note('restart with 1,000,000 keys', 'ms', 1000, timed(() => { again = job(dir, plan); for (const o of again.graph.operators) o.open(); }));
      if (again.graph.operators.reduce((n, o) => n + o.keys(), 0) !== 1_000_000) throw new Error('keys are missing after the restart');
      again.store.close();
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
  return [...found].map(([name, { unit, limit, values }]) => ({ name, unit, limit, ...spread(values) }));
}

