import { interpret, type Closure } from '../codegen/interpret.ts';
import { newBatch, newColumn, type Batch, type Column } from '../engine/batch.ts';
import type { RecordBatch } from '../engine/records.ts';
import { plainSql, RowError } from '../errors.ts';
import type { DecodeColumn, Decoder } from '../formats/format.ts';
import { findFormat } from '../formats/index.ts';
import { bindAlone } from '../sql/bind/condition.ts';
import { walk } from '../sql/bind/structure.ts';
import { BIGINT, INT, STRING, TIMESTAMP, type Field } from '../sql/types.ts';
import { badValue } from './refusal.ts';
import { column, type TopicColumns } from './topic-columns.ts';

/** Characters of a condition. */
const MOST_SQL = 10_000;
const MOST_RECORD_BYTES = 64 << 20;

interface MetaColumn {
  readonly field: Field;
  /** null: NULL. */
  value(b: RecordBatch, i: number): string | number | null;
}

const part = (b: RecordBatch, from: number, to: number): string | null => (from < 0 ? null : b.data.toString('utf8', from, to));

/** What every record has; a column of its schema with the same name comes first. */
const META: readonly MetaColumn[] = [
  { field: { name: 'key', type: STRING, nullable: true }, value: (b, i) => part(b, b.keyStart[i] as number, b.keyEnd[i] as number) },
  { field: { name: 'value', type: STRING, nullable: true }, value: (b, i) => part(b, b.valueStart[i] as number, b.valueEnd[i] as number) },
  { field: { name: 'partition', type: INT, nullable: false }, value: b => b.partition },
  { field: { name: 'offset', type: BIGINT, nullable: false }, value: (b, i) => b.offsets[i] as number },
  { field: { name: 'timestamp', type: TIMESTAMP, nullable: false }, value: (b, i) => b.timestamps[i] as number },
];

/** Columns that a filter of a topic may name; those of the schema may hide others. */
export function filterColumns(declared: TopicColumns | null): readonly Field[] {
  const own = declared?.columns.map(c => c.field) ?? [];
  return [...own, ...META.map(m => m.field).filter(f => !own.some(o => o.name === f.name))];
}

/** Records [from, to) that are wanted, in order: without a filter all of them. */
export const wantedOf = (filter: RecordFilter | null, b: RecordBatch, from: number, to: number): number[] => filter?.matches(b, from, to) ?? Array.from({ length: to - from }, (_, k) => from + k);

/** A SQL condition over records: interpreted, one record at a time. A record on which it fails, or that cannot be decoded, does not match. */
export class RecordFilter {
  readonly #test: Closure;
  readonly #width: number;
  /** By index of the column, those that the condition names. */
  readonly #meta: readonly (readonly [index: number, column: MetaColumn])[];
  readonly #decoded: readonly number[];
  readonly #decoder: Decoder | null;
  /** Records on which it failed. */
  failed = 0;

  /** `declared` null: names that no record has are fields of its JSON, as STRING. Throws PipeError user.sql.*. */
  constructor(sql: string, topic: string, declared: TopicColumns | null) {
    if (sql.length > MOST_SQL) throw badValue(`a filter has at most ${MOST_SQL} characters`);
    const known = filterColumns(declared);
    const { expr, columns } = bindAlone(plainSql(sql, 'filter'), known, declared === null);
    const used = new Set<number>();
    walk(expr, e => { if (e.k === 'col') used.add(e.index); });
    this.#width = columns.length;
    this.#test = interpret(expr, columns.length);
    const own = declared?.columns.length ?? 0;
    this.#meta = [...used].flatMap(index => {
      const meta = index < own || index >= known.length ? undefined : META.find(m => m.field.name === columns[index]?.name);
      return meta === undefined ? [] : [[index, meta] as const];
    });
    this.#decoded = [...used].filter(i => i < own || i >= known.length);
    const read = this.#decoded.map((i): DecodeColumn => declared?.columns[i] ?? column((columns[i] as Field).name, columns[i] as Field));
    this.#decoder = read.length === 0 ? null : findFormat(declared?.format ?? 'json').decoder?.(read, { topic, maxRecordBytes: MOST_RECORD_BYTES, generated: false }) ?? null;
  }

  /** Which of records [from, to) match, in order. */
  matches(b: RecordBatch, from: number, to: number): number[] {
    const decoded = this.#decoder?.decode(b, from, to, () => { this.failed++; }) ?? null;
    const length = decoded?.length ?? to - from;
    const record = (row: number): number => (decoded === null ? from + row : (decoded.origin?.rows[row] as number));
    const cols: Column[] = new Array(this.#width);
    const nulls: (Uint8Array | null)[] = new Array(this.#width).fill(null);
    for (const [j, index] of this.#decoded.entries()) {
      cols[index] = decoded?.cols[j] as Column;
      nulls[index] = decoded?.nulls[j] ?? null;
    }
    for (const [index, { field, value }] of this.#meta) {
      const made = (cols[index] = newColumn(field.type, length) as unknown[]);
      const none = (nulls[index] = field.nullable ? new Uint8Array(length) : null);
      for (let row = 0; row < length; row++) {
        const v = value(b, record(row));
        if (v === null) (none as Uint8Array)[row] = 1;
        else made[row] = v;
      }
    }
    const batch = newBatch([], length, cols, nulls, null, null);
    const found: number[] = [];
    for (let row = 0; row < length; row++) if (this.#matches(batch, row)) found.push(record(row));
    return found;
  }

  #matches(batch: Batch, row: number): boolean {
    try {
      return this.#test(batch, row, []) === true;
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      this.failed++;
      return false;
    }
  }
}
