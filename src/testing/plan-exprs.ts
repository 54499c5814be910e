import type { Filter, PhysicalOperator, PhysicalPlan } from '../plan/physical.ts';
import { rewrite } from '../sql/bind/structure.ts';
import type { Expr } from '../sql/bound.ts';
import type { TestClock } from './test-clock.ts';

/** What an expression is for. */
export type Use = 'where' | 'having' | 'filter' | 'value';

/** A plan in which each expression of the operators is what `map` makes of it. */
export function mapExprs(plan: PhysicalPlan, map: (e: Expr, use: Use, operator: PhysicalOperator) => Expr): PhysicalPlan {
  const mapped = (o: PhysicalOperator): PhysicalOperator => {
    const filter = o.filter === null ? null : byClause(o.filter, o.filters, (e, clause) => map(e, clause === 'WHERE' ? 'where' : 'having', o));
    const value = (e: Expr): Expr => map(e, 'value', o);
    if (o.k === 'stage') return { ...o, filter, project: o.project.map(value) };
    return { ...o, filter, keys: o.keys.map(value), calls: o.calls.map(c => ({ ...c, filter: c.filter === null ? null : map(c.filter, 'filter', o), args: c.args.map(value) })) };
  };
  return { ...plan, operators: plan.operators.map(mapped) };
}

/** A filter with each of its conditions mapped as what its word makes it; in one where all have the same word. */
function byClause(filter: Expr, filters: readonly Filter[], map: (e: Expr, clause: Filter['clause']) => Expr): Expr {
  const last = filters.at(-1)?.clause ?? 'WHERE';
  if (filter.k !== 'and' || filters.every(f => f.clause === last)) return map(filter, last);
  const [before, own] = filter.args as [Expr, Expr];
  return { ...filter, args: [byClause(before, filters.slice(0, -1), map), map(own, last)] };
}

/** The same plan, whose CURRENT_TIMESTAMP and its like are the time of the test. */
export const onClock = (plan: PhysicalPlan, clock: TestClock): PhysicalPlan => mapExprs(plan, e => rewrite(e, x => (x.k === 'call' && x.fn.volatile === true ? { ...x, fn: { ...x.fn, fn: () => x.fn.fn(clock.now()) } } : null)));
