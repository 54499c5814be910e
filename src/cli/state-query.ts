import type { Answer } from '../engine/state-tables.ts';
import { PipeError } from '../errors.ts';
import type { SqlValue } from '../state/store.ts';
import { countFlag } from './args.ts';
import type { Command, Io, Parsed } from './command.ts';
import { logFlag, stateFile } from './state-files.ts';
import { Table } from './table.ts';
import { fitsWell, recordList } from './table-fit.ts';
import { harmless } from './text-width.ts';

const MOST_ROWS = 1000;

export const stateQuery: Command = {
  name: 'state query',
  summary: 'asks the saved state of a pipeline in SQLite\'s SQL, also while it runs',
  usage: 'PIPELINE SQL',
  examples: [
    ['pipe state query balances.yaml "SELECT * FROM state_account_balances LIMIT 10"', 'open windows'],
    ['pipe state query fraud.yaml "SELECT code, count(*) FROM dead_letters GROUP BY code" --json', 'dead letters by code'],
  ],
  flags: [logFlag, { name: 'limit', value: 'N', summary: `rows printed at most (default ${MOST_ROWS})` }],
  notes: [
    'A grouping is a table state_NAME: its keys, window_end, window_start, and what each aggregate keeps, named by its SQL and not by its alias. An exact sum is two',
    'columns, as sum_amount_lo + sum_amount_hi * 4503599627370496 in units of the last digit, or of long numbers one, as text. pipe state ls --json lists the columns.',
  ],
  run: async (p, io) => {
    const [file, sql, ...more] = p.args;
    if (file === undefined || sql === undefined || more.length > 0) throw new PipeError('user.usage.missing_argument', 'pipe state query takes a pipeline and one SQL text', { hint: 'see: pipe state query --help' });
    const [{ loadKnown }, { StateReader }, { askTables, readableTables }] = await Promise.all([import('./known-pipelines.ts'), import('../state/reader.ts'), import('../engine/state-tables.ts')]);
    const [compiled] = await loadKnown(p, io, [file]);
    if (compiled === undefined) return 0;
    const reader = new StateReader(stateFile(p, io, compiled).path);
    try {
      const limit = countFlag('--limit', p.text('limit') ?? String(MOST_ROWS), 1);
      print(askTables(readableTables(reader, compiled.plan), sql, { rows: limit, bytes: Infinity }), limit, p, io);
      return 0;
    } finally {
      reader.close();
    }
  },
};

function print({ columns, rows, more }: Answer, limit: number, p: Parsed, io: Io): void {
  if (p.has('json')) for (const row of rows) io.out.write(`${JSON.stringify(Object.fromEntries(columns.map((c, j) => [c, json(row[j] ?? null)])))}\n`);
  else {
    const isNumber = (v: SqlValue | undefined): boolean => typeof v === 'number' || typeof v === 'bigint';
    const heads = columns.map((name, j) => ({ name: harmless(name), type: '', right: rows.some(r => isNumber(r[j])), whole: rows.every(r => r[j] === null || isNumber(r[j])) }));
    const cells = rows.map(r => r.map(v => harmless(shown(v))));
    const room = io.out.isTTY ? io.out.columns : Infinity;
    const table = new Table(heads, () => room);
    io.out.write(fitsWell(heads, cells, room) ? table.rows(cells) + table.end() : recordList(heads, cells, room));
    if (table.cut && !p.has('quiet')) io.err.write('--json shows all of it\n');
  }
  if (more && !p.has('quiet')) io.err.write(`there are more than ${limit} rows: --limit N prints more\n`);
}

/** Whole numbers with all digits, bytes as base64. */
const json = (v: SqlValue): unknown => (typeof v === 'bigint' ? (Number.isSafeInteger(Number(v)) ? Number(v) : String(v)) : v instanceof Uint8Array ? Buffer.from(v).toString('base64') : v);
const shown = (v: SqlValue): string => (v === null ? 'NULL' : v instanceof Uint8Array ? Buffer.from(v).toString() : String(v));
