/**
 * node --expose-gc test/engine/leak.mjs FOLDER ROUNDS: opens and closes windows through the real operators and a state file, an epoch or more
 * each, half of them on disk, and prints what is left after each tenth of them as JSON lines: {heap, external, fds, wal, pages}.
 */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mayCompile } from '../../dist/codegen/writer.js';
import { compilePipeline } from '../../dist/config/compile.js';
import { loadPipeline } from '../../dist/config/load.js';
import { buildGraph } from '../../dist/engine/build.js';
import { RunContext } from '../../dist/engine/context.js';
import { openStateStore } from '../../dist/state/sqlite.js';
import { Database } from '../../dist/state/database.js';

const [dir, rounds] = [process.argv[2], Number(process.argv[3])];
const KEYS = 2000;
const WINDOW = 10_000;
const file = join(dir, 'leak.yaml');
writeFileSync(file, `name: leak
sources:
  s: {schema: "k STRING, v BIGINT, f DOUBLE, at BIGINT", event_time: {from: at, unit: ms, delay: 0s}}
sinks:
  out: {sql: "SELECT k, SUM(v) AS s, COUNT(DISTINCT v) AS d, AVG(f) AS a, LISTAGG(k) AS l, window_start FROM s GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)"}
`);
const { plan } = compilePipeline(loadPipeline(file, { env: {}, root: dir }));
const path = join(dir, 'leak.db');
const store = openStateStore({ path, pipeline: 'leak', logId: 'test', reset: false });
let rows = 0;
const counts = { filtered() {}, late() {}, failed() { throw new Error('a row failed'); } };
const contexts = [1e9, 1e6].map(limit => new RunContext(store, counts, limit, 1000, () => 0, null, undefined, () => undefined));
const sinks = new Map([['out', { push: b => { rows += b.length; }, watermark() {}, finish() {} }]]);
// one graph keeps its state in memory, the other one sends it to disk; the state file is for one of them at a time
const graphs = contexts.map(c => buildGraph(plan, c, sinks, mayCompile()));
let epoch = 0;
const { schema } = plan.scans[0];

function push(graph, window) {
  const cols = schema.map(f => (f.name === 'k' ? Array.from({ length: KEYS }, (_, i) => `key ${i} ${window % 7}`) : new Float64Array(KEYS).fill(f.name === 'ts' ? window * WINDOW + 5 : 3)));
  graph.inputs.get('s').push({ schema, length: KEYS, cols, nulls: schema.map(() => null), wm: new Float64Array(KEYS).fill(-Infinity), origin: null });
}

function commit(turn) {
  store.commit({ epoch: ++epoch, delivery: 0, positions: [], watermarks: new Map(), counters: new Map(), deadLetters: [], out: [] }, tx => { for (const o of graphs[turn].operators) o.snapshot(tx); });
  contexts[turn].committed();
  store.checkpoint();
}

for (const g of graphs) for (const o of g.operators) o.open();
for (let round = 0; round < rounds; round++) {
  const turn = round % 2;
  const graph = graphs[turn];
  for (const window of [round, round + 1]) {
    push(graph, window);
    commit(turn);
    push(graph, window);
  }
  commit(turn);
  graph.inputs.get('s').watermark((round + 2) * WINDOW);
  while (!graph.operators.every(o => o.resume())) commit(turn);
  commit(turn);
  if ((round + 1) % Math.ceil(rounds / 10) !== 0) continue;
  // the second one waits for what the first one has set to be swept beside it
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const db = new Database(path, { readonly: true });
  const pages = db.pragma('page_count', { simple: true });
  db.close();
  process.stdout.write(`${JSON.stringify({ heap: heapUsed, external: external + arrayBuffers, fds: readdirSync('/proc/self/fd').length, wal: statSync(`${path}-wal`).size, pages, used: contexts.map(c => c.used), rows, spilled: contexts[1].disk.written })}\n`);
}
store.close();
