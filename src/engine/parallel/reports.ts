import { interpret } from '../../codegen/interpret.ts';
import { RowError, type Code, type Span, type SourceText } from '../../errors.ts';
import type { Aggregate, PhysicalPlan } from '../../plan/physical.ts';
import { TextColumn } from '../../sql/values/text-column.ts';
import { newBatch, newColumn, type Batch, type Column } from '../batch.ts';
import type { Counts } from '../operator.ts';
import type { Accounting, SinkCounts } from '../ports.ts';
import type { RecordBatch } from '../records.ts';
import type { SliceRecords } from './raw.ts';

/** One record or row that a worker must report; the main thread has the record itself, and keeps all the books. */
export type Report =
  | { readonly k: 'undecodable'; readonly row: number; readonly code: Code; readonly message: string }
  | { readonly k: 'future'; readonly row: number; readonly time: number }
  | { readonly k: 'late'; readonly operator: string; readonly of: Subject }
  /** `due`: it is late instead, when its last window had closed before it. */
  | { readonly k: 'failed'; readonly operator: string; readonly of: Subject; readonly code: Code; readonly message: string; readonly at: readonly [start: number, end: number] | null; readonly due: Due | null };

/** A record of a slice, or a row that was made of many: its values under the schema of an operator of the plan. */
type Subject =
  | { readonly slice: number; readonly row: number }
  | { readonly schema: number; readonly values: readonly unknown[]; readonly nulls: readonly boolean[] };

/** What was reported since the last time. */
export interface Reports {
  readonly list: readonly Report[];
  readonly filtered: readonly (readonly [operator: string, n: number])[];
  readonly rowsOut: readonly (readonly [sink: string, n: number])[];
}

/** When a row is late, before its expressions are looked at: epoch ms of its last window's end, highest event time of its slice before it. */
export interface Due {
  readonly end: number;
  readonly before: number;
}

/** In a worker: takes down what its operators, decoder and outbox report. */
export class Notes implements Counts, SinkCounts {
  readonly #plan: PhysicalPlan;
  readonly #due: ((operator: string, b: Batch, i: number) => Due | null) | null;
  #list: Report[] = [];
  #filtered = new Map<string, number>();
  #rowsOut = new Map<string, number>();

  /** `plan`: the whole plan. `due`: for rows that fail before the exchange, though late ones are found behind it. */
  constructor(plan: PhysicalPlan, due: ((operator: string, b: Batch, i: number) => Due | null) | null) {
    this.#plan = plan;
    this.#due = due;
  }

