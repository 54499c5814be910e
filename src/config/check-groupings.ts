import { PipeError } from '../errors.ts';
import type { PlanQuery } from '../plan/build.ts';
import type { AggregateRel, Rel } from '../sql/bound.ts';

/**
 * Aggregates over the rows of a grouping without a window. At each end of the input such a grouping sends its changed groups again and
 * takes nothing back, so what folds its rows would count a group once for each end. Whatever looks at single rows (WHERE, HAVING, a
 * projection) or folds nothing (DISTINCT) gives rows of the result as it is then. `steps`: after those that they read.
 */
export function groupingsOfUpdates(steps: readonly PlanQuery[], sinks: readonly PlanQuery[]): PipeError[] {
  const found: PipeError[] = [];
  const ofStep = new Map<string, AggregateRel | null>();
  /** The nearest grouping without a window that makes the rows of `rel`. */
  const updatesIn = (rel: Rel): AggregateRel | null => {
    if (rel.k === 'scan') return ofStep.get(rel.table) ?? null;
    const inner = updatesIn(rel.input);
    if (rel.k !== 'aggregate') return inner;
    if (inner !== null) found.push(...refused(rel, inner));
    return rel.bounds === null ? rel : inner;
  };
  for (const s of steps) ofStep.set(s.name, updatesIn(s.rel));
  for (const s of sinks) updatesIn(s.rel);
  return found;
}

/** One problem for a grouping, at its first aggregate. */
function refused({ calls: [call], query }: AggregateRel, inner: AggregateRel): PipeError[] {
  if (call === undefined) return [];
  const where = inner.query === query ? '' : `, that of "${inner.query}"`;
  return [new PipeError('user.sql.unsupported', `not supported yet: ${call.text} over a grouping without a window${where}`, {
    span: call.at, label: 'groups come again at each end of the input, and would be counted again',
    hint: "give the inner GROUP BY a window, such as TUMBLE(ts, INTERVAL '1' DAY), or write one grouping, such as COUNT(DISTINCT account) for the number of groups",
  })];
}
