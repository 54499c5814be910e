import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { dlqReplay } from '../../src/cli/dlq-replay.ts';
import { PipeError } from '../../src/errors.ts';
import { Database } from '../../src/state/database.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { canonical, diff, run, send, truth, written, type Row } from './edit-project.ts';
import { Crash, crashing } from './run-case.ts';

interface Event {
  readonly k: string;
  readonly v: number;
  readonly at: number;
}

const event = (i: number): Event => ({ k: `k${i % 3}`, v: 1 + ((i * 17) % 50), at: i * 500 });
/** To 25 s: windows of 10 s that end by then are out when the first run stops. */
const first = Array.from({ length: 51 }, (_, i) => event(i));
const second = Array.from({ length: 60 }, (_, i) => event(51 + i));
const all = [...first, ...second];

const file = (sinks: string, more = ''): string => `name: edits
sources:
  t:
    schema: k STRING, v INT, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
${more}sinks:
${sinks}`;
const SUMS = "  sums: {sql: \"SELECT k, SUM(v) AS total, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)\"}\n";
const COUNTS = "  counts: {sql: \"SELECT k, COUNT(*) AS n, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '5' SECOND)\"}\n";
const FILE = file(SUMS);
const sums = 'SELECT k, SUM(v) AS total, at / 10000 * 10000 AS window_start FROM t GROUP BY 1, 3';
const counts = 'SELECT k, COUNT(*) AS n, at / 5000 * 5000 AS window_start FROM t GROUP BY 1, 3';

let dir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pipe-backfill-'));
  await send(dir, 't', first);
  await run(dir, FILE, [], { engine: crashing(1) }).catch(ignoreCrash);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}

const expectRows = async (topic: string, rows: readonly Row[]): Promise<void> => expect(canonical(await written(dir, topic))).toEqual(canonical(rows));
const of = (sql: string, t: readonly Event[] = all): Row[] => truth(sql, { t });
const problem = (work: Promise<unknown>): Promise<PipeError> => work.then(() => { throw new Error('nothing was thrown'); }, (error: unknown) => { if (error instanceof PipeError) return error; throw error; });

describe('a smaller window', () => {
  const of2 = 'SELECT k, SUM(v) AS total, at / 2000 * 2000 AS window_start FROM t WHERE at >= 20000 GROUP BY 1, 3';
  const small = SUMS.replace("'10' SECOND", "'2' SECOND");

  it('gets all that the larger ones had not sent yet, as if it had been so since the last of them', async () => {
    await send(dir, 't', second);
    await run(dir, file(small), ['--backfill']);
    await expectRows('sums', [...of(`${sums} HAVING window_start < 20000`), ...of(of2)]);
  });
});

