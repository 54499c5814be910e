import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipeError } from '../../src/errors.ts';
import { LAYOUT } from '../../src/state/file.ts';
import { canonical, diff, run, send, truth, written } from '../cases/edit-project.ts';

/*
 * State files as pipes of each layout have left them, stopped in the midst of windows: 60 events were read, windows that end by 20 s are out.
 * Beside each lies the embedded log that it belongs to. `-packed`: with all windows packed. A new layout adds a folder, and none is changed.
 */
const golden = join(import.meta.dirname, 'golden');
const layouts = readdirSync(golden).filter(f => f.startsWith('layout-'));
const FILE = readFileSync(join(golden, 'golden.yaml'), 'utf8');

const event = (i: number): Record<string, string | number | null> => ({ k: i % 11 === 0 ? null : `k${i % 3}`, g: i % 5 === 0 ? '9007199254740993' : String(i % 2), v: ((i * 37) % 900) / 100, d: ((i * 7) % 13) / 4, s: ['a', 'b', 'test', 'é'][i % 4] as string, at: i * 400 });
const events = Array.from({ length: 120 }, (_, i) => event(i));
const START = 'at / 10000 * 10000';
const sums = `SELECT k, g, ROUND(SUM(v), 2) AS total, COUNT(*) AS n, COUNT(DISTINCT s) AS kinds, MAX(s) AS last, MIN(d) AS least, ${START} AS window_start FROM events WHERE s <> 'test' GROUP BY k, g, ${START} HAVING ROUND(SUM(v), 2) > 0`;
const hops = 'SELECT g, COUNT(*) AS n, s AS window_start FROM (SELECT g, at / 5000 * 5000 AS s FROM events UNION ALL SELECT g, at / 5000 * 5000 - 5000 AS s FROM events) GROUP BY g, s';
const most = `SELECT MAX(total) AS most, w / 30000 * 30000 AS window_start FROM (SELECT ROUND(SUM(v), 2) AS total, ${START} AS w FROM events WHERE s <> 'test' GROUP BY k, w) GROUP BY 2`;
// the first of them has k and is a number of whole hundredths, so that the columns of the table are text and real
const of = (sql: string): ReturnType<typeof truth> => truth(sql, { events: [...events.slice(1, 2), ...events.slice(0, 1), ...events.slice(2)] });

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-golden-')); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

const state = (): string => join(dir, 'state/golden@embedded.db');
const sha = (): string => createHash('sha256').update(readFileSync(state())).digest('hex');

function restore(layout: string): void {
  mkdirSync(join(dir, 'state'), { recursive: true });
  for (const [from, to] of [['topics.db', join(dir, 'topics.db')], ['state.db', state()]] as const) writeFileSync(to, gunzipSync(readFileSync(join(golden, layout, `${from}.gz`))));
  copyFileSync(join(golden, layout, 'state.db.epoch'), `${state()}.epoch`);
}

describe.each(layouts)('a state file of %s', layout => {
  beforeEach(() => { restore(layout); });
  const wider = FILE.replace(/INTERVAL '10' SECOND\)\n    +HAVING/, "INTERVAL '20' SECOND)\n      HAVING");

  it('goes on with right results', async () => {
    await send(dir, 'events', events.slice(60));
    await run(dir, FILE);
    expect(canonical(await written(dir, 'sums'))).toEqual(canonical(of(sums)));
    expect(canonical(await written(dir, 'hops'))).toEqual(canonical(of(hops)));
    expect(canonical(await written(dir, 'most'))).toEqual(canonical(of(most)));
  });

  it('goes on under other names', async () => {
    await send(dir, 'events', events.slice(60));
    await run(dir, FILE.replace('  sums:', '  totals:\n    topic: sums').replace('AS total, COUNT', 'AS amount, COUNT'));
    expect(canonical((await written(dir, 'sums')).map(({ amount, ...r }) => (amount === undefined ? r : { ...r, total: amount })))).toEqual(canonical(of(sums)));
  });

  it('is compared without being touched, and refused where it means something else', async () => {
    const before = sha();
    expect((await diff(dir, FILE)).code).toBe(0);
    const { out, code } = await diff(dir, wider);
    expect([code, out.match(/^ {5}(saved|now).*/gm)]).toEqual([33, ['     saved: TUMBLE 10 s on EVENT_TIME(at in ms)', '     now:   TUMBLE 20 s on EVENT_TIME(at in ms)']]);
    expect(sha()).toBe(before);
    await expect(run(dir, wider)).rejects.toMatchObject({ code: 'system.state.incompatible' });
  });

  it('is built again for other SQL', async () => {
    await send(dir, 'events', events.slice(60));
    await run(dir, wider, ['--backfill']);
    const later = of(sums.replaceAll('10000', '20000')).filter(r => (r['window_start'] as number) >= 20_000);
    expect(canonical(await written(dir, 'sums'))).toEqual(canonical([...of(sums).filter(r => (r['window_start'] as number) < 20_000), ...later]));
    expect(canonical(await written(dir, 'hops'))).toEqual(canonical(of(hops)));
    expect(canonical(await written(dir, 'most'))).toEqual(canonical(of(most)));
  });
});

it('has a file of every layout so far', () => {
  expect([...new Set(layouts.map(l => Number(/\d+/.exec(l)?.[0])))]).toEqual(Array.from({ length: LAYOUT }, (_, i) => i + 1));
});

it('a file of a newer layout is refused and left as it is', async () => {
  restore(`layout-${LAYOUT}`);
  const file = readFileSync(state());
  file.writeUInt32BE(LAYOUT + 1, 60);
  writeFileSync(state(), file);
  const before = sha();
  const newer = { code: 'system.state.newer', message: `the state file ${state()} was written by a newer pipe (layout ${LAYOUT + 1}, this one knows ${LAYOUT})`, hint: 'use that version' };
  const problem = await run(dir, FILE, ['--backfill']).then(() => null, (error: unknown) => error);
  expect(problem).toMatchObject(newer);
  expect((problem as PipeError).exit).toBe(33);
  await expect(diff(dir, FILE)).rejects.toMatchObject(newer);
  expect(sha()).toBe(before);
});
