import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import type { NewRecord } from '../../src/connectors/connector.ts';
import { PipeError } from '../../src/errors.ts';
import { Database } from '../../src/state/database.ts';
import type { Backlog } from '../../src/engine/parallel/scaling.ts';
import { ComeAndGo } from '../cases/come-and-go.ts';
import { Crash, crashing, readAll } from '../cases/run-case.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { whole } from '../random.ts';

// the threads run what lies in dist/, which is built before this file runs

const runs = Number(process.env['PIPE_PROPERTY_RUNS'] ?? 11);
const seed = Number(process.env['PIPE_PROPERTY_SEED'] ?? Date.now() % 1e9);

type Pick = ReturnType<typeof whole>;

const START = Date.UTC(2024, 0, 1);
const SCHEMA = 'k STRING, g BIGINT, x DECIMAL(12,2), d INT, s STRING, b BOOLEAN, at BIGINT';

/** In one partition rows come later than the delay and some from a far future; in several all are in time, so that lateness has one answer. */
function records(pick: Pick, partitions: number, n: number): NewRecord[] {
  let t = START;
  const late = partitions === 1;
  return Array.from({ length: n }, (): NewRecord => {
    t += pick(40);
    const at = pick(300) === 0 && late ? t + 10 * 365 * 86_400_000 : Math.max(START, t - pick(late ? 6000 : 900));
    // half of all rows have one key
    const k = pick(2) === 0 ? '"hot"' : pick(10) === 0 ? 'null' : JSON.stringify(`k${pick(200)}${pick(20) === 0 ? '\u00e9\ud83d\ude00' : ''}`);
    const row = `{"k":${k},"g":${pick(9) === 0 ? '9007199254740993' : pick(5)},"x":${pick(100_000) / 100},"d":${pick(40)},"s":"${'abc'[pick(3)] as string}","b":${pick(2) === 0},"at":${at}}`;
    const bad = pick(60);
    return { key: null, value: Buffer.from(bad === 0 ? row.slice(0, -3) : bad === 1 ? '{"at":"soon"}' : row), headers: [], partition: pick(partitions), timestamp: null };
  });
}

const aggregates = 'COUNT(*) AS n, SUM(x) AS sx, SUM(x / d) AS q, COUNT(*) FILTER (WHERE 10 / d > 1) AS f, MAX(s) AS m, COUNT(DISTINCT g) AS dg, MIN(b) AS lb';
const sums = 'COUNT(*) AS n, SUM(x) AS sx, SUM(x / d) AS q, COUNT(*) FILTER (WHERE 10 / d > 1) AS f, MIN(d) AS md, MAX(x) AS mx, AVG(x) AS ax, SUM(d) AS sd';
const queries: readonly string[] = [
  `SELECT k, ${aggregates}, window_end FROM t GROUP BY k, TUMBLE(ts, INTERVAL '2' SECOND)`,
  `SELECT k, g, b, ${aggregates}, window_end FROM t WHERE x > 5 AND 20 / d < 19 GROUP BY k, g, b, HOP(ts, INTERVAL '1' SECOND, INTERVAL '3' SECOND)`,
  `SELECT UPPER(k) AS u, ${aggregates} FROM t GROUP BY UPPER(k), TUMBLE(ts, INTERVAL '1' SECOND) HAVING 100 / (COUNT(*) - 2) > 1`,
  `SELECT ${aggregates}, window_end FROM t GROUP BY TUMBLE(ts, INTERVAL '2' SECOND)`,
  // aggregates that are folded before their rows cross over
  `SELECT k, ${sums}, window_end FROM t GROUP BY k, TUMBLE(ts, INTERVAL '2' SECOND)`,
  `SELECT ${sums}, window_end FROM t WHERE x > 5 GROUP BY TUMBLE(ts, INTERVAL '30' SECOND)`,
  `SELECT g, b, ${sums}, window_end FROM t GROUP BY g, b, HOP(ts, INTERVAL '5' SECOND, INTERVAL '20' SECOND)`,
  // and of which none fails, so that what the filter leaves out is counted there, too
  `SELECT COUNT(*) AS n, SUM(x) AS sx, AVG(d) AS ad, window_end FROM t WHERE d > 7 GROUP BY TUMBLE(ts, INTERVAL '30' SECOND)`,
  // whose state is no number of 64 bits
  `SELECT k, SUM(x / 3) AS q, SUM(g) AS sg, AVG(g) AS ag, MIN(b) AS lb, MIN(x / 7) AS mq, STDDEV_POP(x) AS dev, MAX(s) AS m, window_end FROM t GROUP BY k, HOP(ts, INTERVAL '15' SECOND, INTERVAL '30' SECOND)`,
  `SELECT g, LISTAGG(s) AS l FROM t WHERE k <> 'hot' GROUP BY g, TUMBLE(ts, INTERVAL '2' SECOND)`,
  'SELECT k, x / d AS q, s FROM t WHERE x > 500',
];

