import { PipeError } from '../errors.ts';
import type { SqlValue } from '../state/store.ts';
import { countFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { logFlag, stateFile } from './state-files.ts';
import type { ReadableTable } from './state-tables.ts';
import { Table } from './table.ts';

const MOST_ROWS = 1000;

export const stateQuery: Command = {
  name: 'state query',
  summary: 'asks the saved state of a pipeline in SQLite\'s SQL, also while it runs',
  usage: 'FILE SQL',
  examples: [
    ['pipe state query balances.yaml "SELECT * FROM state_account_balances LIMIT 10"', 'open windows'],
    ['pipe state query fraud.yaml "SELECT code, count(*) FROM dead_letters GROUP BY code" --json', 'dead letters by code'],
  ],
  flags: [logFlag, { name: 'limit', value: 'N', summary: `rows printed at most (default ${MOST_ROWS})` }],
  run: async (p, io) => {
    const [file, sql, ...more] = p.args;
    if (file === undefined || sql === undefined || more.length > 0) throw new PipeError('user.usage.missing_argument', 'pipe state query takes a pipeline and one SQL text', { hint: 'see: pipe state query --help' });
    const [{ loadCompiled }, { StateReader }, { readableTables }] = await Promise.all([import('./load-compiled.ts'), import('../state/reader.ts'), import('./state-tables.ts')]);
    const [compiled] = await loadCompiled({ ...p, args: [file] }, io);
    if (compiled === undefined) return 0;
    const reader = new StateReader(stateFile(p, io, compiled).path);
    try {
      await print(readableTables(reader, compiled), sql, p, io);
      return 0;
    } finally {
      reader.close();
    }
  },
};

async function print(tables: readonly ReadableTable[], sql: string, p: Parsed, io: Io): Promise<void> {
  const limit = countFlag('--limit', p.text('limit') ?? String(MOST_ROWS), 1);
  const { columns, rows, more } = await ask(tables, sql, limit);
  if (p.has('json')) for (const row of rows) io.out.write(`${JSON.stringify(Object.fromEntries(columns.map((c, j) => [c, json(row[j] ?? null)])))}\n`);
  else {
    const table = new Table(columns.map((name, j) => ({ name, type: '', right: rows.some(r => typeof r[j] === 'number' || typeof r[j] === 'bigint'), whole: false })), () => (io.out.isTTY ? io.out.columns : Infinity));
    io.out.write(table.rows(rows.map(r => r.map(shown))) + table.end());
    if (table.cut && !p.has('quiet')) io.err.write('--json shows all of it\n');
  }
  if (more && !p.has('quiet')) io.err.write(`there are more than ${limit} rows: --limit N prints more\n`);
}

/** The query over an SQLite in memory whose tables are those of the state: nothing can be changed by it. */
async function ask(tables: readonly ReadableTable[], sql: string, limit: number): Promise<{ columns: string[]; rows: SqlValue[][]; more: boolean }> {
  const { Database } = await import('../state/database.ts');
  const db = new Database(':memory:');
  try {
    for (const t of tables) db.table(t.name, { columns: [...t.columns], safeIntegers: true, *rows() { yield* t.rows() as Iterable<unknown[]>; } });
    const statement = db.prepare(sql);
    if (!statement.reader) throw new PipeError('user.usage.bad_value', 'pipe state query takes a SELECT: state is only read', { hint: 'see: pipe state query --help' });
    const rows: SqlValue[][] = [];
    for (const row of statement.raw().safeIntegers().iterate() as Iterable<SqlValue[]>) {
      if (rows.length === limit) return { columns: statement.columns().map(c => c.name), rows, more: true };
      rows.push(row);
    }
    return { columns: statement.columns().map(c => c.name), rows, more: false };
  } catch (error) {
    if (error instanceof PipeError) throw error;
    throw new PipeError('user.usage.bad_value', `SQLite: ${(error as Error).message}`, { hint: `tables: ${tables.map(t => t.name).join(', ')}`, cause: error });
  } finally {
    db.close();
  }
}

/** Whole numbers with all digits, bytes as base64. */
const json = (v: SqlValue): unknown => (typeof v === 'bigint' ? (Number.isSafeInteger(Number(v)) ? Number(v) : String(v)) : v instanceof Uint8Array ? Buffer.from(v).toString('base64') : v);
const shown = (v: SqlValue): string => (v === null ? 'NULL' : v instanceof Uint8Array ? Buffer.from(v).toString() : String(v));
