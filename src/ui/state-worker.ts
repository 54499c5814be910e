import { compilePipeline } from '../config/compile.ts';
import type { Env } from '../config/environment.ts';
import { loadPipeline } from '../config/load.ts';
import { askTables, jsonValue, readableTables, type Answer, type ReadableTable } from '../engine/state-tables.ts';
import { PipeError, problemsOf } from '../errors.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import { StateReader } from '../state/reader.ts';
import type { SqlValue } from '../state/store.ts';
import type { Rows, StateTables } from './answers.ts';

/** A state file and the pipeline that it is of. */
export interface StateTarget {
  readonly path: string;
  readonly file: string;
  /** Of the file, as it was compiled. */
  readonly text: string;
  readonly root: string;
}

export type StateRequest =
  | { readonly k: 'tables'; readonly of: readonly StateTarget[] }
  | { readonly k: 'query'; readonly of: StateTarget; readonly sql: string; readonly limit: number }
  | { readonly k: 'lookup'; readonly of: StateTarget; readonly table: string; readonly key: readonly unknown[] };

/** ms in which rows are counted, of all tables. */
const COUNT_MS = 3000;
/** Rows between two looks at the clock. */
const SLICE = 1000;
const MOST_BYTES = 4 << 20;
const MOST_FOUND = 1000;
/** Characters or bytes of one value. */
const MOST_VALUE = 64 << 10;

/** Answers one request about state files; for a process of its own, which may be killed while SQLite works. Throws PipeError. */
export function answerState(request: StateRequest, env: Env): readonly StateTables[] | Rows {
  if (request.k === 'tables') {
    const until = performance.now() + COUNT_MS;
    return request.of.map(of => tablesOf(of, env, until));
  }
  return reading(request.of, env, tables => (request.k === 'query' ? query(tables, request.sql, request.limit) : lookup(tables, request.table, request.key)));
}

function reading<T>(of: StateTarget, env: Env, read: (tables: readonly ReadableTable[], reader: StateReader) => T): T {
  const reader = new StateReader(of.path);
  try {
    return read(readableTables(reader, planOf(of, env)), reader);
  } finally {
    reader.close();
  }
}

/** null where the file does not compile: then tables are shown as they lie there. */
function planOf({ file, text, root }: StateTarget, env: Env): PhysicalPlan | null {
  try {
    return compilePipeline(loadPipeline(file, { env, root, text, tests: false })).plan;
  } catch (error) {
    if (problemsOf(error) === null) throw error;
    return null;
  }
}

function tablesOf(of: StateTarget, env: Env, until: number): StateTables {
  try {
    return reading(of, env, (tables, reader) => ({
      epoch: reader.epoch(), error: null, tables: tables.map(t => ({ name: t.name, operator: t.operator, columns: t.columns, keys: t.keys, rows: counted(t, until) })),
    }));
  } catch (error) {
    if (!(error instanceof PipeError)) throw error;
    return { epoch: null, error: { code: error.code, message: error.message, hint: error.hint ?? null, at: null }, tables: [] };
  }
}

function counted(t: ReadableTable, until: number): number | null {
  let rows = t.plainRows();
  for (const _ of t.otherRows()) if (++rows % SLICE === 0 && performance.now() > until) return null;
  return rows;
}

const query = (tables: readonly ReadableTable[], sql: string, limit: number): Rows => rowsAnswer(askTables(tables, sql, { rows: limit, bytes: MOST_BYTES }));

/** Rows of a grouping whose keys are as given, in the order of its keys; the last ones may be left out. Values are compared as text. */
function lookup(tables: readonly ReadableTable[], name: string, key: readonly unknown[]): Rows {
  const table = tables.find(t => t.name === name);
  if (table === undefined) throw new PipeError('user.usage.bad_value', `the state has no table "${name}"`, { hint: `tables: ${tables.map(t => t.name).join(', ')}` });
  if (table.keys.length === 0) throw new PipeError('user.usage.bad_value', `table "${name}" has no key`, { hint: 'ask it in SQL' });
  if (key.length === 0 || key.length > table.keys.length) throw new PipeError('user.usage.bad_value', `the key of "${name}" is (${table.keys.join(', ')})`, { hint: 'as a JSON array: ["ACC-7"]' });
  const wanted = key.map((value, i) => ({ at: table.columns.indexOf(table.keys[i] as string), text: keyText(value) }));
  const rows: (readonly SqlValue[])[] = [];
  for (const row of table.rows()) {
    if (!wanted.every(w => keyText(row[w.at]) === w.text)) continue;
    if (rows.length === MOST_FOUND) return rowsAnswer({ columns: table.columns, rows, more: true });
    rows.push(row);
  }
  return rowsAnswer({ columns: table.columns, rows, more: false });
}

const keyText = (v: unknown): string | null => (v === null || v === undefined ? null : v === true ? '1' : v === false ? '0' : v instanceof Uint8Array ? Buffer.from(v).toString() : String(v));

const rowsAnswer = ({ columns, rows, more }: Answer): Rows => ({ columns, rows: rows.map(r => r.map(v => jsonValue(cut(v)))), truncated: more || rows.some(r => r.some(isCut)) });

const isCut = (v: SqlValue): boolean => (typeof v === 'string' || v instanceof Uint8Array) && v.length > MOST_VALUE;
const cut = (v: SqlValue): SqlValue => (!isCut(v) ? v : typeof v === 'string' ? v.slice(0, MOST_VALUE) : (v as Uint8Array).subarray(0, MOST_VALUE));