const policies = ['dead_letters', 'skip', '{topic: bad}'] as const;

interface Outcome {
  readonly rows: readonly string[];
  readonly counts: unknown;
  readonly letters: readonly unknown[];
}

type Threads = number | 'auto';
const comeAndGo = new ComeAndGo();

/** Runs of one pipeline on one log, each with a state and topics of its own. */
async function outcome(input: readonly NewRecord[], partitions: number, sql: string, policy: string, batch: number, workers: readonly [crash: number | null, before: Threads, after: Threads], parts: Partial<typeof runParts> = {}, said: string[] = []): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-workers-'));
  try {
    const file = join(dir, 'p.yaml');
    writeFileSync(file, `name: p\nsources:\n  t:\n    schema: ${SCHEMA}\n    event_time: {from: at, unit: ms, delay: 1s}\n    on_error: ${policy}\nsinks:\n  out:\n    on_error: ${policy}\n    sql: ${sql}\n`);
    const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, { warn: () => undefined, info: () => undefined });
    await log.open(1000, new AbortController().signal);
    await log.createTopic({ name: 't', partitions, retention: null, config: {} });
    for (let i = 0; i < input.length; i += 1000) await log.append('t', input.slice(i, i + 1000));
    const [crash, before, after] = workers;
    const run = async (n: Threads, dying: number | null): Promise<void> => {
      const command = makeRun(() => Promise.resolve({
        ...runParts, worker: comeAndGo.worker, scaling: comeAndGo.scaling(), ...parts,
        // an epoch after every batch, so that there is something to lose
        ...(dying === null ? {} : { engine: crashing(dying), load: async (p, i) => (await loadCompiled(p, i)).map(x => ({ ...x, spec: { ...x.spec, settings: { ...x.spec.settings, checkpoint: 0 } } })) } satisfies Partial<typeof runParts>),
      }));
      const io = fakeIo({ cwd: dir, env: { PIPE_BATCH_ROWS: String(batch) } });
      await command.run(parseCommandLine(command, [file, '--until-end', '--no-print', '--json', '--data-dir', join(dir, '.pipe'), '--brokers', 'none', '--workers', String(n)]), io);
      said.push(io.err.text);
    };
    if (crash !== null) await run(before, crash).catch(error => { if (!(error instanceof Crash)) throw error; });
    await run(after, null);
    const db = new Database(join(dir, '.pipe/state', readdirSync(join(dir, '.pipe/state')).find(f => f.endsWith('.db')) as string), { readonly: true });
    const counts = db.prepare("SELECT name, value FROM counters WHERE name NOT IN ('deliveries', 'starts') ORDER BY name").all();
    // a crashed run has an epoch in the state only where it read more than one batch
    expect(crash === null ? [1] : [1, 2]).toContain(db.prepare("SELECT value FROM counters WHERE name = 'starts'").pluck().get());
    const letters = db.prepare('SELECT source, operator, "partition", "offset", code, message, place, value FROM dead_letters').all().map(l => JSON.stringify(l)).sort();
    db.close();
    const rows = await readAll(log, 'out');
    const bad = policy.startsWith('{') ? await readAll(log, 'bad') : [];
    await log.close();
    return { rows: rows.sort(), counts, letters: [...letters, ...bad.sort()] };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

