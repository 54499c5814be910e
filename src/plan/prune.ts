import type { AggregateCall, Expr } from '../sql/bound.ts';
import { rewrite, walk } from '../sql/bind/structure.ts';
import type { Aggregate, PhysicalOperator, PhysicalPlan, Scan, Stage } from './physical.ts';

/** Leaves out columns and aggregates that nobody reads, from the sinks back to the sources: what is not wanted is not even decoded. */
export function prune(plan: PhysicalPlan): PhysicalPlan {
  const wanted = new Map<string, Set<number>>();
  const want = (id: string): Set<number> => {
    let set = wanted.get(id);
    if (set === undefined) wanted.set(id, (set = new Set()));
    return set;
  };
  for (const s of plan.sinks) s.schema.forEach((_, i) => want(s.input).add(i));
  const shrunk = new Map<string, PhysicalOperator>();
  for (const op of [...plan.operators].reverse()) {
    const slim = op.k === 'stage' ? pruneStage(op, want(op.id)) : pruneAggregate(op, want(op.id));
    shrunk.set(op.id, slim);
    uses(slim, i => want(slim.input).add(i));
  }
  const operators = plan.operators.map(op => shrunk.get(op.id) as PhysicalOperator);
  const scans = plan.scans.map(s => pruneScan(s, want(s.id)));
  const moved = new Map<string, ReadonlyMap<number, number>>();
  for (const s of plan.scans) moved.set(s.id, positions(want(s.id)));
  for (const op of plan.operators) moved.set(op.id, op.k === 'stage' ? positions(want(op.id)) : aggregatePositions(op, want(op.id)));
  const width = (id: string): number => ([...plan.scans, ...plan.operators].find(p => p.id === id) as Scan).schema.length;
  const newWidth = (id: string): number => ([...scans, ...operators].find(p => p.id === id) as Scan).schema.length;
  return {
    scans,
    operators: operators.map(op => renumber(op, i => (i >= width(op.input) ? newWidth(op.input) + i - width(op.input) : (moved.get(op.input)?.get(i) as number)))),
    sinks: plan.sinks,
  };
}

const keep = <T>(list: readonly T[], wanted: ReadonlySet<number>): T[] => list.filter((_, i) => wanted.has(i));
const positions = (wanted: ReadonlySet<number>): ReadonlyMap<number, number> => new Map([...wanted].sort((a, b) => a - b).map((old, i) => [old, i]));

function pruneScan(s: Scan, wanted: ReadonlySet<number>): Scan {
  const time = s.time !== null && s.time >= 0 && wanted.has(s.time) ? (positions(wanted).get(s.time) as number) : null;
  return { ...s, columns: keep(s.columns, wanted), schema: keep(s.schema, wanted), time };
}

const pruneStage = (s: Stage, wanted: ReadonlySet<number>): Stage => ({ ...s, project: keep(s.project, wanted), schema: keep(s.schema, wanted) });

/** Keys and window columns stay; calls go when nobody reads them. */
function pruneAggregate(a: Aggregate, wanted: ReadonlySet<number>): Aggregate {
  const kept = keptColumns(a, wanted);
  return { ...a, calls: a.calls.filter((_, j) => kept.has(a.keys.length + j)), schema: keep(a.schema, kept) };
}

const keptColumns = (a: Aggregate, wanted: ReadonlySet<number>): ReadonlySet<number> =>
  new Set(a.schema.map((_, i) => i).filter(i => i < a.keys.length || i >= a.keys.length + a.calls.length || wanted.has(i)));

const aggregatePositions = (a: Aggregate, wanted: ReadonlySet<number>): ReadonlyMap<number, number> => positions(keptColumns(a, wanted));

const callExprs = (c: AggregateCall): Expr[] => [...c.args, ...(c.filter === null ? [] : [c.filter])];
const exprsOf = (op: PhysicalOperator): Expr[] => [...(op.filter === null ? [] : [op.filter]), ...(op.k === 'stage' ? op.project : [...op.keys, ...op.calls.flatMap(callExprs)])];

/** Calls `use` for every input column that an operator reads (bounds of its own window are beyond the input and ignored there). */
function uses(op: PhysicalOperator, use: (index: number) => void): void {
  for (const e of exprsOf(op)) walk(e, x => { if (x.k === 'col') use(x.index); });
  if (op.window === null) return;
  if ('k' in op.window) { use(op.window.start); use(op.window.end); } else use(op.window.time);
}

function renumber(op: PhysicalOperator, to: (index: number) => number): PhysicalOperator {
  const own = (e: Expr): Expr => rewrite(e, x => (x.k === 'col' ? { ...x, index: to(x.index) } : null));
  const filter = op.filter === null ? null : own(op.filter);
  if (op.k === 'stage') return { ...op, filter, project: op.project.map(own), window: op.window === null ? null : { ...op.window, time: to(op.window.time) } };
  return {
    ...op, filter, keys: op.keys.map(own),
    calls: op.calls.map(c => ({ ...c, args: c.args.map(own), filter: c.filter === null ? null : own(c.filter) })),
    window: op.window === null ? null : 'k' in op.window ? { k: 'input', start: to(op.window.start), end: to(op.window.end) } : { ...op.window, time: to(op.window.time) },
  };
}
