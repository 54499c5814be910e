import type { Expr } from '../sql/bound.ts';
import { walk } from '../sql/bind/structure.ts';
import type { PhysicalOperator, PhysicalPlan } from './physical.ts';

/**
 * Whether nobody needs the text of column `index` of a scan or operator `id`: it is the only key of groupings, goes through stages as it is,
 * or ends in a sink. Such a column may stay the bytes that it was read from. Any expression over it, and a second key beside it, make strings.
 */
export function textStaysBytes(plan: PhysicalPlan, id: string, index: number): boolean {
  return plan.operators.every(o => o.input !== id || keepsBytes(plan, o, index));
}

function keepsBytes(plan: PhysicalPlan, o: PhysicalOperator, index: number): boolean {
  const isIt = (e: Expr): boolean => e.k === 'col' && e.index === index;
  const none = (exprs: readonly (Expr | null)[]): boolean => exprs.every(e => e === null || !uses(e, index));
  if (!none([o.filter])) return false;
  if (o.k === 'stage') return o.project.every((e, j) => (isIt(e) ? textStaysBytes(plan, o.id, j) : none([e])));
  const [key] = o.keys;
  const grouped = o.keys.length === 1 && key !== undefined && isIt(key);
  return (grouped || none(o.keys)) && o.calls.every(c => none([...c.args, c.filter]));
}

function uses(e: Expr, index: number): boolean {
  let found = false;
  walk(e, x => { if (x.k === 'col' && x.index === index) found = true; });
  return found;
}
