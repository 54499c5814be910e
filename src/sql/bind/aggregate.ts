import type { Expr as Ast } from '../ast.ts';
import { AGGREGATES, bindCondition, gotTypes, infos, type ExprScope } from './expr-scope.ts';
import type { AggregateCall, Expr } from '../bound.ts';
import { coerce } from './coerce.ts';
import type { AggregateDef } from '../functions/define.ts';
import { walk, type Structure } from './structure.ts';
import type { SqlType } from '../types.ts';

/** Binds SUM(x) FILTER (WHERE ..) and the like, notes it in the scope's list, and gives the column that stands for its result. */
export function bindAggregate(def: AggregateDef, e: Ast & { k: 'call' }, s: ExprScope): Expr {
  const { context } = s;
  const name = def.name.toUpperCase();
  if (typeof s.aggregates === 'string') throw context.error('user.sql.aggregate', `${name} is an aggregate: ${s.aggregates}`, e.at);
  if (e.orderBy.length > 0) throw context.notYet(`ORDER BY in ${name}`, e.at);
  if (e.ignoreNulls) throw context.notYet('IGNORE NULLS', e.at);
  const inner = innerScope(name, e, s);
  const bound = e.args.map(a => inner.bind(a, inner));
  if (e.star && name !== 'COUNT') throw context.error('user.sql.type', `${name}(*) is no call: only COUNT takes *`, e.at);
  if (!e.star && bound.length === 0) throw context.error('user.sql.type', `${name} needs an argument`, e.at, { hint: `syntax: ${def.syntax}` });
  const fn = def.resolve(infos(bound), e.distinct);
  if (typeof fn === 'string') throw context.error('user.sql.type', `${name} ${fn}${gotTypes(fn, bound)}`, e.at, { hint: `syntax: ${def.syntax}` });
  const call: AggregateCall = {
    fn,
    args: bound.slice(0, fn.args.length).map((a, i) => coerce(a, fn.args[i] as SqlType, e.at, context)),
    filter: e.filter === null ? null : bindCondition(e.filter, inner, 'FILTER'),
    text: context.sql.text.slice(...e.at).replace(/\s+/g, ' '),
    type: fn.returns,
    at: context.sql.span(...e.at),
  };
  const known = s.aggregates.findIndex(c => isSame(c, call, s.structure));
  if (known < 0) s.aggregates.push(call);
  const column: Expr = { k: 'col', index: AGGREGATES + (known < 0 ? s.aggregates.length - 1 : known), type: fn.returns, nullable: fn.returnsNull };
  s.places.set(column, e.at);
  return column;
}

/** Arguments are of single rows: columns come before aliases of SELECT, and what an alias stands for may be no aggregate either. */
function innerScope(name: string, e: Ast & { k: 'call' }, s: ExprScope): ExprScope {
  const nested = 'aggregates cannot be nested';
  return {
    ...s, aggregates: nested, isKey: () => true,
    alias: n => {
      const found = s.alias?.(n) ?? null;
      if (found !== null) walk(found, x => { if (x.k === 'col' && x.index >= AGGREGATES) throw s.context.error('user.sql.aggregate', `"${n.text}" is an aggregate in ${name}: ${nested}`, e.at); });
      return found;
    },
  };
}

/** SUM(x) in SELECT and in HAVING is one state. */
function isSame(a: AggregateCall, b: AggregateCall, structure: Structure): boolean {
  const ids = (c: AggregateCall): string => [...c.args, ...(c.filter === null ? [] : [c.filter])].map(x => structure.id(x)).join(' ');
  return a.fn.name === b.fn.name && a.args.length === b.args.length && a.type.k === b.type.k && ids(a) === ids(b);
}
