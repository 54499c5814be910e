import Sqlite from 'better-sqlite3';
import { Project } from '../e2e/project.ts';
import { openLog } from './bed.ts';
import type { Promised } from './promise.ts';

const MEMORY_MB = 256;
/** Of memory that a run may take. */
const MOST = 1.3;
const PAD = 'x'.repeat(400);
/** Of a group on disk, at least: its key. */
const GROUP_BYTES = PAD.length;
const CHUNK = 5000;

const pipeline = `name: many
sources:
  events:
    schema: id STRING, v BIGINT, at BIGINT
    event_time: {from: at, unit: ms}
sinks:
  counts:
    sql: SELECT CHAR_LENGTH(id) AS l, COUNT(*) AS n, SUM(v) AS s, MIN(v) AS k FROM events GROUP BY id, TUMBLE(ts, INTERVAL '1' MINUTE)
settings: {memory: ${MEMORY_MB}MB}
`;

export const p27: Promised = {
  id: 'P27',
  promise: 'a window of many times settings.memory is exact, and the process stays below 1.3 times that setting',
  needs: 'nothing',
  // times settings.memory
  rounds: 10,
  zero: ['wrong_rows', 'over_memory'],
  async run(o) {
    const p = new Project();
    const log = await openLog(null, p.dir);
    try {
      const keys = Math.ceil((o.rounds * MEMORY_MB * 2 ** 20) / GROUP_BYTES);
      await log.createTopic({ name: 'events', partitions: 3, retention: null, config: {} });
      // each key once, and each tenth a second time when all have been there
      const again = Math.floor(keys / 10);
      const key = (i: number): number => (i < keys ? i : (i - keys) * 10);
      for (let at = 0; at < keys + again; at += CHUNK) {
        await log.append('events', Array.from({ length: Math.min(CHUNK, keys + again - at) }, (_, i) => ({
          key: null, value: Buffer.from(`{"id":"${key(at + i)}-${PAD}","v":${key(at + i)},"at":${1000 + (i % 1000)}}`), headers: [], partition: null, timestamp: null,
        })));
      }
      p.write('many.yaml', pipeline);
      const run = p.start(['run', 'many.yaml', '--no-print', '--until-end']);
      const rss = await run.highestMb();
      const { code, err } = await run.finished;
      if (code !== 0) throw new Error(`exit ${code}\n${err}`);
      await log.close();
      // as of its lines of progress, of which a short run has none
      const disk = Math.max(0, ...[...err.matchAll(/"disk_bytes":(\d+)/g)].map(m => Number(m[1]) / 2 ** 20));
      return { keys, memory_mb: String(MEMORY_MB), max_disk_mb: Math.round(disk), max_rss_mb: Math.round(rss), over_memory: rss > MOST * MEMORY_MB ? 1 : 0, wrong_rows: await wrongRows(p.dir, keys, again) };
    } finally {
      await log.close();
      p.remove();
    }
  },
};

/** Rows that are missing, wrong or there twice; by hand: key k counts 1 and sums k, each tenth twice that. */
async function wrongRows(dir: string, keys: number, again: number): Promise<number> {
  const log = await openLog(null, dir);
  const db = new Sqlite(':memory:');
  try {
    db.exec('CREATE TABLE rows (k INTEGER, row TEXT)');
    const insert = db.prepare("INSERT INTO rows VALUES (json_extract(?, '$.k'), ?)");
    const source = log.source({ topic: 'counts', topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await source.open();
    db.exec('BEGIN');
    for (const { signal } = new AbortController(); source.partitions().some(n => source.position(n) < source.endAtOpen(n));) {
      for (const b of await source.poll(new Set(), 1000, signal)) {
        for (let i = 0; i < b.length; i++) { const row = b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]); insert.run(row, row); }
      }
    }
    db.exec('COMMIT');
    await source.close();
    const twice = `(k % 10 = 0 AND k / 10 < ${again})`;
    return db.prepare(`SELECT abs(${keys} - count(DISTINCT k)) + abs(count(*) - count(DISTINCT k)) + coalesce(sum(row <> printf('{"l":%d,"n":%d,"s":%d,"k":%d}', length(k) + ${1 + PAD.length}, iif(${twice}, 2, 1), iif(${twice}, 2 * k, k), k)), 0) FROM rows`).pluck().get() as number;
  } finally {
    db.close();
    await log.close();
  }
}
