import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommandLine } from '../../src/cli/args.ts';
import { explain } from '../../src/cli/explain.ts';
import { loadCompiled } from '../../src/cli/load-compiled.ts';
import { makeLog } from '../../src/cli/make-log.ts';
import { makeRun } from '../../src/cli/run.ts';
import type { RunModules } from '../../src/cli/run-modules.ts';
import { runParts } from '../../src/cli/run-parts.ts';
import type { Log, NewRecord } from '../../src/connectors/connector.ts';
import { Database } from '../../src/state/database.ts';
import { fakeIo } from '../cli/fake-io.ts';
import { readAll } from './run-case.ts';

export type Row = Record<string, unknown>;

/** What SQLite makes of tables; a column holds what its first value is. */
export function truth(sql: string, tables: Readonly<Record<string, readonly object[]>>): Row[] {
  const db = new Database(':memory:');
  for (const [name, rows] of Object.entries(tables)) {
    const entries = Object.entries(rows[0] ?? {});
    db.exec(`CREATE TABLE ${name} (${entries.map(([k, v]) => `${k} ${typeof v === 'string' ? 'TEXT' : Number.isInteger(v) ? 'INTEGER' : 'REAL'}`).join(', ')})`);
    const insert = db.prepare(`INSERT INTO ${name} VALUES (${entries.map(() => '?').join(', ')})`);
    for (const row of rows) insert.run(...Object.values(row) as (string | number)[]);
  }
  const found = db.prepare(sql).all() as Row[];
  db.close();
  return found;
}

/** Rows as texts in one order; decimals as numbers, to eight places. */
export const canonical = (rows: readonly Row[]): string[] =>
  rows.map(r => JSON.stringify(Object.entries(r).map(([k, v]) => [k, k === 'account' || k === 'holder' || !/^-?[\d.]+$/.test(String(v)) ? v : Math.round(Number(v) * 1e8) / 1e8]).sort())).sort();

export async function withLog<T>(dir: string, work: (log: Log) => Promise<T>): Promise<T> {
  const log = await makeLog({ brokers: null, origin: 'test' }, dir, null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  try {
    return await work(log);
  } finally {
    await log.close();
  }
}

/** Records of rows as JSON, to partition 0 unless `partition` says another one. */
export const send = (dir: string, topic: string, rows: readonly object[], { partitions = 1, config = {}, partition = (): number => 0 }: { partitions?: number; config?: Record<string, string>; partition?: (i: number) => number } = {}): Promise<void> =>
  withLog(dir, async log => {
    await log.createTopic({ name: topic, partitions, retention: null, config });
    await log.append(topic, rows.map((row, i): NewRecord => ({ key: null, value: Buffer.from(JSON.stringify(row)), headers: [], partition: partition(i), timestamp: null })));
  });

export const written = (dir: string, topic: string): Promise<Row[]> => withLog(dir, async log => (await log.topic(topic) === null ? [] : (await readAll(log, topic)).map(v => JSON.parse(v) as Row)));

/** `pipe run` of a file on the embedded log in `dir`, to the end, an epoch after every batch; what it says. */
export async function run(dir: string, text: string, flags: readonly string[] = [], { env = {}, signal, ...modules }: Partial<RunModules> & { env?: Record<string, string>; signal?: AbortSignal } = {}): Promise<string> {
  const file = join(dir, 'edits.yaml');
  writeFileSync(file, text);
  const command = makeRun(() => Promise.resolve({ ...runParts, load: async (p, io) => (await loadCompiled(p, io)).map(x => ({ ...x, spec: { ...x.spec, settings: { ...x.spec.settings, checkpoint: 0 } } })), ...modules }));
  const io = fakeIo({ cwd: dir, env, ...(signal === undefined ? {} : { signal }) });
  await command.run(parseCommandLine(command, [file, '--until-end', '--no-print', '--data-dir', dir, ...flags]), io);
  return io.err.text;
}

/** What `pipe explain --diff` prints, with its exit code. */
export async function diff(dir: string, text: string, flags: readonly string[] = []): Promise<{ readonly out: string; readonly code: number }> {
  const file = join(dir, 'edits.yaml');
  writeFileSync(file, text);
  const io = fakeIo({ cwd: dir });
  const code = await explain.run(parseCommandLine(explain, [file, '--diff', '--data-dir', dir, ...flags]), io);
  return { out: io.out.text, code };
}
