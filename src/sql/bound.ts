import type { At } from './ast.ts';
import type { Schema, SqlType, Value } from './types.ts';
import type { AggregateFn, ScalarFn } from './functions/define.ts';
import type { WindowSpec } from './windows/define.ts';

/** Expression after binding: names are column indexes, overloads are chosen, every coercion is a call. Three-valued logic: NULL beside true and false. */
export type Expr =
  | { readonly k: 'col'; readonly index: number; readonly type: SqlType; readonly nullable: boolean }
  | { readonly k: 'lit'; readonly value: Value | null; readonly type: SqlType }
  | { readonly k: 'call'; readonly fn: ScalarFn; readonly args: readonly Expr[]; readonly type: SqlType; readonly at: At }
  | { readonly k: 'and' | 'or'; readonly args: readonly Expr[]; readonly type: SqlType }
  | { readonly k: 'not'; readonly arg: Expr; readonly type: SqlType }
  /** Never NULL. 'unknown' is 'null' over a BOOLEAN. */
  | { readonly k: 'is'; readonly what: 'null' | 'true' | 'false'; readonly not: boolean; readonly arg: Expr; readonly type: SqlType }
  /** The first `when` that is true wins; an untaken branch is never evaluated. COALESCE, NULLIF and IF arrive as this. */
  | { readonly k: 'case'; readonly whens: readonly { readonly when: Expr; readonly then: Expr }[]; readonly else: Expr; readonly type: SqlType }
  /** NULL where `arg` throws a RowError (TRY_CAST). */
  | { readonly k: 'try'; readonly arg: Expr; readonly type: SqlType };

export function nullable(e: Expr): boolean {
  switch (e.k) {
    case 'col': return e.nullable;
    case 'lit': return e.value === null;
    case 'call': return e.fn.returnsNull === true || (e.fn.nulls === 'propagate' && e.args.some(nullable));
    case 'and': case 'or': return e.args.some(nullable);
    case 'not': return nullable(e.arg);
    case 'is': return false;
    case 'case': return e.whens.some(w => nullable(w.then)) || nullable(e.else);
    case 'try': return true;
  }
}

export interface AggregateCall {
  readonly fn: AggregateFn;
  readonly args: readonly Expr[];
  /** FILTER (WHERE ..): rows for which it is not true are not folded. */
  readonly filter: Expr | null;
  /** As written, for explain and for naming state columns: `SUM(amount)`. */
  readonly text: string;
  readonly type: SqlType;
  readonly at: At;
}

/** Relations after binding; each has the schema of its rows. The planner rewrites this into the logical plan. */
export type Relation =
  | { readonly k: 'scan'; readonly table: string; readonly schema: Schema; readonly time: number | null }
  | { readonly k: 'filter'; readonly input: Relation; readonly condition: Expr; readonly text: string; readonly schema: Schema; readonly time: number | null }
  | { readonly k: 'project'; readonly input: Relation; readonly exprs: readonly Expr[]; readonly schema: Schema; readonly time: number | null }
  /** Adds window_start, window_end, window_time after the input's columns; one row may be in several windows. */
  | { readonly k: 'window'; readonly input: Relation; readonly window: WindowSpec; readonly schema: Schema; readonly time: number | null }
  /**
   * Groups by `keys`; output columns: the keys, then the calls.
   * `windowKeys`: which keys are window_start, window_end or window_time of a window below: then groups close by the watermark.
   * Without any, groups are final only at the end of the input.
   */
  | {
      readonly k: 'aggregate'; readonly input: Relation; readonly keys: readonly Expr[]; readonly keyTexts: readonly string[]; readonly calls: readonly AggregateCall[];
      readonly windowed: boolean; readonly schema: Schema; readonly time: number | null; readonly at: At;
    };