  /** Whether a record or row was reported since the last time. */
  get any(): boolean { return this.#list.length > 0; }
  filtered(operator: string, n: number): void { this.#filtered.set(operator, (this.#filtered.get(operator) ?? 0) + n); }
  rowsOut(sink: string, n: number): void { this.#rowsOut.set(sink, (this.#rowsOut.get(sink) ?? 0) + n); }
  undecodable(row: number, code: Code, message: string): void { this.#list.push({ k: 'undecodable', row, code, message }); }
  future(row: number, time: number): void { this.#list.push({ k: 'future', row, time }); }
  late(operator: string, b: Batch, i: number): void { this.#list.push({ k: 'late', operator, of: this.#subject(b, i) }); }

  failed(operator: string, b: Batch, i: number, code: Code, message: string, at: Span | null): void {
    const due = this.#due === null || b.origin === null ? null : this.#due(operator, b, i);
    this.#list.push({ k: 'failed', operator, of: this.#subject(b, i), code, message, at: at === null ? null : [at.start, at.end], due });
  }

  take(): Reports {
    const taken = { list: this.#list, filtered: [...this.#filtered], rowsOut: [...this.#rowsOut] };
    this.#list = [];
    this.#filtered = new Map();
    this.#rowsOut = new Map();
    return taken;
  }

  #subject(b: Batch, i: number): Subject {
    if (b.origin !== null) return { slice: (b.origin.records as SliceRecords).slice, row: b.origin.rows[i] as number };
    const nulls = b.cols.map((_, j) => b.nulls[j]?.[i] === 1);
    return { schema: this.#plan.operators.findIndex(o => o.schema === b.schema), nulls, values: b.cols.map((c, j) => (nulls[j] === true ? null : c instanceof TextColumn ? c.at(i) : c[i])) };
  }
}

/** A grouping looks at its filter, then whether the row is late, then at keys and arguments: so a row that fails in the last two may be late. */
export function dueOf(a: Aggregate, width: number): (operator: string, b: Batch, i: number) => Due | null {
  const filter = a.filter === null ? null : interpret(a.filter, width);
  const window = a.window as NonNullable<Aggregate['window']>;
  return (operator, b, i) => {
    if (operator !== a.id || failsIn(filter, b, i)) return null;
    const time = (j: number): number => (b.cols[j] as Float64Array)[i] as number;
    return { end: 'k' in window ? time(window.end) : window.def.newest(time(window.time), window.ms), before: (b.wm as Float64Array)[i] as number };
  };
}

function failsIn(filter: ReturnType<typeof interpret> | null, b: Batch, i: number): boolean {
  if (filter === null) return false;
  try {
    filter(b, i, []);
    return false;
  } catch (error) {
    if (error instanceof RowError) return true;
    throw error;
  }
}

/** What the main thread knows of where reports come from. */
export interface ReportPlaces {
  readonly source: string;
  /** Index of the event time in the scan, and how many columns that has. */
  readonly time: number;
  readonly file: SourceText;
  readonly plan: PhysicalPlan;
  /** Records of a slice that is not passed yet by all workers. */
  records(slice: number): RecordBatch;
}

/**
 * Enters reports in the one accounting. `slice` is theirs where they come from before the exchange; `isLate` tells whether a window that
 * ends at `end` was closed for a row behind `before`. Throws user.data.* where `on_error` says stop.
 */
export function enter(r: Reports, accounting: Accounting, places: ReportPlaces, slice: number, isLate: (due: Due) => boolean): void {
  for (const [operator, n] of r.filtered) accounting.filtered(operator, n);
  for (const [sink, n] of r.rowsOut) accounting.rowsOut(sink, n);
  for (const x of r.list) {
    switch (x.k) {
      case 'undecodable': accounting.undecodable(places.source, places.records(slice), x.row, x.code, x.message); break;
      case 'future': accounting.future(places.source, timeRow(places, slice, x.row, x.time), 0); break;
      case 'late': accounting.late(x.operator, batchOf(places, x.of), 0); break;
      case 'failed': {
        const b = batchOf(places, x.of);
        if (x.due !== null && isLate(x.due)) accounting.late(x.operator, b, 0);
        else accounting.failed(x.operator, b, 0, x.code, x.message, x.at === null ? null : { source: places.file, start: x.at[0], end: x.at[1] });
      }
    }
  }
}

const recordRow = (records: RecordBatch, row: number): Batch => newBatch([], 1, [], [], null, { records, rows: Int32Array.of(row) });

function timeRow(places: ReportPlaces, slice: number, row: number, time: number): Batch {
  const cols: Column[] = [];
  cols[places.time] = Float64Array.of(time);
  return { ...recordRow(places.records(slice), row), cols };
}

/** A batch of the one row. */
function batchOf(places: ReportPlaces, of: Subject): Batch {
  if ('slice' in of) return recordRow(places.records(of.slice), of.row);
  const { schema } = places.plan.operators[of.schema] as PhysicalPlan['operators'][number];
  const cols = schema.map((f, j) => {
    const c = newColumn(f.type, 1) as unknown[];
    c[0] = of.values[j] ?? c[0];
    return c as unknown as Column;
  });
  return newBatch(schema, 1, cols, of.nulls.map(n => (n ? Uint8Array.of(1) : null)), null, null);
}
