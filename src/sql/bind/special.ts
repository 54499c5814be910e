import type { Expr as Ast } from '../ast.ts';
import { bindCondition, isNotNull, operator, type ExprScope } from './expr-scope.ts';
import type { Expr } from '../bound.ts';
import { comparable, unify } from './coerce.ts';
import type { ScalarFn } from '../functions/define.ts';
import { BOOLEAN, NULL, type SqlType, type Value } from '../types.ts';

type Special = Ast & { k: 'in' | 'between' | 'like' | 'case' | 'call' };

/** Longer lists of constants are looked up in a set. */
const IN_AS_OR = 4;

/** Forms whose arguments are not all evaluated, or that are short for other expressions. */
export function special(e: Special, s: ExprScope): Expr {
  switch (e.k) {
    case 'in': return inList(e, s);
    case 'between': return between(e, s);
    case 'like': return like(e, s);
    case 'case': return caseWhen(e, s);
    case 'call': return conditional(e, s);
  }
}

const not = (e: Expr, really: boolean): Expr => (really ? { k: 'not', arg: e, type: BOOLEAN } : e);

function inList(e: Ast & { k: 'in' }, s: ExprScope): Expr {
  const { context } = s;
  if (!('length' in e.list)) throw context.notYet('IN (SELECT ..)', e.at);
  const arg = s.bind(e.arg, s);
  const list = e.list.map(x => comparable(arg, s.bind(x, s), x.at, context)[1]);
  if (list.length > IN_AS_OR && list.every(x => x.k === 'lit')) {
    const { exprs, type } = unify([arg, ...list], e.at, context, 'IN');
    return not({ k: 'call', fn: memberOf(exprs.slice(1) as (Expr & { k: 'lit' })[], type), args: [exprs[0] as Expr], type: BOOLEAN, at: context.sql.span(...e.at) }, e.not);
  }
  const tests = list.map((x, i) => operator('=', comparable(arg, x, (e.list as readonly Ast[])[i]?.at ?? e.at, context), e.at, context));
  return not(tests.length === 1 ? (tests[0] as Expr) : { k: 'or', args: tests, type: BOOLEAN }, e.not);
}

/** x IN (constants): TRUE when found, else NULL when the list holds NULL, else FALSE. */
function memberOf(list: readonly (Expr & { k: 'lit' })[], type: SqlType): ScalarFn {
  const text = (v: Value): Value => (typeof v === 'object' ? Buffer.from(v).toString('latin1') : v);
  const values = new Set(list.flatMap(x => (x.value === null ? [] : [text(x.value)])));
  const missing = list.some(x => x.value === null) ? null : false;
  return {
    name: `IN ${list.map(x => String(x.value)).join()}`, args: [type], returns: BOOLEAN, nulls: 'propagate', returnsNull: missing === null,
    fn: x => (values.has(text(x as Value)) ? true : missing),
  };
}

function between(e: Ast & { k: 'between' }, s: ExprScope): Expr {
  const arg = s.bind(e.arg, s);
  const side = (op: string, bound: Ast): Expr => operator(op, comparable(arg, s.bind(bound, s), bound.at, s.context), e.at, s.context);
  return not({ k: 'and', args: [side('>=', e.low), side('<=', e.high)], type: BOOLEAN }, e.not);
}

function like(e: Ast & { k: 'like' }, s: ExprScope): Expr {
  if (e.op === 'similar') throw s.context.notYet('SIMILAR TO', e.at);
  const args = [e.arg, e.pattern, ...(e.escape === null ? [] : [e.escape])].map(x => s.bind(x, s));
  return not(operator('like', args, e.at, s.context), e.not);
}

function caseWhen(e: Ast & { k: 'case' }, s: ExprScope): Expr {
  const operand = e.operand === null ? null : s.bind(e.operand, s);
  const conditions = e.whens.map(w =>
    operand === null ? bindCondition(w.when, s, 'WHEN') : operator('=', comparable(operand, s.bind(w.when, s), w.when.at, s.context), w.when.at, s.context));
  const values = [...e.whens.map(w => s.bind(w.then, s)), e.else === null ? NOTHING : s.bind(e.else, s)];
  const ats = [...e.whens.map(w => w.then.at), e.else?.at ?? e.at].map(at => s.context.sql.span(...at));
  return { ...choose(conditions, values, e, s, 'CASE'), ats };
}

const NOTHING: Expr = { k: 'lit', value: null, type: NULL };

/** CASE WHEN conditions[i] THEN values[i] .. ELSE the last value END. */
function choose(conditions: readonly Expr[], values: readonly Expr[], e: Ast, s: ExprScope, what: string): Expr & { k: 'case' } {
  const { exprs, type } = unify(values, e.at, s.context, what);
  return { k: 'case', whens: conditions.map((when, i) => ({ when, then: exprs[i] as Expr })), else: exprs.at(-1) as Expr, type };
}

/** COALESCE, IFNULL, NULLIF and IF. */
function conditional(e: Ast & { k: 'call' }, s: ExprScope): Expr {
  const name = e.name.text.toUpperCase();
  const wants = (n: number): void => {
    if (e.args.length !== n) throw s.context.error('user.sql.type', `${name} takes ${n} arguments, not ${e.args.length}`, e.at);
  };
  if (name === 'IF') {
    wants(3);
    return choose([bindCondition(e.args[0] as Ast, s, 'IF')], e.args.slice(1).map(a => s.bind(a, s)), e, s, name);
  }
  if (name === 'IFNULL' || name === 'NULLIF') wants(2);
  if (e.args.length === 0) throw s.context.error('user.sql.type', `${name} needs an argument`, e.at);
  const args = e.args.map(a => s.bind(a, s));
  if (name === 'NULLIF') {
    const [a, b] = args as [Expr, Expr];
    return { k: 'case', whens: [{ when: operator('=', comparable(a, b, e.at, s.context), e.at, s.context), then: { k: 'lit', value: null, type: a.type } }], else: a, type: a.type };
  }
  return choose(args.slice(0, -1).map(isNotNull), args, e, s, name);
}
