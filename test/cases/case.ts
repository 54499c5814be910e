import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

type Cell = string | number | bigint | boolean | null;

export interface Case {
  readonly name: string;
  readonly sources: Readonly<Record<string, {
    readonly columns: Readonly<Record<string, string>>;
    readonly event_time: string;
    readonly watermark_delay_ms: bigint;
    readonly event_time_from?: { readonly column: string; readonly unit: string };
    readonly rows: readonly Readonly<Record<string, Cell>>[];
  }>>;
  readonly sql: string;
  readonly expected_columns: Readonly<Record<string, string>>;
  readonly expected_rows: readonly Readonly<Record<string, Cell>>[];
}

/** SQL cases whose rows came from DuckDB and agree with Flink; JSON.parse would lose their big integers. */
export const cases = parse(readFileSync(join(import.meta.dirname, 'cases.json'), 'utf8'), { intAsBigInt: true, maxAliasCount: 0 }) as readonly Case[];

const json = (v: Cell): string => (typeof v === 'bigint' ? String(v) : JSON.stringify(v));

/** A row as a producer sends it. */
export const record = (row: Readonly<Record<string, Cell>>): string => `{${Object.entries(row).map(([k, v]) => `${JSON.stringify(k)}:${json(v)}`).join(',')}}`;

/** The pipeline file of a case: its sources, and one sink `out`. */
export function pipelineOf(c: Case, name: string): string {
  const sources = Object.entries(c.sources).map(([table, s]) => {
    const columns = Object.entries(s.columns).filter(([column]) => s.event_time_from === undefined || column !== s.event_time);
    const time = s.event_time_from === undefined ? `{from: ${s.event_time}, delay: ${s.watermark_delay_ms}ms}`
      : `{from: ${s.event_time_from.column}, unit: ${s.event_time_from.unit}, as: ${s.event_time}, delay: ${s.watermark_delay_ms}ms}`;
    return `  ${table}:\n    schema:\n${columns.map(([column, type]) => `      ${column}: ${type}\n`).join('')}    event_time: ${time}\n    create: {partitions: 1}\n`;
  });
  return `name: ${name}\nsources:\n${sources.join('')}sinks:\n  out:\n    sql: |\n${c.sql.split('\n').map(l => `      ${l}\n`).join('')}`;
}

const NUMBER = 'number ';

/** Numbers of a JSON text as `number <digits as written>`. */
const withDigits = (text: string): Record<string, string | boolean | null> =>
  JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g, (_, quoted: string | undefined, n: string) => quoted ?? `"${NUMBER}${n}"`)) as Record<string, string | boolean | null>;

const double = (v: string): string => Number(Number(v).toPrecision(9)).toString();

function expected(v: Cell, type: string): string {
  if (v === null) return 'NULL';
  if (type === 'DOUBLE') return double(String(v));
  if (type.startsWith('TIMESTAMP')) return String(Date.parse(v as string));
  return String(v);
}

function actual(v: string | boolean | null | undefined, type: string): string {
  if (v === undefined) return 'missing';
  if (v === null) return 'NULL';
  const text = String(v);
  const numeric = type === 'DOUBLE' || type.startsWith('DECIMAL') || type.startsWith('TIMESTAMP') || type === 'BIGINT' || type === 'INT';
  if (numeric !== text.startsWith(NUMBER)) return `another type: ${text}`;
  const digits = text.slice(numeric ? NUMBER.length : 0);
  return type === 'DOUBLE' ? double(digits) : digits;
}

/** Rows in a form that compares as a multiset: DECIMALs with their scale, DOUBLEs to nine digits, TIMESTAMPs as instants. */
export const expectedRows = (c: Case): string[] =>
  c.expected_rows.map(row => Object.entries(c.expected_columns).map(([name, type]) => `${name}=${expected(row[name] as Cell, type)}`).join(' ')).sort();

export function actualRows(c: Case, values: readonly string[]): string[] {
  return values.map(v => {
    const row = withDigits(v);
    const extra = Object.keys(row).filter(k => !(k in c.expected_columns)).map(k => `unexpected ${k}`);
    return [...Object.entries(c.expected_columns).map(([name, type]) => `${name}=${actual(row[name], type)}`), ...extra].join(' ');
  }).sort();
}
