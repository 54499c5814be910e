import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/cli/args.ts';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import { engineParts } from '../../src/engine/parts.ts';
import { PipeError } from '../../src/errors.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { Crash, crashing, readAll } from './run-case.ts';

const FILE = `name: edits
sources:
  events:
    schema: account STRING, amount DECIMAL(12,2), type STRING, at BIGINT
    event_time: {from: at, unit: ms, delay: 0s}
    create: {partitions: 1}
sinks:
  totals:
    sql: |
      SELECT account, SUM(amount) AS total, window_start
      FROM events
      WHERE type <> 'test'
      GROUP BY account, TUMBLE(ts, INTERVAL '10' SECOND)
      HAVING SUM(amount) > 1
`;

type Verdict = 'goes on' | 'refused';

/** What may be done to a file whose windows are open, and whether their state still means the same. */
const edits: readonly (readonly [what: string, from: string | RegExp, to: string, verdict: Verdict])[] = [
  ['nothing', 'x', 'x', 'goes on'],
  ['a description', 'name: edits', 'name: edits\ndescription: more words', 'goes on'],
  ['HAVING with another constant', '> 1', '> 0', 'goes on'],
  ['HAVING dropped', '      HAVING SUM(amount) > 1\n', '', 'goes on'],
  ['another order of columns', 'account, SUM(amount) AS total', 'SUM(amount) AS total, account', 'goes on'],
  ['another name in the output', 'AS total', 'AS sum', 'goes on'],
  ['a constant column', 'SELECT account,', "SELECT 'x' AS x, account,", 'goes on'],
  ['comments and blanks', 'SELECT account', 'SELECT -- here\n        account', 'goes on'],
  ['the other spelling of the window', /FROM events\n.*\n.*GROUP BY.*\n/, "FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))\n      WHERE type <> 'test'\n      GROUP BY account, window_start, window_end\n", 'goes on'],
  ['one more column in the schema', 'at BIGINT', 'at BIGINT, note STRING', 'goes on'],
  ['one more sink', 'sinks:\n', 'sinks:\n  all:\n    sql: SELECT account FROM events\n', 'goes on'],
  ['delay', 'delay: 0s', 'delay: 1s', 'goes on'],
  ['settings', /$/, 'settings: {checkpoint: 1s}\n', 'goes on'],
  ['window 10 s to 20 s', "INTERVAL '10'", "INTERVAL '20'", 'refused'],
  ['TUMBLE to HOP', "TUMBLE(ts, INTERVAL '10' SECOND)", "HOP(ts, INTERVAL '5' SECOND, INTERVAL '10' SECOND)", 'refused'],
  ['another filter', "<> 'test'", "<> 'trial'", 'refused'],
  ['the filter dropped', "      WHERE type <> 'test'\n", '', 'refused'],
  ['another group key', /SELECT account([^]*)GROUP BY account/, 'SELECT type AS account$1GROUP BY type', 'refused'],
  ['one more group key', 'GROUP BY account', 'GROUP BY account, type', 'refused'],
  ['another aggregate', 'SUM(amount) AS total', 'MAX(amount) AS total', 'refused'],
  ['one more aggregate', 'SUM(amount) AS total', 'SUM(amount) AS total, COUNT(*) AS n', 'refused'],
  ['another argument', /SUM\(amount\)/g, 'SUM(amount * 2)', 'refused'],
  ['FILTER', 'SUM(amount) AS', "SUM(amount) FILTER (WHERE type = 'a') AS", 'refused'],
  ['DISTINCT', /SUM\(amount\)/g, 'SUM(DISTINCT amount)', 'refused'],
  ['the type of the key', 'account STRING', 'account BIGINT', 'refused'],
  ['the scale of the sum', 'DECIMAL(12,2)', 'DECIMAL(12,3)', 'refused'],
  ['event time from another column', 'at BIGINT\n    event_time: {from: at', 'at BIGINT, later BIGINT\n    event_time: {from: later', 'refused'],
  ['another unit of event time', 'unit: ms', 'unit: s', 'refused'],
  ['a sink with another name', '  totals:', '  sums:\n    topic: totals', 'goes on'],
  ['a source with another name', /events/g, 'happenings', 'refused'],
  ['another topic', '    schema: account', '    topic: others\n    schema: account', 'refused'],
];

let dir: string;
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-edits-')); });
afterEach(() => { rmSync(dir, { recursive: true, force: true }); });

const event = (account: string, amount: number, at: number, type = 'a'): string => `{"account":"${account}","amount":${amount},"type":"${type}","at":${at},"later":${at}}`;

async function send(lines: readonly string[]): Promise<void> {
  const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  await log.createTopic({ name: 'events', partitions: 1, retention: null, config: {} });
  await log.append('events', lines.map(l => ({ key: null, value: Buffer.from(l), headers: [], partition: 0, timestamp: null })));
  await log.close();
}

async function run(text: string, engine = engineParts): Promise<void> {
  const file = join(dir, 'edits.yaml');
  writeFileSync(file, text);
  const command = makeRun(() => Promise.resolve({ ...runParts, engine, load: async (p, io) => (await loadCompiled(p, io)).map(x => ({ ...x, spec: { ...x.spec, settings: { ...x.spec.settings, checkpoint: 0 } } })) }));
  await command.run(parseCommandLine(command, [file, '--until-end', '--no-print', '--quiet', '--data-dir', join(dir, '.pipe')]), fakeIo({ cwd: dir }));
}

/** Leaves windows of 1 and 2 open in the state. */
async function stopInTheMiddle(): Promise<void> {
  await send([event('1', 10, 1000), event('2', 20, 2000), event('2', 5, 3000, 'test')]);
  await run(FILE, crashing(1)).catch(error => { if (!(error instanceof Crash)) throw error; });
  await send([event('1', 1, 4000)]);
}

it.each(edits)('%s', async (_, from, to, verdict) => {
  const edited = FILE.replace(from, to);
  await stopInTheMiddle();
  const found = await run(edited).then(() => 'goes on', error => (error instanceof PipeError && error.code === 'system.state.incompatible' ? 'refused' : error as unknown));
  expect(found).toBe(verdict);
  // the file as it was still finds its state, unless another one has finished it
  await run(FILE);
  const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  const sums = (await readAll(log, 'totals')).map(v => /1[01]\.00|20\.00/.exec(v)?.[0]).sort();
  await log.close();
  expect(sums).toEqual(['11.00', '20.00']);
});

it('what has no open windows may be edited freely', async () => {
  await send([event('1', 10, 1000)]);
  await run(FILE);
  await send([event('1', 7, 21_000)]);
  await run(FILE.replace("INTERVAL '10'", "INTERVAL '20'").replace('SUM(amount) AS total', 'SUM(amount) AS total, COUNT(*) AS n'));
  const log = await makeLog({ brokers: null, origin: 'test' }, join(dir, '.pipe'), null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  expect(await readAll(log, 'totals')).toEqual(['{"account":"1","total":10.00,"window_start":0}', '{"account":"1","total":7.00,"n":1,"window_start":20000}']);
  await log.close();
});
