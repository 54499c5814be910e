import { isUtf8 } from 'node:buffer';
import type { PhysicalPlan } from '../plan/physical.ts';
import { PipeError } from '../errors.ts';
import { Database } from '../state/database.ts';
import type { StateReader } from '../state/reader.ts';
import type { SqlValue } from '../state/store.ts';
import { GroupRows } from './group-rows.ts';
import { groupTable } from './group-table.ts';

/** A table of a state file as a person reads it: the rows of a grouping whether they lie there as rows, packed, or as runs to be folded together. */
export interface ReadableTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** Of a grouping: its operator and the columns of its keys. */
  readonly operator: string | null;
  readonly keys: readonly string[];
  rows(): Iterable<readonly SqlValue[]>;
  /** How many rows lie there as such, without looking at them, and the others. */
  plainRows(): number;
  otherRows(): Iterable<unknown>;
}

interface Grouping {
  readonly operator: string;
  readonly keys: readonly string[];
  readonly rows: GroupRows;
}

/** `plan` null: tables as they lie there. */
export function readableTables(reader: StateReader, plan: PhysicalPlan | null): readonly ReadableTable[] {
  const groupings = new Map<string, Grouping>((plan?.operators ?? []).flatMap(o => {
    if (o.k !== 'aggregate') return [];
    const { name, columns, key } = groupTable(o);
    return [[`state_${name}`, { operator: o.id, keys: columns.slice(key - o.keys.length, key).map(c => c.name), rows: new GroupRows(o) }] as const];
  }));
  return [...reader.tables()].map(([name, columns]) => {
    const grouping = groupings.get(name);
    const otherRows = function* (): Iterable<readonly SqlValue[]> {
      if (grouping === undefined) return;
      yield* grouping.rows.unpack(reader.packed(name));
      yield* grouping.rows.merge(reader.spilled(name));
    };
    return {
      name, columns, operator: grouping?.operator ?? null, keys: grouping?.keys ?? [], plainRows: () => reader.count(name), otherRows,
      *rows() {
        yield* reader.rows(name);
        yield* otherRows();
      },
    };
  });
}

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** There are more rows. */
  readonly more: boolean;
}

/** Bounds of one answer. */
export interface AskLimits {
  readonly rows: number;
  /** Bytes of texts and bytes in it, more or less. */
  readonly bytes: number;
}

/** A query over an SQLite in memory whose tables are those of a state: nothing can be changed by it, and no file reached. Throws user.usage.bad_value. */
export function askTables(tables: readonly ReadableTable[], sql: string, limits: AskLimits): Answer {
  const db = new Database(':memory:');
  try {
    db.pragma('temp_store = MEMORY');
    for (const t of tables) db.table(t.name, { columns: [...t.columns], safeIntegers: true, *rows() { yield* t.rows() as Iterable<unknown[]>; } });
    const statement = db.prepare(sql);
    if (!statement.reader || !statement.readonly || !['SELECT', 'WITH', 'VALUES', 'EXPLAIN'].includes(firstWord(sql))) throw new PipeError('user.usage.bad_value', 'state is only read: this takes one SELECT', { hint: `tables: ${tables.map(t => t.name).join(', ')}` });
    const columns = statement.columns().map(c => c.name);
    const rows: SqlValue[][] = [];
    let bytes = 0;
    for (const row of statement.raw().safeIntegers().iterate() as Iterable<SqlValue[]>) {
      if (rows.length === limits.rows || bytes > limits.bytes) return { columns, rows, more: true };
      rows.push(row);
      for (const v of row) bytes += typeof v === 'string' || v instanceof Uint8Array ? v.length : 8;
    }
    return { columns, rows, more: false };
  } catch (error) {
    if (error instanceof PipeError) throw error;
    if ((error as { code?: string }).code === 'SQLITE_NOMEM') throw new PipeError('system.resource.memory', 'the query needs more memory than it may have', { hint: 'ask for less: a WHERE, fewer columns or joins', cause: error });
    throw new PipeError('user.usage.bad_value', `SQLite: ${(error as Error).message}`, { hint: `tables: ${tables.map(t => t.name).join(', ')}`, cause: error });
  } finally {
    db.close();
  }
}

/** Of an SQL text, behind blanks and comments; upper case. */
function firstWord(sql: string): string {
  let at = 0;
  for (;;) {
    while (/\s/.test(sql[at] ?? '')) at++;
    const end = sql.startsWith('--', at) ? sql.indexOf('\n', at) : sql.startsWith('/*', at) ? sql.indexOf('*/', at) + 1 : -1;
    if (end <= 0) return /^\w*/.exec(sql.slice(at, at + 10))?.[0].toUpperCase() ?? '';
    at = end + 1;
  }
}

/** A value of SQLite in JSON: whole numbers with all digits, bytes as text where they are some. */
export function jsonValue(v: SqlValue): unknown {
  if (typeof v === 'bigint') return Number.isSafeInteger(Number(v)) ? Number(v) : String(v);
  if (!(v instanceof Uint8Array)) return v;
  return isUtf8(v) ? Buffer.from(v).toString() : { base64: Buffer.from(v).toString('base64') };
}
