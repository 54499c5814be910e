import type { CompiledPipeline } from '../config/compile.ts';
import type { SourceText, Span, SqlText } from '../errors.ts';
import type { PhysicalOperator } from '../plan/physical.ts';
import type { Expr } from '../sql/bound.ts';
import { explainModel } from './explained.ts';
import type { PlanReport } from './plan.ts';

export function planReport(c: CompiledPipeline): PlanReport {
  const { spec, plan } = c;
  const texts = new Map([...spec.steps, ...spec.sinks].flatMap(q => (q.sql === null ? [] : [[q.name, q.sql] as const])));
  return {
    ...explainModel(c),
    sql: [...texts].map(([query, sql]) => ({ query, text: sql.text, line: lineOf(sql.span(0, 0)) })),
    parts: Object.fromEntries(plan.operators.map(o => {
      const sql = texts.get(o.query);
      return [o.id, { query: o.query, ranges: sql === undefined ? [] : merged(spans(o), sql) }];
    })),
  };
}

const lineOf = ({ source, start }: { readonly source: SourceText; readonly start: number }): number => source.position(start).line;

/** Places of all that an operator evaluates: expressions, its window, and what GROUP BY names. */
function spans(o: PhysicalOperator): Span[] {
  const all = [...(o.filter === null ? [] : inExpr(o.filter)), ...(o.window !== null && 'def' in o.window && o.window.at !== undefined ? [o.window.at] : [])];
  if (o.k === 'stage') return [...all, ...o.project.flatMap(inExpr)];
  return [...all, ...o.keys.flatMap(inExpr), ...o.by, ...o.calls.flatMap(c => [c.at, ...(c.filter === null ? [] : inExpr(c.filter))])];
}

function inExpr(e: Expr): Span[] {
  switch (e.k) {
    case 'col': case 'lit': return [];
    case 'call': return [e.at];
    case 'and': case 'or': return e.args.flatMap(inExpr);
    case 'not': case 'is': case 'try': return inExpr(e.arg);
    case 'case': return [...e.whens.flatMap(w => [...inExpr(w.when), ...inExpr(w.then)]), ...inExpr(e.else)];
  }
}

/** As ranges of the query's own text, in order, each place once. */
function merged(spans: readonly Span[], sql: SqlText): (readonly [number, number])[] {
  const at = new Map<number, number>();
  for (let i = 0; i <= sql.text.length; i++) at.set(sql.span(i, i).start, i);
  const found = spans.flatMap(s => {
    const [start, last] = [at.get(s.start), at.get(s.end - 1)];
    return start === undefined || last === undefined ? [] : [[start, last + 1] as [number, number]];
  }).sort((x, y) => x[0] - y[0] || y[1] - x[1]);
  const ranges: [number, number][] = [];
  for (const r of found) {
    const before = ranges.at(-1);
    if (before !== undefined && r[0] <= before[1]) before[1] = Math.max(before[1], r[1]);
    else ranges.push(r);
  }
  return ranges;
}