it(`any number of workers gives the rows, counts and dead letters of one on ${runs} random streams (seed ${seed})`, async () => {
  const pick = whole(seed);
  for (let n = 0; n < runs; n++) {
    const sql = queries[n % queries.length] as string;
    // the order of LISTAGG is the order of partitions among one another
    const partitions = pick(2) === 0 || sql.includes('LISTAGG') ? 1 : 3;
    const input = records(pick, partitions, 500 + pick(3000));
    const policy = policies[pick(3)] as string;
    const batch = [7, 100, 8192][pick(3)] as number;
    const one = await outcome(input, partitions, sql, policy, 8192, [null, 1, 1]);
    const workers = ([[null, 2, 2], [null, 3, 3], [1, 2, 3], [2, 3, 1], [1, 1, 2], [null, 'auto', 'auto'], [2, 'auto', 'auto']] as const)[pick(7)] as readonly [number | null, Threads, Threads];
    expect(await outcome(input, partitions, sql, policy, batch, workers), `run ${n} of seed ${seed}: ${sql}; ${partitions} partitions, ${policy}, batches of ${batch}, workers ${JSON.stringify(workers)}`).toEqual(one);
  }
}, 300_000);

it('threads that come and go in the midst of a stream change nothing', async () => {
  const pick = whole(seed + 1);
  for (const sql of [queries[0], queries[4]] as [string, string]) {
    const input = records(pick, 1, 30_000);
    const one = await outcome(input, 1, sql, 'dead_letters', 8192, [null, 1, 1]);
    const { came, went } = comeAndGo;
    expect(await outcome(input, 1, sql, 'dead_letters', 200, [null, 'auto', 'auto']), `seed ${seed}: ${sql}`).toEqual(one);
    expect([comeAndGo.came > came, comeAndGo.went > went]).toEqual([true, true]);
  }
}, 300_000);

/** A thread that does this, and does not begin. */
const threadThat = (does: string): URL => new URL(`data:text/javascript,${encodeURIComponent(does)}`);
const says = "import { getEnvironmentData } from 'node:worker_threads'; const begun = getEnvironmentData('pipe.test.begun'); Atomics.add(begun, 0, 1); Atomics.notify(begun, 0);";

it.each([['throw new Error("no room")', 'no room'], ['process.exit(3)', 'thread 1 ended with code 3']])('threads that cannot begin leave the work to the one that goes on meanwhile: %s', async (does, why) => {
  const input = records(whole(seed + 2), 1, 30_000);
  const [sql] = queries as [string];
  const one = await outcome(input, 1, sql, 'dead_letters', 8192, [null, 1, 1]);
  const said: string[] = [];
  expect(await outcome(input, 1, sql, 'dead_letters', 200, [null, 'auto', 'auto'], { worker: threadThat(`${says}${does}`) }, said)).toEqual(one);
  expect(said.join('')).toContain(`goes on in one thread, since others cannot begin: ${why}`);
}, 300_000);

it.runIf(process.platform === 'linux')('a run that ends before its threads have begun leaves none', async () => {
  const input = records(whole(seed + 3), 1, 30_000);
  const [sql] = queries as [string];
  const one = await outcome(input, 1, sql, 'dead_letters', 8192, [null, 1, 1]);
  let came = 0;
  const scaling = (): Backlog => ({ every: 1, out: () => ++came > 0, back: () => false });
  const threads = (): number => readdirSync('/proc/self/task').length;
  const before = threads();
  expect(await outcome(input, 1, sql, 'dead_letters', 200, [null, 'auto', 'auto'], { scaling, worker: threadThat('setInterval(() => 0, 1e9)') })).toEqual(one);
  expect(came).toBeGreaterThan(0);
  expect(threads()).toBe(before);
}, 300_000);

it('on_error: stop says the same with workers, and keeps nothing of the rest', async () => {
  const good = '{"k":"a","g":1,"x":1,"d":1,"s":"a","b":true,"at":1704067200000}';
  const lines = (bad: string): NewRecord[] => Array.from({ length: 200 }, (_, i) => ({ key: null, value: Buffer.from(i === 150 ? bad : good), headers: [], partition: 0, timestamp: null }));
  for (const bad of ['nothing', good.replace('"d":1', '"d":0')]) {
    const errors: string[] = [];
    for (const n of [1, 2]) {
      const error = await outcome(lines(bad), 1, queries[0] as string, 'stop', 16, [null, n, n]).then(() => null, (e: unknown) => e);
      expect(error).toBeInstanceOf(PipeError);
      const { code, message, span } = error as PipeError;
      errors.push(`${code} ${message} ${span?.start ?? ''}`);
    }
    expect(errors[1]).toBe(errors[0]);
  }
}, 120_000);
