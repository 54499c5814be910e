import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Database } from '../../src/state/database.ts';
import { canonical, run, send, truth, written, type Row } from '../cases/edit-project.ts';
import { builtWorker, Crash, crashing } from '../cases/run-case.ts';
import { whole } from '../random.ts';

// the threads run what lies in dist/, which is built before this file runs

const runs = Number(process.env['PIPE_PROPERTY_RUNS'] ?? 6);
const seed = Number(process.env['PIPE_PROPERTY_SEED'] ?? Date.now() % 1e9);

interface Query {
  readonly sql: string;
  readonly truth: string;
  /** ms from the start of a window to its end, and from one end to the next. */
  readonly size: number;
  readonly every: number;
}

const tumble = (keys: string, calls: string, size: number, where = 'TRUE'): Query => ({
  sql: `SELECT ${keys}, ${calls}, window_start FROM t WHERE ${where} GROUP BY ${keys}, TUMBLE(ts, INTERVAL '${size / 1000}' SECOND)`,
  truth: `SELECT ${keys}, ${calls}, at / ${size} * ${size} AS window_start FROM t WHERE ${where} GROUP BY ${keys}, at / ${size}`, size, every: size,
});
const hop: Query = {
  sql: "SELECT k, SUM(v) AS total, window_start FROM t GROUP BY k, HOP(ts, INTERVAL '1' SECOND, INTERVAL '2' SECOND)",
  truth: 'SELECT k, SUM(v) AS total, s AS window_start FROM (SELECT k, v, at / 1000 * 1000 AS s FROM t UNION ALL SELECT k, v, at / 1000 * 1000 - 1000 AS s FROM t) GROUP BY k, s', size: 2000, every: 1000,
};
const TOTALS = 'SUM(v) AS total, COUNT(*) AS n, MAX(s) AS last';

/** Before and after, and whether the state goes on by itself. */
const edits: readonly (readonly [before: Query, after: Query, goesOn: boolean])[] = [
  [tumble('k, g', TOTALS, 2000), tumble('g, k', 'MAX(s) AS last, SUM(v) AS total', 2000), true],
  [tumble('k, g', TOTALS, 2000), tumble('k, g', 'COUNT(*) AS n', 2000), true],
  [tumble('k', TOTALS, 2000), tumble('k', TOTALS, 3000), false],
  [tumble('k', TOTALS, 3000), tumble('k, s', TOTALS, 1000), false],
  [tumble('k', TOTALS, 2000), tumble('k', TOTALS, 2000, 'v > 20'), false],
  [tumble('k', 'SUM(v) AS total', 2000), hop, false],
  [hop, tumble('g', 'COUNT(DISTINCT k) AS ks, MIN(v) AS least', 2000), false],
];

/** In time in every partition, whatever the order in which partitions are read: lateness has one answer, none. */
function events(pick: ReturnType<typeof whole>, n: number): Row[] {
  let t = 5000;
  return Array.from({ length: n }, () => {
    t += pick(60);
    return { k: `k${pick(7)}`, g: pick(3), v: 1 + pick(50), s: 'abc'[pick(3)] as string, at: t - pick(900) };
  });
}

const fileOf = (sinks: string): string => `name: edits
sources:
  t: {schema: "k STRING, g INT, v INT, s STRING, at BIGINT", event_time: {from: at, unit: ms, delay: 1s}}
sinks:
${sinks}`;
const sink = (name: string, q: Query): string => `  ${name}: {sql: "${q.sql}"}\n`;

it.each(Array.from({ length: runs }, (_, i) => seed + i))('an edit at any place of a stream (seed %i)', async n => {
  const pick = whole(n);
  const [before, after, goesOn] = edits[pick(edits.length)] as (typeof edits)[number];
  const all = events(pick, 400);
  const half = 250 + pick(100);
  const partitions = 1 + pick(3);
  const home = mkdtempSync(join(tmpdir(), 'pipe-backfill-'));
  const batch = (): Record<string, string> => ({ PIPE_BATCH_ROWS: String(1 + pick(40)), PIPE_PACK_GROUPS: pick(2) === 0 ? '1' : '1000000' });
  const workers = (): string[] => (pick(4) === 0 ? ['--workers', '2'] : []);
  const dying = (error: unknown): void => { if (!(error instanceof Crash)) throw error; };
  try {
    const lots = Array.from({ length: all.length }, () => pick(partitions));
    await send(home, 't', all.slice(0, half), { partitions, partition: i => lots[i] as number });
    await run(home, fileOf(sink('out', before)), workers(), { engine: crashing(1 + pick(5)), env: batch(), worker: builtWorker }).catch(dying);
    const { closed, watermark } = comeTo(home);
    // it was faster than the crash and has closed all windows, for which what follows is late
    if (closed > watermark) return;
    await send(home, 't', all.slice(half), { partitions, partition: i => lots[half + i] as number });
    const extra = tumble('s', 'COUNT(*) AS n', 1000);
    const backfill = !goesOn || pick(2) === 0;
    const text = fileOf(sink('out', after) + (backfill ? sink('more', extra) : ''));
    // once more, behind the swap
    if (pick(3) === 0) await run(home, text, backfill ? ['--backfill'] : [], { engine: crashing(1 + pick(3)), env: batch() }).catch(dying);
    await run(home, text, [...(backfill ? ['--backfill'] : []), ...workers()], { env: batch(), worker: builtWorker });
    // the end of the last window that the SQL of before has sent
    const sent = Math.floor((closed + 1) / before.every) * before.every;
    const of = (q: Query, out: boolean): Row[] => truth(q.truth, { t: all }).filter(r => ((r['window_start'] as number) + q.size <= sent) === out);
    expect(canonical(await written(home, 'out'))).toEqual(canonical([...of(before, true), ...of(after, false)]));
    if (backfill) expect(canonical(await written(home, 'more'))).toEqual(canonical(truth(extra.truth, { t: all })));
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

/** Event time (ms) up to which the windows of the first run are out, and to which it had come. */
function comeTo(home: string): { readonly closed: number; readonly watermark: number } {
  const db = new Database(join(home, 'state/edits@embedded.db'), { readonly: true });
  const one = (sql: string): number => (db.prepare(sql).pluck().get() as number | null | undefined) ?? -Infinity;
  const found = { closed: one("SELECT value FROM operators WHERE operator = 'out' AND name = 'forwarded'"), watermark: one('SELECT watermark FROM watermarks') };
  db.close();
  return found;
}
