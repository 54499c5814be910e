import { PipeError } from '../errors.ts';
import type { Query, Relation } from '../sql/ast.ts';
import type { StepSpec } from './spec.ts';

export interface ParsedStep {
  readonly step: StepSpec;
  readonly query: Query;
}

/** Steps after those that they read. Those of a circle are left out, and each circle is one problem. */
export function stepOrder(steps: readonly ParsedStep[], problems: PipeError[]): ParsedStep[] {
  const byName = new Map(steps.map(p => [p.step.name, p]));
  const order: ParsedStep[] = [];
  const state = new Map<string, 'open' | 'done' | 'circular'>();
  const visit = (p: ParsedStep): void => {
    const { name } = p.step;
    state.set(name, 'open');
    for (const table of tablesOf(p.query)) {
      const other = byName.get(table);
      if (other === undefined) continue;
      if (!state.has(table)) visit(other);
      if (state.get(table) === 'open') problems.push(new PipeError('user.sql.unknown_table', `step "${name}" reads itself through "${table}"`, { span: p.step.nameSpan, hint: 'steps cannot form a circle' }));
      if (state.get(table) !== 'done') {
        // what reads a circle cannot be bound either, and says nothing new
        state.set(name, 'circular');
        return;
      }
    }
    state.set(name, 'done');
    order.push(p);
  };
  for (const p of steps) if (!state.has(p.step.name)) visit(p);
  return order;
}

/** Names of the sources and steps that a query reads. */
export function tablesOf(q: Query, ctes: readonly string[] = []): string[] {
  if (q.k === 'values') return [];
  const known = [...ctes];
  const inside = q.with.flatMap(w => {
    const tables = tablesOf(w.query, known);
    known.push(w.name.text);
    return tables;
  });
  if (q.k === 'set') return [...inside, ...tablesOf(q.left, known), ...tablesOf(q.right, known)];
  return [...inside, ...q.from.flatMap(f => tablesIn(f.relation, known))];
}

function tablesIn(r: Relation, ctes: readonly string[]): string[] {
  switch (r.k) {
    case 'table': return ctes.includes(r.name.text) ? [] : [r.name.text];
    case 'subquery': return tablesOf(r.query, ctes);
    case 'window': return tablesIn(r.input, ctes);
    default: return [];
  }
}
