import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onBed, plus, none } from './bed.ts';
import type { Promised } from './promise.ts';
import { shapeNames, type ShapeName } from './workload.ts';

const SAMPLE_MS = 1000;
/** Growth in percent that a short run may show in its second half, and a long one a minute. */
const NOISE = 20;
const A_MINUTE = 1;
const PAGE_KB = 4;
/** A state of a few hundred kB takes its pages when a checkpoint comes: growth is a share of so much at least, in bytes. */
const SMALL_STATE = 1 << 20;
/** Of a write-ahead log. */
const MOST_WAL = 64 << 20;

/** Loaded into the process: writes what its heap holds after a collection to the file, each second. */
const heapWatch = (file: string): string => `import { renameSync, writeFileSync } from 'node:fs';
import v8 from 'node:v8';
import vm from 'node:vm';
v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const note = () => {
  gc();
  writeFileSync(${JSON.stringify(`${file}.new`)}, String(process.memoryUsage().heapUsed));
  renameSync(${JSON.stringify(`${file}.new`)}, ${JSON.stringify(file)});
};
note();
setInterval(note, ${SAMPLE_MS}).unref();
`;

interface Sample {
  readonly heap: number;
  readonly rss: number;
  readonly fds: number;
  readonly state: number;
}

export const p30: Promised = {
  id: 'P30',
  promise: 'a run that goes on grows in nothing: heap after a collection, resident memory, descriptors, state file, write-ahead logs',
  needs: 'nothing',
  // seconds
  rounds: 20,
  zero: ['lost', 'dup', 'mismatch', 'growing', 'long_wals'],
  async run(o) {
    if (process.platform !== 'linux') return { skipped: 'no /proc' };
    const shape = shapeNames[o.seed % shapeNames.length] as ShapeName;
    return onBed({ seed: o.seed, shape, brokers: o.seed % 2 === 0 ? o.brokers : null }, async bed => {
      const { dir } = bed.project;
      const heap = join(dir, 'heap');
      writeFileSync(join(dir, 'watch.mjs'), heapWatch(heap));
      const run = await bed.begin({ env: { NODE_OPTIONS: `--import ${join(dir, 'watch.mjs')}` } });
      const proc = `/proc/${run.child.pid}`;
      const samples: Sample[] = [];
      let wal = 0;
      for (const end = performance.now() + o.rounds * 1000; performance.now() < end;) {
        if (await bed.feedWhile(run, SAMPLE_MS)) throw new Error(`it ended by itself\n${run.err}`);
        wal = Math.max(wal, ...walSizes(dir));
        samples.push({
          heap: Number(readFileSync(heap, 'utf8')), rss: Number(readFileSync(`${proc}/statm`, 'utf8').split(' ')[1]) * PAGE_KB << 10, fds: readdirSync(`${proc}/fd`).length, state: statSync(bed.state).size,
        });
      }
      await bed.stop(run);
      const found = plus(none, await bed.check());
      const half = samples.slice(samples.length >> 1);
      const limit = Math.max(NOISE, (A_MINUTE * half.length * SAMPLE_MS) / 60_000);
      const growth = (['heap', 'rss', 'fds', 'state'] as const).map(k => ({ k, percent: growthOf(half.map(s => s[k]), k === 'state' ? SMALL_STATE : 0) }));
      for (const g of growth) o.say(`${g.k} ${g.percent.toFixed(1)} % in the second ${Math.round((half.length * SAMPLE_MS) / 1000)} s`);
      return {
        seconds: o.rounds, records: bed.work.records, max_rss_mb: most(samples.map(s => s.rss)) >> 20, max_heap_mb: most(samples.map(s => s.heap)) >> 20, max_fds: most(samples.map(s => s.fds)),
        max_state_mb: most(samples.map(s => s.state)) >> 20, max_wal_mb: wal >> 20, max_growth_pct: Math.round(most(growth.map(g => g.percent))),
        growing: growth.filter(g => g.percent > limit).length, long_wals: wal > MOST_WAL ? 1 : 0, ...found,
      };
    });
  },
};

const most = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b), 0);

/** Bytes of the write-ahead logs of state and topics. */
const walSizes = (dir: string): number[] => [join(dir, '.pipe'), join(dir, '.pipe/state')].flatMap(d => readdirSync(d).filter(f => f.endsWith('-wal')).map(f => statSync(join(d, f)).size));

/** How much the straight line through them rises, in percent of their mean, or of `least` where that is more. */
function growthOf(ys: readonly number[], least: number): number {
  const n = ys.length;
  const middle = (n - 1) / 2;
  const mean = ys.reduce((a, b) => a + b, 0) / n;
  let [xy, xx] = [0, 0];
  ys.forEach((y, x) => { xy += (x - middle) * (y - mean); xx += (x - middle) ** 2; });
  return xx === 0 ? 0 : ((xy / xx) * (n - 1) * 100) / Math.max(mean, least);
}
