import { RowError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { At, Expr as Ast, Name } from './ast.ts';
import type { BindContext } from './bind-context.ts';
import { bindAggregate } from './bind-aggregate.ts';
import { special } from './bind-special.ts';
import { nullable, type AggregateCall, type Expr } from './bound.ts';
import { coerce, comparable } from './coerce.ts';
import type { ArgInfo, ScalarFn } from './functions/define.ts';
import { aggregates, notYet, scalars, specialForms } from './functions/index.ts';
import { castFn, resolveOperator } from './functions/operators.ts';
import { interval, literal } from './literal.ts';
import type { Scope } from './scope.ts';
import { resolveType } from './type-name.ts';
import { BOOLEAN, typeName, type SqlType, type Value } from './types.ts';

/** Columns of this index and above stand for aggregate calls until the query has its groups. */
export const AGGREGATES = 1_000_000;

/** Binds the expressions of one clause. */
export interface ExprScope {
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
}

export const infos = (args: readonly Expr[]): ArgInfo[] => args.map(a => ({ type: a.type, literal: a.k === 'lit' ? a.value : undefined }));

export function bindExpr(e: Ast, s: ExprScope): Expr {
  const { context } = s;
  switch (e.k) {
    case 'literal': return literal(e, context);
    case 'interval': return interval(e, context);
    case 'ref': return column(e, s);
    case 'star': throw context.error('user.sql.syntax', '* stands for all columns only directly in SELECT', e.at);
    case 'unary': return unary(e, s);
    case 'binary': return binary(e, s);
    case 'is': return is(e, s);
    case 'distinct': {
      const [left, right] = comparable(bindExpr(e.left, s), bindExpr(e.right, s), e.at, context);
      const d = operator('distinct', [left, right], e.at, context);
      return e.not ? { k: 'not', arg: d, type: BOOLEAN } : d;
    }
    case 'in': case 'between': case 'like': case 'case': return special(e, s);
    case 'cast': return cast(e, s);
    case 'call': return call(e, s);
    case 'subquery': throw context.notYet('a subquery as a value', e.at);
    case 'exists': throw context.notYet('EXISTS', e.at);
    case 'row': throw context.notYet('ROW values', e.at);
    case 'array': throw context.notYet('ARRAY', e.at);
    case 'index': throw context.notYet('array and map access', e.at);
  }
}

/** A condition: BOOLEAN, or a bare NULL. */
export function bindCondition(e: Ast, s: ExprScope, clause: string): Expr {
  const x = bindExpr(e, s);
  if (x.type.k === 'null') return { k: 'lit', value: null, type: BOOLEAN };
  if (x.type.k !== 'boolean') throw s.context.error('user.sql.type', `${clause} needs a BOOLEAN, this is ${typeName(x.type)}`, e.at);
  return x;
}

function column(e: Ast & { k: 'ref' }, s: ExprScope): Expr {
  const index = s.scope.find(e.path, s.context);
  const name = e.path.at(-1) as Name;
  const alias = e.path.length === 1 ? s.alias?.(name) ?? null : null;
  if (index === null && alias === null) throw s.scope.unknown(name, s.context);
  if (index === null || (alias !== null && isGroupless(index, s))) return alias as Expr;
  const c = s.scope.columns[index] as (typeof s.scope.columns)[number];
  const bound: Expr = { k: 'col', index, type: c.type, nullable: c.nullable };
  s.places.set(bound, e.at);
  return bound;
}

/** HAVING total > 10 means the alias when the column of that name is no group key. */
const isGroupless = (index: number, s: ExprScope): boolean => s.isKey?.(index) === false;

function unary(e: Ast & { k: 'unary' }, s: ExprScope): Expr {
  if (e.op === 'not') return { k: 'not', arg: bindCondition(e.arg, s, 'NOT'), type: BOOLEAN };
  const arg = bindExpr(e.arg, s);
  if (e.op === '+') return operand(arg, e, s);
  // -9223372036854775808 is one literal, though its digits alone are no BIGINT
  return operator('neg', [arg], e.at, s.context);
}

function operand(arg: Expr, e: Ast & { k: 'unary' }, s: ExprScope): Expr {
  operator('neg', [arg], e.at, s.context);
  return arg;
}

function binary(e: Ast & { k: 'binary' }, s: ExprScope): Expr {
  const { context } = s;
  if (e.op === 'and' || e.op === 'or') return chain(e, e.op, s);
  if (e.op === '->' || e.op === '->>') throw context.notYet('JSON access with -> and ->>', e.opAt);
  const left = bindExpr(e.left, s);
  const right = bindExpr(e.right, s);
  const comparison = e.op === '=' || e.op === '<>' || e.op[0] === '<' || e.op[0] === '>';
  return operator(e.op, comparison ? comparable(left, right, e.at, context) : [left, right], e.at, context);
}

/** a AND b AND c .. as one node: long chains stay flat and are bound without recursion along the chain. */
function chain(e: Ast & { k: 'binary' }, op: 'and' | 'or', s: ExprScope): Expr {
  const parts: Ast[] = [];
  let rest: Ast = e;
  while (rest.k === 'binary' && rest.op === op) { parts.push(rest.right); rest = rest.left; }
  parts.push(rest);
  return { k: op, args: parts.reverse().map(p => bindCondition(p, s, op.toUpperCase())), type: BOOLEAN };
}

function is(e: Ast & { k: 'is' }, s: ExprScope): Expr {
  if (e.what === 'json') throw s.context.notYet('IS JSON', e.at);
  const arg = e.what === 'null' ? bindExpr(e.arg, s) : bindCondition(e.arg, s, 'IS TRUE, FALSE or UNKNOWN');
  return { k: 'is', what: e.what === 'unknown' ? 'null' : e.what, not: e.not, arg, type: BOOLEAN };
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

function cast(e: Ast & { k: 'cast' }, s: ExprScope): Expr {
  const arg = bindExpr(e.arg, s);
  const to = resolveType(e.type, s.context.sql);
  if (arg.type.k === 'null') return { k: 'lit', value: null, type: to };
  const fn = castFn(arg.type, to);
  if (typeof fn === 'string') throw s.context.error('user.sql.type', fn, e.at);
  const call = apply(fn, [arg], e.at, s.context);
  if (!e.try || call.k === 'lit') return call;
  return { k: 'try', arg: call, type: to };
}

function call(e: Ast & { k: 'call' }, s: ExprScope): Expr {
  const { context } = s;
  const name = e.name.text.toUpperCase();
  const window = s.windowCall?.(e) ?? null;
  if (window !== null) return window;
  if (e.over !== null) throw context.notYet('OVER', e.over.at);
  const aggregate = aggregates.find(name);
  if (aggregate !== undefined) return bindAggregate(aggregate, e, s);
  if (e.filter !== null || e.distinct || e.orderBy.length > 0) throw context.error('user.sql.aggregate', `${name} is no aggregate: FILTER, DISTINCT and ORDER BY do not go with it`, e.at);
  if (specialForms.some(f => f.name === name)) return special(e, s);
  const def = scalars.find(name);
  if (def === undefined) {
    if (notYet.has(name)) throw context.notYet(name, e.name.at);
    const near = didYouMean(name, [...scalars.names(), ...aggregates.names(), ...specialForms.map(f => f.name)].map(n => n.toUpperCase()));
    throw context.error('user.sql.unknown_function', `function ${name} does not exist`, e.name.at, { label: 'no such function', hint: near });
  }
  if (e.star) throw context.error('user.sql.syntax', `${name}(*) is no call: only COUNT takes *`, e.at);
  const args = e.args.map(a => bindExpr(a, s));
  const fn = def.resolve(infos(args), e.unit ?? e.mode);
  if (typeof fn === 'string') throw context.error('user.sql.type', `${name} ${fn}`, e.at, { hint: `syntax: ${def.syntax}` });
  return apply(named(fn, e.unit), args, e.at, context);
}

/** EXTRACT(YEAR ..) and EXTRACT(DAY ..) are two functions, also for those who compare by name. */
const named = (fn: ScalarFn, unit: string | null): ScalarFn => (unit === null || fn.name.includes(unit) ? fn : { ...fn, name: `${fn.name} ${unit}` });

/** CASE WHEN a IS NOT NULL THEN a .. END and its relatives need this. */
export const isNotNull = (arg: Expr): Expr => (nullable(arg) ? { k: 'is', what: 'null', not: true, arg, type: BOOLEAN } : { k: 'lit', value: true as Value, type: BOOLEAN });
