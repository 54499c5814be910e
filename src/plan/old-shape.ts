import { typeName } from '../sql/types.ts';
import type { Aggregate, PhysicalPlan, Stage } from './physical.ts';
import { printExpr, printWindow } from './print.ts';

interface Input {
  /** Each column as an expression over the source. */
  readonly names: readonly string[];
  /** What a row has passed before it comes here. */
  readonly path: string;
}

/** What layouts 1 and 2 of a state file kept in place of a fingerprint: by it they are recognised, and never written again. */
export function oldShape(plan: PhysicalPlan, a: Aggregate): string {
  const { names, path } = inputOf(plan, a.input);
  const { window } = a;
  const over = window === null ? [] : 'k' in window ? [`window ${names[window.end]}`] : [printWindow(window, names[window.time] as string)];
  const keys = a.keys.map(k => `${printExpr(k, names)} ${typeName(k.type)}`);
  const calls = a.calls.map(c => `${c.fn.name.toUpperCase()}(${c.args.map(x => `${printExpr(x, names)} ${typeName(x.type)}`).join(', ')})${c.filter === null ? '' : ` FILTER ${printExpr(c.filter, names)}`}`);
  return [path, ...where(a, names), ...over, `GROUP BY ${keys.join(', ')}`, ...calls].join(' | ');
}

function inputOf(plan: PhysicalPlan, id: string): Input {
  const scan = plan.scans.find(s => s.id === id);
  if (scan !== undefined) return { names: scan.columns.map(c => (c.eventTime ? `EVENT_TIME(${c.name}${c.unit === null ? '' : ` in ${c.unit}`})` : c.name)), path: `FROM ${scan.source}` };
  const o = plan.operators.find(x => x.id === id) as Stage | Aggregate;
  if (o.k === 'aggregate') return { names: o.schema.map(f => `${o.id}.${f.name}`), path: `(${oldShape(plan, o)})` };
  const { names, path } = inputOf(plan, o.input);
  const window = o.window === null ? [] : [printWindow(o.window, names[o.window.time] as string)];
  return { names: o.project.map(e => printExpr(e, names)), path: [path, ...where(o, names), ...window].join(' | ') };
}

const where = (o: Stage | Aggregate, names: readonly string[]): string[] => (o.filter === null ? [] : [`WHERE ${printExpr(o.filter, names)}`]);
