import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { compilePipeline } from '../../src/config/compile.ts';
import { loadPipeline } from '../../src/config/load.ts';
import { systemClock } from '../../src/engine/clock.ts';
import { EPOCH_BYTES } from '../../src/engine/loop.ts';
import { engineParts } from '../../src/engine/parts.ts';
import { PipelineRuntime } from '../../src/engine/runtime.ts';
import { formats } from '../../src/formats/index.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { GENERATED } from '../no-codegen.ts';
import { MemoryLog } from './stand-ins.ts';

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-slow-')); });
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const PIPELINE = `name: slow
sources:
  events: {schema: "id BIGINT, text STRING"}
sinks:
  out: {sql: "SELECT id, text FROM events"}
`;
const TEXT = 'x'.repeat(10_000);
const RECORDS = 9000;
/** Records of one poll. */
const POLL = 500;

it('a sink that takes nothing stops the source after two epochs of output, and nothing is lost once it goes on', async () => {
  const file = join(dir, 'slow.yaml');
  writeFileSync(file, PIPELINE);
  const { spec, plan } = compilePipeline(loadPipeline(file, { env: {}, root: dir }));
  const log = new MemoryLog();
  for (const name of ['events', 'out']) await log.createTopic({ name, partitions: 1, retention: null, config: {} });
  for (let i = 0; i < RECORDS; i++) log.send('events', 0, `{"id":${i},"text":"${TEXT}"}`, 0);
  let open = (): void => undefined;
  log.gate = new Promise(done => { open = done; });
  const store = openStateStore({ path: join(dir, 'slow.db'), pipeline: 'slow', logId: log.id, reset: false });
  const made = new PipelineRuntime({
    spec, plan, log, source: o => { const s = log.source(o); Object.assign(s, { most: POLL }); return s; }, store, formats, engine: engineParts, clock: systemClock, workers: null, notices: { warn: () => undefined, info: () => undefined }, taps: new Map(), committed: () => Promise.resolve(),
    options: { following: false, from: null, batchRows: 1000, jit: GENERATED, decoder: 'fast', onError: null, resume: null, backfill: false, memory: 1e9, packFrom: 1000, drain: 20_000, takeOver: false, ownerId: 'me' },
  });
  await made.open();
  const running = made.run(new AbortController().signal);
  // by hand: one epoch on its way, one full, and what a poll gave before it was
  const most = (2 * EPOCH_BYTES) / TEXT.length + 2 * POLL;
  let seen = -1;
  for (let quiet = 0; quiet < 20; ) {
    await new Promise(r => setTimeout(r, 50));
    const now = made.progress().counts.records_in;
    quiet = now === seen && now > EPOCH_BYTES / TEXT.length ? quiet + 1 : 0;
    seen = now;
  }
  expect(seen).toBeLessThan(most);
  expect(log.sources[0]?.position(0)).toBeLessThan(most);
  open();
  await running;
  await made.close();
  const out = log.values('out').map(v => (JSON.parse(v) as { id: number }).id).sort((a, b) => a - b);
  expect(out).toEqual(Array.from({ length: RECORDS }, (_, i) => i));
}, 300_000);
