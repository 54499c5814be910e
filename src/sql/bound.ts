import type { Span } from '../errors.ts';
import type { At } from './ast.ts';
import type { Field, SqlType, Value } from './types.ts';
import type { AggregateFn, ScalarFn } from './functions/define.ts';
import type { WindowSpec } from './windows/define.ts';

/** Expression after binding: names are column indexes, overloads are chosen, every coercion is a call. Three-valued logic: NULL beside true and false. */
export type Expr =
  | { readonly k: 'col'; readonly index: number; readonly type: SqlType; readonly nullable: boolean }
  | { readonly k: 'lit'; readonly value: Value | null; readonly type: SqlType }
  | { readonly k: 'call'; readonly fn: ScalarFn; readonly args: readonly Expr[]; readonly type: SqlType; readonly at: Span }
  | { readonly k: 'and' | 'or'; readonly args: readonly Expr[]; readonly type: SqlType }
  | { readonly k: 'not'; readonly arg: Expr; readonly type: SqlType }
  /** Never NULL. 'unknown' is 'null' over a BOOLEAN. `at`: where it is written. */
  | { readonly k: 'is'; readonly what: 'null' | 'true' | 'false'; readonly not: boolean; readonly arg: Expr; readonly type: SqlType; readonly at?: Span }
  /**
   * The first `when` that is true wins; an untaken branch is never evaluated. COALESCE, NULLIF and IF arrive as this.
   * `ats`: where a CASE as written has its values, the one of ELSE last; the whole of it where it has no ELSE.
   */
  | { readonly k: 'case'; readonly whens: readonly { readonly when: Expr; readonly then: Expr }[]; readonly else: Expr; readonly type: SqlType; readonly ats?: readonly Span[] }
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
  readonly at: Span;
}

/**
 * What the planner must know of a column beyond its type. 'time': the time attribute (epoch ms, drives the watermark);
 * 'start', 'end' and 'wtime' (end - 1 ms, a time attribute again) belong to the window `window`.
 */
export type Attribute = { readonly k: 'time' } | { readonly k: 'start' | 'end' | 'wtime'; readonly window: WindowSpec };

export interface RelColumn extends Field {
  readonly attribute: Attribute | null;
  /** Passed on without being selected (time attribute, window bounds): found by name, but no part of SELECT * or of a sink. */
  readonly hidden: boolean;
  /** Where the SELECT that made it names it. */
  readonly at?: At;
}

/** The word before a condition, as the user wrote it. */
export type Clause = 'WHERE' | 'HAVING';

/** A relation after binding = a node of the logical plan. `query` is the step or sink whose SQL made it. */
export type Rel =
  | { readonly k: 'scan'; readonly table: string; readonly columns: readonly RelColumn[] }
  | { readonly k: 'filter'; readonly input: Rel; readonly condition: Expr; readonly clause: Clause; readonly text: string; readonly query: string; readonly columns: readonly RelColumn[] }
  | { readonly k: 'project'; readonly input: Rel; readonly exprs: readonly Expr[]; readonly query: string; readonly columns: readonly RelColumn[] }
  /** Adds window_start, window_end and window_time after the input's columns; a row may be in several windows. */
  | { readonly k: 'window'; readonly input: Rel; readonly window: WindowSpec; readonly query: string; readonly columns: readonly RelColumn[] }
  | AggregateRel;

/**
 * Columns: the keys, then the calls, then (hidden) window_start, window_end, window_time where there is a window.
 * `bounds`: the columns of the input that hold the window's start and end; groups close by the watermark. Window columns are
 * no keys. null: groups are final only at the end of the input.
 */
export interface AggregateRel {
  readonly k: 'aggregate';
  readonly input: Rel;
  readonly keys: readonly Expr[];
  readonly calls: readonly AggregateCall[];
  readonly bounds: { readonly start: number; readonly end: number } | null;
  readonly query: string;
  readonly at: Span;
  /** What GROUP BY names, as written. */
  readonly by: readonly Span[];
  readonly columns: readonly RelColumn[];
}