describe('a new sink', () => {
  it('gets rows from here on, and says so', async () => {
    await send(dir, 't', second);
    const edited = file(SUMS + COUNTS);
    const { out, code } = await diff(dir, edited);
    expect([out.replace(/compared with .* · epoch/, 'compared with FILE · epoch'), code]).toEqual([`edits.yaml · compared with FILE · epoch 1
SOURCE   t       kept     goes on at its saved positions (topic t, offset 51)
OPERATOR sums    kept     goes on with its open groups
OPERATOR counts  new      starts empty: its first windows lack what was read before; --backfill builds it from the topic
SINK     sums    kept     goes on (topic sums)
SINK     counts  new      gets rows from here on (topic counts); --backfill sends those of its history, too
next run: goes on
`, 0]);
    expect(await run(dir, edited)).toContain('edits  "counts" is new and starts empty: its first windows lack what was read before; --backfill builds it from the topic\n');
    await expectRows('sums', of(sums));
    await expectRows('counts', of(counts, second));
  });

  it('gets the rows of its history with --backfill, the others none twice', async () => {
    await send(dir, 't', second);
    const said = await run(dir, file(SUMS + COUNTS), ['--backfill']);
    expect(said).toContain('edits  "counts" built again from 51 records; 15 rows of history for counts\n');
    expect(said).toContain('edits  ✓ 60 in · ');
    await expectRows('sums', of(sums));
    await expectRows('counts', of(counts));
    expect((await diff(dir, file(SUMS + COUNTS))).out).toContain('next run: goes on');
  });

  it('is built again with --backfill, also after a run that began it in the midst of its topic', async () => {
    const edited = file(SUMS + COUNTS);
    await send(dir, 't', second.slice(0, 14));
    await run(dir, edited, [], { engine: crashing(1) }).catch(ignoreCrash);
    expect((await diff(dir, edited)).out).toContain('OPERATOR counts  kept     goes on with its open groups; it lacks what was read before it began: --backfill builds it from the topic');
    await send(dir, 't', second.slice(14));
    expect(await run(dir, edited, ['--backfill'])).toContain('edits  "counts" built again from 65 records\n');
    await expectRows('sums', of(sums));
    // the windows that were open: to 32.5 s was read
    expect(canonical((await written(dir, 'counts')).filter(r => (r['window_start'] as number) >= 30_000))).toEqual(canonical(of(counts).filter(r => (r['window_start'] as number) >= 30_000)));
    expect(await run(dir, edited, ['--backfill'])).toContain('--backfill has nothing to build');
  });

  it('without state, and one that reads groups that are there', async () => {
    await send(dir, 't', second);
    const per = "steps:\n  per: \"SELECT k, SUM(v) AS total, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)\"\n";
    await run(dir, file("  sums: {sql: \"SELECT k, total, window_start FROM per\"}\n  large: {sql: \"SELECT k, total, window_start FROM per WHERE total > 150\"}\n  raw: {sql: \"SELECT k, v FROM t WHERE v > 40\"}\n", per), ['--backfill']);
    await expectRows('sums', of(sums));
    await expectRows('large', of(`SELECT * FROM (${sums}) WHERE total > 150`));
    await expectRows('raw', of('SELECT k, v FROM t WHERE v > 40'));
  });

  it('over groups of groups', async () => {
    await send(dir, 't', second);
    const max = "  most: {sql: \"SELECT MAX(total) AS most, window_start FROM (SELECT total, window_time FROM per) GROUP BY TUMBLE(window_time, INTERVAL '20' SECOND)\"}\n";
    const per = "steps:\n  per: \"SELECT k, SUM(v) AS total, window_time FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)\"\n";
    await run(dir, file(SUMS + max, per), ['--backfill']);
    await expectRows('sums', of(sums));
    await expectRows('most', of(`SELECT MAX(total) AS most, window_start / 20000 * 20000 AS window_start FROM (${sums}) GROUP BY 2`));
  });

  it('keeps the rows that fail in it as dead letters, once', async () => {
    const edited = file(`${SUMS}  raw: {sql: "SELECT k, 10 / (v - 1) AS q FROM t"}\n`);
    await run(dir, edited, ['--backfill']);
    const db = new Database(join(dir, 'state/edits@embedded.db'), { readonly: true });
    const letters = db.prepare('SELECT code, "offset" FROM dead_letters ORDER BY 2').all();
    db.close();
    expect(letters).toEqual(first.flatMap((e, offset) => (e.v === 1 ? [{ code: 'user.data.division_by_zero', offset }] : [])));
    expect((await written(dir, 'raw')).length).toBe(first.filter(e => e.v !== 1).length);
  });
});

describe('a grouping without a window, behind an end of the input', () => {
  const per = (select: string, sinks: string): string => file(sinks, `steps:\n  per: "SELECT k, ${select} FROM t GROUP BY k"\n`);
  const totals = '  totals: {sql: "SELECT * FROM per"}\n';
  let other: string;
  beforeEach(async () => {
    other = mkdtempSync(join(tmpdir(), 'pipe-backfill-'));
    await send(other, 't', first);
    await run(other, per('SUM(v) AS total', totals));
  });
  afterEach(() => rmSync(other, { recursive: true, force: true }));

  it('gives a new sink the rows that were sent', async () => {
    await run(other, per('SUM(v) AS total', `${totals}  more: {sql: "SELECT k FROM per"}\n`), ['--backfill']);
    expect(canonical(await written(other, 'more'))).toEqual(canonical(of('SELECT DISTINCT k FROM t', first)));
    expect((await written(other, 'totals')).length).toBe(3);
  });

  it('that is built anew is sent at the next end', async () => {
    await run(other, per('SUM(v) AS total, MAX(v) AS most', totals), ['--backfill']);
    expect(canonical((await written(other, 'totals')).slice(3))).toEqual(canonical(of('SELECT k, SUM(v) AS total, MAX(v) AS most FROM t GROUP BY k', first)));
  });
});

