import type { Aggregate, PhysicalOperator, PhysicalPlan, Scan, Stage } from '../../plan/physical.ts';
import { walk } from '../../sql/bind/structure.ts';
import { nullable, type AggregateCall, type Expr } from '../../sql/bound.ts';
import { BOOLEAN, type Schema } from '../../sql/types.ts';

/** The pseudo sink of the first half and the pseudo source of the second. */
export const EXCHANGE = 'exchange';

/** A plan cut at the place where rows go to the worker that holds their key. */
export interface Split {
  readonly scan: Scan;
  /** From the scan to the exchange, or to the sinks where there is none. */
  readonly map: PhysicalPlan;
  /** Null for a plan without state: every worker writes what it reads. */
  readonly keyed: Keyed | null;
}

export interface Keyed {
  /** As planned. */
  readonly aggregate: Aggregate;
  /** What crosses over: keys, arguments, FILTERs, then the time, or the start and end of the window. */
  readonly schema: Schema;
  readonly keys: number;
  /** From the scan to where the rows of the grouping itself come in, which are EXCHANGE's: for who folds them before they cross over. */
  readonly before: PhysicalPlan;
  /** From the exchange to the sinks. */
  readonly reduce: PhysicalPlan;
}

/** The two halves of a plan, or in words why it runs in one thread. */
export function splitPlan(plan: PhysicalPlan): Split | string {
  const [scan] = plan.scans;
  if (scan === undefined || plan.scans.length > 1) return 'it reads several sources';
  const groupings = plan.operators.filter(o => o.k === 'aggregate');
  if (groupings.length > 1) return 'it has several groupings';
  const [aggregate] = groupings;
  if (aggregate === undefined) return { scan, map: plan, keyed: null };
  if (aggregate.window === null) return 'its grouping has no window';
  const behind = new Set([aggregate.id]);
  for (const o of plan.operators) if (behind.has(o.input)) behind.add(o.id);
  if (plan.sinks.some(w => !behind.has(w.input))) return 'one of its sinks takes rows that are not grouped';
  const before = plan.operators.filter(o => !behind.has(o.id));
  if (before.some(o => before.filter(x => x.input === o.input).length > 1)) return 'what comes before its grouping branches';
  const width = ([scan, ...before].find(p => p.id === aggregate.input) as Scan | PhysicalOperator).schema.length;
  if (usesBounds(aggregate, width)) return 'its grouping computes with the bounds of its window';
  return { scan, ...cut(plan, scan, before, aggregate, behind) };
}

function usesBounds(a: Aggregate, width: number): boolean {
  let found = false;
  for (const e of [...a.keys, ...a.calls.flatMap(c => [...c.args, ...(c.filter === null ? [] : [c.filter])])]) walk(e, x => { if (x.k === 'col' && x.index >= width) found = true; });
  return found;
}

/** Collects the columns that cross over; a column of the input crosses once. */
class Crossing {
  readonly exprs: Expr[] = [];
  readonly schema: { name: string; type: Expr['type']; nullable: boolean }[] = [];

  add(e: Expr): Expr {
    const known = e.k === 'col' ? this.exprs.findIndex(x => x.k === 'col' && x.index === e.index) : -1;
    const index = known >= 0 ? known : this.exprs.push(e) - 1;
    if (known < 0) this.schema.push({ name: `x${index}`, type: e.type, nullable: nullable(e) });
    return { k: 'col', index, type: e.type, nullable: nullable(e) };
  }

  /** A column with a place of its own. */
  push(e: Expr): Expr {
    const index = this.exprs.push(e) - 1;
    this.schema.push({ name: `x${index}`, type: e.type, nullable: nullable(e) });
    return { k: 'col', index, type: e.type, nullable: nullable(e) };
  }

  /** FILTER is evaluated before the exchange, and the arguments only where it is true: they cannot fail elsewhere. */
  call(c: AggregateCall): AggregateCall {
    const { filter } = c;
    const guard = (x: Expr): Expr => (filter === null || x.k === 'lit' ? x : { k: 'case', whens: [{ when: filter, then: x }], else: { k: 'lit', value: null, type: x.type }, type: x.type });
    const args = c.args.map(x => (x.k === 'lit' ? x : this.add(guard(x))));
    return { ...c, args, filter: filter === null ? null : this.add({ k: 'is', what: 'true', not: false, arg: filter, type: BOOLEAN }) };
  }
}

function cut(plan: PhysicalPlan, scan: Scan, before: readonly PhysicalOperator[], a: Aggregate, behind: ReadonlySet<string>): Omit<Split, 'scan'> {
  const crossing = new Crossing();
  const input = ([scan, ...before].find(p => p.id === a.input) as Scan | PhysicalOperator).schema;
  const keys = a.keys.map(k => crossing.push(k));
  const column = (index: number): number => (crossing.add({ k: 'col', index, type: (input[index] as Schema[number]).type, nullable: false }) as Expr & { k: 'col' }).index;
  const planned = a.window as NonNullable<Aggregate['window']>;
  const window = 'k' in planned ? { ...planned, start: column(planned.start), end: column(planned.end) } : { ...planned, time: column(planned.time) };
  const calls = a.calls.map(c => crossing.call(c));
  const { exprs, schema } = crossing;
  // it fails and filters in the name of the grouping
  const stage: Stage = {
    k: 'stage', id: a.id, input: a.input, filter: a.filter, filters: a.filters, window: null, project: exprs, schema, overRecords: a.overRecords, texts: [], query: a.query,
  };
  const entry: Scan = { id: EXCHANGE, source: EXCHANGE, columns: [], schema, time: null };
  const second: Aggregate = { ...a, input: EXCHANGE, filter: null, filters: [], window, keys, calls };
  const rest = plan.operators.filter(o => behind.has(o.id) && o.id !== a.id);
  return {
    map: { scans: [scan], operators: [...before, stage], sinks: [{ sink: EXCHANGE, input: a.id, schema }] },
    keyed: { aggregate: a, schema, keys: keys.length, before: { scans: [scan], operators: before, sinks: [{ sink: EXCHANGE, input: a.input, schema: input }] }, reduce: { scans: [entry], operators: [second, ...rest], sinks: plan.sinks } },
  };
}
