import { didYouMean } from '../../suggest.ts';
import type { Expr as Ast, Name } from '../ast.ts';
import { bindAggregate } from './aggregate.ts';
import { apply, bindCondition, gotTypes, infos, operator, type ExprScope } from './expr-scope.ts';
import { special } from './special.ts';
import type { Expr } from '../bound.ts';
import { comparable } from './coerce.ts';
import type { ScalarFn } from '../functions/define.ts';
import { aggregates, notYet, scalars, specialForms } from '../functions/index.ts';
import { castFn } from '../functions/operators.ts';
import { interval, literal } from './literal.ts';
import { resolveType } from './type-name.ts';
import { BOOLEAN } from '../types.ts';

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

function column(e: Ast & { k: 'ref' }, s: ExprScope): Expr {
  const index = s.scope.find(e.path, s.context);
  const name = e.path.at(-1) as Name;
  const alias = e.path.length === 1 && (index === null || isGroupless(index, s)) ? s.alias?.(name) ?? null : null;
  if (alias !== null) return alias;
  if (index === null) throw s.scope.unknown(name, s.context);
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
  return { k: 'is', what: e.what === 'unknown' ? 'null' : e.what, not: e.not, arg, type: BOOLEAN, at: s.context.sql.span(...e.at) };
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
  if (typeof fn === 'string') throw context.error('user.sql.type', `${name} ${fn}${gotTypes(fn, args)}`, e.at, { hint: `syntax: ${def.syntax}` });
  return apply(named(fn, e.unit), args, e.at, context);
}

/** EXTRACT(YEAR ..) and EXTRACT(DAY ..) are two functions, also for those who compare by name. */
const named = (fn: ScalarFn, unit: string | null): ScalarFn => (unit === null || fn.name.includes(unit) ? fn : { ...fn, name: `${fn.name} ${unit}` });
