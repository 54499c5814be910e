import { RowError } from '../errors.ts';
import { locator } from '../codegen/locate.ts';
import type { StageHost, StageLoop } from '../codegen/loop.ts';
import { generateStage, interpretStage, movedText } from '../codegen/stage.ts';
import type { Stage } from '../plan/physical.ts';
import { nullable } from '../sql/bound.ts';
import { TextColumn } from '../sql/values/text-column.ts';
import { newBatch, newColumn, perColumn, type Batch, type Column } from './batch.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';

/** Rows of a stage with a window are pushed on in pieces of this size, since one input row may become many. */
const WINDOW_CHUNK = 8192;

/** Filter, window assignment and projection: no state. Output arrays are reused from batch to batch. */
export class StageOperator implements Operator, StageHost {
  readonly id: string;
  readonly #stage: Stage;
  readonly #context: OperatorContext;
  readonly #next: Output;
  readonly #loop: StageLoop;
  readonly #locate: ReturnType<typeof locator>;
  /** Input column of each output column whose texts are moved as they are, else null. */
  readonly #moved: readonly (number | null)[];
  /** Input column of each output column, where that is all the stage does. */
  readonly #renamed: readonly number[] | null;
  out: Column[] = [];
  outNulls: (Uint8Array | null)[] = [];
  rows = new Int32Array(0);
  capacity = 0;
  #wm = new Float64Array(0);
  #origin = new Int32Array(0);

  constructor(stage: Stage, width: number, context: OperatorContext, next: Output, jit: boolean) {
    this.id = stage.id;
    this.#stage = stage;
    this.#context = context;
    this.#next = next;
    this.#loop = jit ? generateStage(stage, width).loop : interpretStage(stage, width);
    this.#moved = stage.project.map(x => movedText(x, width));
    const names = stage.project.flatMap(x => (x.k === 'col' && x.index < width ? [x.index] : []));
    this.#renamed = stage.filter === null && stage.window === null && names.length === stage.project.length ? names : null;
    this.#locate = locator([...(stage.filter === null ? [] : [stage.filter]), ...stage.project], stage.window, width);
  }

  open(): void {}

  push(b: Batch): void {
    if (this.#renamed !== null) {
      const { schema } = this.#stage;
      this.#next.push(newBatch(schema, b.length, perColumn(this.#renamed, j => b.cols[j] as Column), perColumn(this.#renamed, j => b.nulls[j] ?? null), b.wm, b.origin));
      return;
    }
    this.#reserve(this.#stage.window === null ? b.length : WINDOW_CHUNK);
    this.#loop(b, this);
  }

  watermark(ms: number): void { this.#next.watermark(ms); }
  finish(): void { this.#next.finish(); }
  resume(): boolean { return true; }
  snapshot(): void {}
  keys(): number { return 0; }
  lastOpenEnd(): number | null { return null; }
  windows(): null { return null; }

  emit(b: Batch, m: number): void {
    if (m === 0) return;
    if (m === b.length && this.#stage.window === null) return this.#emitAll(b);
    const { rows } = this;
    if (b.wm !== null) for (let i = 0; i < m; i++) this.#wm[i] = b.wm[rows[i] as number] as number;
    if (b.origin !== null) for (let i = 0; i < m; i++) this.#origin[i] = b.origin.rows[rows[i] as number] as number;
    const from = rows.subarray(0, m);
    const cols = perColumn(this.#moved, (j, k) => (j === null ? (this.out[k] as Column) : moveText(b.cols[j] as TextColumn | string[], this.out[k] as string[], from)));
    this.#moved.forEach((j, k) => { if (j !== null) moveNulls(b.nulls[j] ?? null, this.outNulls[k] ?? null, from); });
    const origin = b.origin === null ? null : { records: b.origin.records, rows: this.#origin };
    this.#next.push(newBatch(this.#stage.schema, m, cols, this.outNulls, b.wm === null ? null : this.#wm, origin));
  }

  /** No row was left out: what is not made here goes on as it is. */
  #emitAll(b: Batch): void {
    const cols = perColumn(this.#moved, (j, k) => (j === null ? this.out[k] : b.cols[j]) as Column);
    const nulls = perColumn(this.#moved, (j, k) => (j === null ? this.outNulls[k] : b.nulls[j]) ?? null);
    this.#next.push(newBatch(this.#stage.schema, b.length, cols, nulls, b.wm, b.origin));
  }

  filtered(n: number): void {
    if (this.#stage.overRecords) this.#context.counts.filtered(this.id, n);
  }

  failed(b: Batch, i: number, error: unknown): void {
    if (!(error instanceof RowError)) throw error;
    const { code, message, at } = this.#locate(b, i, error);
    this.#context.counts.failed(this.id, b, i, code, message, at);
  }

  #reserve(rows: number): void {
    if (rows <= this.capacity) return;
    this.capacity = rows;
    this.out = perColumn(this.#stage.schema, f => newColumn(f.type, rows));
    this.outNulls = perColumn(this.#stage.project, x => (nullable(x) ? new Uint8Array(rows) : null));
    this.rows = new Int32Array(rows);
    this.#wm = new Float64Array(rows);
    this.#origin = new Int32Array(rows);
  }
}

function moveText(from: TextColumn | string[], to: string[], rows: Int32Array): TextColumn | string[] {
  if (from instanceof TextColumn) return from.pick(rows);
  for (let k = 0; k < rows.length; k++) to[k] = from[rows[k] as number] as string;
  return to;
}

function moveNulls(from: Uint8Array | null, to: Uint8Array | null, rows: Int32Array): void {
  if (to === null) return;
  for (let k = 0; k < rows.length; k++) to[k] = from === null ? 0 : (from[rows[k] as number] as number);
}