it('what lies in a topic of dead letters is not sent there again, and is no row', async () => {
  const bad = (more: string): string => file(SUMS + more).replace('    event_time', '    on_error: {topic: bad}\n    event_time');
  const other = mkdtempSync(join(tmpdir(), 'pipe-backfill-'));
  try {
    await send(other, 't', [...first, { k: 'k1', v: 'many', at: 25_000 }, { k: 'k1' }]);
    await run(other, bad(''));
    expect((await written(other, 'bad')).length).toBe(2);
    const said = await run(other, bad(`${COUNTS}  raw: {sql: "SELECT k, 10 / (v - 1) AS q FROM t"}\n`), ['--backfill']);
    const failed = first.filter(e => e.v === 1).length;
    expect((await written(other, 'bad')).length).toBe(2 + failed);
    // 3 keys in 6 windows, and what is no division by zero
    expect(said).toContain(`edits  ✓ 0 in · ${of(counts, first).length + first.length - failed} out`);
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});

describe('a dead letter that the edited file can read', () => {
  const bad = { k: 'k0', v: 8.5, at: 23_000 };
  const other = "  counts: {sql: \"SELECT k, COUNT(*) AS n, window_start FROM t GROUP BY k, TUMBLE(ts, INTERVAL '10' SECOND)\"}\n";
  const decimal = (text: string): string => text.replace('v INT', 'v DECIMAL(10,2)');
  const replay = async (): Promise<void> => {
    const io = fakeIo({ cwd: dir });
    await dlqReplay.run(parseCommandLine(dlqReplay, [join(dir, 'edits.yaml'), '--all', '--data-dir', dir, '--brokers', 'none']), io);
    expect(io.err.text).toContain('1 record sent to t');
  };
  const record = { ...bad, v: 8.5 } as Event;
  beforeEach(async () => {
    await send(dir, 't', [bad]);
    await run(dir, FILE, [], { engine: crashing(1) }).catch(ignoreCrash);
  });

  it.each(['before the backfill', 'behind it'])('counts once where it is replayed %s', async when => {
    if (when === 'before the backfill') await replay();
    // it dies with its windows open, at an event time for which the copy is not late
    await send(dir, 't', second.slice(0, 5));
    await run(dir, decimal(FILE), ['--backfill'], { engine: crashing(1) }).catch(ignoreCrash);
    if (when === 'behind it') await replay();
    await send(dir, 't', second.slice(5));
    await run(dir, decimal(FILE));
    await expectRows('sums', of(sums, [...all, record]));
  });

  it('counts once also in a grouping beside it that goes on and had not counted it', async () => {
    rmSync(dir, { recursive: true });
    mkdirSync(dir);
    await send(dir, 't', [...first, bad]);
    await run(dir, file(SUMS + other), [], { engine: crashing(1) }).catch(ignoreCrash);
    await replay();
    await send(dir, 't', second);
    expect((await diff(dir, decimal(file(SUMS + other)))).out).toMatch(/OPERATOR sums +changed[^]*OPERATOR counts +kept/);
    await run(dir, decimal(file(SUMS + other)), ['--backfill']);
    await expectRows('sums', of(sums, [...all, record]));
    await expectRows('counts', of('SELECT k, COUNT(*) AS n, at / 10000 * 10000 AS window_start FROM t GROUP BY 1, 3', [...all, record]));
  });
});

describe('a backfill that does not end', () => {
  const edited = file(SUMS + COUNTS);
  const dying = (o: Parameters<typeof openStateStore>[0]): ReturnType<typeof openStateStore> => {
    const store = openStateStore(o);
    const { claim } = store;
    return Object.assign(store, { claim: (write: Parameters<typeof claim>[0]) => claim.call(store, tx => { write(tx); throw new Crash(); }) });
  };

  it('leaves the state as it was: the file of before goes on', async () => {
    await send(dir, 't', second);
    await expect(run(dir, edited, ['--backfill'], { store: dying })).rejects.toBeInstanceOf(Crash);
    await run(dir, FILE);
    await expectRows('sums', of(sums));
    await expectRows('counts', []);
  });

  it('because of a signal says so', async () => {
    expect(await run(dir, edited, ['--backfill'], { signal: AbortSignal.abort() })).toContain('stopped before the run began: what --backfill had not put in its place yet starts over with it\n');
    await run(dir, edited, ['--backfill']);
    await expectRows('counts', of(counts, first));
  });

  it('starts over the next time', async () => {
    await send(dir, 't', second);
    await expect(run(dir, edited, ['--backfill'], { store: dying })).rejects.toBeInstanceOf(Crash);
    await run(dir, edited, ['--backfill']);
    await expectRows('sums', of(sums));
    await expectRows('counts', of(counts));
  });

  it('that needs more memory than there may be says so, and leaves the state as it was', async () => {
    const wide = file(`${SUMS}  keys: {sql: \"SELECT v, k, at, COUNT(*) AS n FROM t GROUP BY v, k, at, TUMBLE(ts, INTERVAL '1' DAY)\"}\nsettings: {memory: 2KB}\n`);
    expect((await problem(run(dir, wide, ['--backfill']))).code).toBe('system.resource.memory');
    await send(dir, 't', second);
    await run(dir, FILE);
    await expectRows('sums', of(sums));
  });

  it('of which only the delivery is missing goes on without it being asked again', async () => {
    await send(dir, 't', second);
    await run(dir, edited, ['--backfill'], { engine: crashing(1) }).catch(ignoreCrash);
    await run(dir, edited);
    await expectRows('sums', of(sums));
    await expectRows('counts', of(counts));
  });
});

describe('where a backfill begins', () => {
  const wider = FILE.replace("INTERVAL '10'", "INTERVAL '20'");
  const widerSums = 'SELECT k, SUM(v) AS total, at / 20000 * 20000 AS window_start FROM t GROUP BY 1, 3';
  const sent = of(sums, first).filter(r => (r['window_start'] as number) < 20_000);
  const open = (t: readonly Event[]): Row[] => of(widerSums, t).filter(r => (r['window_start'] as number) >= 20_000);

  /** Retention takes what the first run has read; the second half stays. */
  async function lose(): Promise<void> {
    const keep = (ms: number): void => {
      const db = new Database(join(dir, 'topics.db'));
      db.prepare("UPDATE topics SET retention_ms = ? WHERE name = 't'").run(ms);
      db.close();
    };
    keep(1);
    const t = Date.now();
    while (Date.now() <= t + 2) await new Promise(done => { setTimeout(done, 1); });
    await send(dir, 'other', second);
    keep(-1);
    await send(dir, 't', second);
  }

  it('is the start of the topic', async () => {
    await send(dir, 't', second);
    await run(dir, wider, ['--backfill']);
    await expectRows('sums', [...sent, ...open(all)]);
  });

  it('is what --from says', async () => {
    await send(dir, 't', second);
    await run(dir, wider, ['--backfill', '--from', '2999-01-01']);
    await expectRows('sums', [...sent, ...open(second)]);
  });

  it('is asked for where a source starts at the newest record', async () => {
    const late = wider.replace('  t:\n', '  t:\n    start: latest\n');
    expect(await problem(run(dir, late, ['--backfill']))).toMatchObject({ code: 'user.usage.bad_value', message: 'source "t" starts at the newest record, so --backfill does not know where to begin' });
    await send(dir, 't', second);
    await run(dir, late, ['--backfill', '--from', 'earliest']);
    await expectRows('sums', [...sent, ...open(all)]);
  });

  it('is refused where the start of the topic is gone, with what is left', async () => {
    await lose();
    const refused = await problem(run(dir, wider, ['--backfill']));
    expect(refused).toMatchObject({ code: 'system.source.offset_lost', hint: 'to build from what is left: --from earliest, a time (--from 2024-01-01T12:00:00Z), or on_data_loss: earliest on the source' });
    expect(refused.message).toMatch(/^the start of topic "t" is gone, so not all can be built again: what is left begins with t\/0 at offset 51 \(\d{4}-[\d:T.-]+Z\)$/);
    await run(dir, FILE);
    await expectRows('sums', of(sums));
  });

  it.each([['--from earliest', ['--from', 'earliest'], ''], ['on_data_loss', [], '    on_data_loss: earliest\n']] as const)('is what is left with %s', async (_, flags, more) => {
    await lose();
    const said = await run(dir, wider.replace('  t:\n', `  t:\n${more}`), ['--backfill', ...flags]);
    expect(said).toContain('"sums" built again from 0 records');
    await expectRows('sums', [...sent, ...open(second)]);
  });
});

it('--backfill has nothing to do where nothing has changed, or nothing was saved', async () => {
  await send(dir, 't', second);
  expect(await run(dir, FILE, ['--backfill'])).toContain('--backfill has nothing to build');
  await expectRows('sums', of(sums));
  await run(dir, FILE.replace('name: edits', 'name: fresh').replace('sums:', 'fresh:'), ['--backfill']);
  await expectRows('fresh', of(sums));
  await expect(run(dir, FILE, ['--backfill', '--reset-state'])).rejects.toMatchObject({ code: 'user.usage.bad_value' });
});

it('explain --diff of a pipeline without state', async () => {
  expect(await diff(dir, FILE.replace('name: edits', 'name: none'))).toEqual({ out: 'edits.yaml · no saved state on embedded: the next run starts it\n', code: 0 });
});
