import { RowError } from '../../errors.ts';
import type { At, Expr as Ast, Name } from '../ast.ts';
import type { BindContext } from './context.ts';
import { nullable, type AggregateCall, type Expr } from '../bound.ts';
import { coerce } from './coerce.ts';
import type { ArgInfo, ScalarFn } from '../functions/define.ts';
import { resolveOperator } from '../functions/operators.ts';
import type { Scope } from './scope.ts';
import type { Structure } from './structure.ts';
import { BOOLEAN, typeName, type SqlType, type Value } from '../types.ts';

/** Columns of this index and above stand for aggregate calls until the query has its groups. */
export const AGGREGATES = 1_000_000;

/** Binds the expressions of one clause. */
export interface ExprScope {
  /** Binds any expression; here, so that the files of special forms need not know the one that knows them. */
  readonly bind: (e: Ast, s: ExprScope) => Expr;
  readonly context: BindContext;
  readonly scope: Scope;
  /** Where aggregate calls are collected, or why there may be none here. */
  readonly aggregates: AggregateCall[] | string;
  /** Names of SELECT that this clause may use besides columns. */
  alias?(name: Name): Expr | null;
  /** Whether a column is a group key: where it is not, an alias of the same name wins. */
  isKey?(index: number): boolean;
  /** TUMBLE_START(..) and its like. */
  windowCall?(e: Ast & { k: 'call' }): Expr | null;
  /** Where a bound column was written. */
  readonly places: WeakMap<Expr, At>;
  /** Tells equal expressions of this query. */
  readonly structure: Structure;
}

export const infos = (args: readonly Expr[]): ArgInfo[] => args.map(a => ({ type: a.type, literal: a.k === 'lit' ? a.value : undefined }));

/** After a problem that begins with 'expects': the types that stand there. */
export const gotTypes = (problem: string, args: readonly Expr[]): string => (problem.startsWith('expects') && args.length > 0 ? `, not (${args.map(a => typeName(a.type)).join(', ')})` : '');

/** A condition: BOOLEAN, or a bare NULL. */
export function bindCondition(e: Ast, s: ExprScope, clause: string): Expr {
  const x = s.bind(e, s);
  if (x.type.k === 'null') return { k: 'lit', value: null, type: BOOLEAN };
  if (x.type.k !== 'boolean') throw s.context.error('user.sql.type', `${clause} needs a BOOLEAN, this is ${typeName(x.type)}`, e.at);
  return x;
}

export function operator(op: string, args: readonly Expr[], at: At, context: BindContext): Expr {
  const fn = resolveOperator(op, infos(args));
  if (typeof fn === 'string') throw context.error('user.sql.type', fn, at);
  return apply(fn, args, at, context);
}

/** The call with its arguments cast to what the overload takes; a call of constants is computed now. */
export function apply(fn: ScalarFn, args: readonly Expr[], at: At, context: BindContext): Expr {
  const cast = args.map((a, i) => coerce(a, fn.args[i] as SqlType, at, context));
  const call: Expr = { k: 'call', fn, args: cast, type: fn.returns, at: context.sql.span(at[0], at[1]) };
  return fold(call);
}

function fold(call: Expr & { k: 'call' }): Expr {
  if (call.fn.volatile === true || !call.args.every(a => a.k === 'lit')) return call;
  const values = call.args.map(a => (a as Expr & { k: 'lit' }).value);
  if (call.fn.nulls === 'propagate' && values.includes(null)) return { k: 'lit', value: null, type: call.type };
  try {
    return { k: 'lit', value: call.fn.fn(...values), type: call.type };
  } catch (error) {
    // 1/0 fails on the row that reaches it, not here
    if (error instanceof RowError) return call;
    throw error;
  }
}

/** CASE WHEN a IS NOT NULL THEN a .. END and its relatives need this. */
export const isNotNull = (arg: Expr): Expr => (nullable(arg) ? { k: 'is', what: 'null', not: true, arg, type: BOOLEAN } : { k: 'lit', value: true as Value, type: BOOLEAN });
