import type { ColumnSpec, SourceSpec } from '../config/spec.ts';
import type { DecodeColumn } from '../formats/format.ts';
import type { PhysicalPlan, Scan } from '../plan/physical.ts';
import { textStaysBytes } from '../plan/text-uses.ts';

/** What the decoder of a source is to read: the columns that the plan uses, one of them as event time; texts that nobody needs as bytes. */
export function decodeColumns(plan: PhysicalPlan, scan: Scan, source: SourceSpec): DecodeColumn[] {
  return scan.columns.map((c, i) => {
    const field = scan.schema[i] as DecodeColumn['field'];
    const unit = source.eventTime?.unit ?? null;
    if (c.eventTime && unit !== null) return { field, key: c.name, time: unit, required: true };
    const declared = source.columns.find(d => d.field.name === c.name) as ColumnSpec;
    const bytes = field.type.k === 'string' && textStaysBytes(plan, scan.id, i);
    return { field, key: c.name, time: null, attribute: c.eventTime, bytes, required: c.eventTime || declared.required };
  });
}

const LEAD_MS = 300_000;
const LEAD_WINDOWS = 1000;

/** Ids of the operators that read `input`, directly or through others. */
export function downstream(plan: PhysicalPlan, input: string): Set<string> {
  const found = new Set([input]);
  for (const o of plan.operators) if (found.has(o.input)) found.add(o.id);
  found.delete(input);
  return found;
}

/** ms of event time that a partition may be ahead of the slowest: 5 minutes, or 1,000 windows where that is less. */
export function leadOf(plan: PhysicalPlan, scan: Scan): number {
  const reached = downstream(plan, scan.id);
  const steps = plan.operators.flatMap(o => (reached.has(o.id) && o.window !== null && 'def' in o.window ? [Math.min(...o.window.ms)] : []));
  return Math.min(LEAD_MS, LEAD_WINDOWS * Math.min(...steps));
}

/** Names of the sources that feed `input`, the id of a scan or an operator. */
export function sourcesOf(plan: PhysicalPlan, input: string): string[] {
  const operator = plan.operators.find(o => o.id === input);
  if (operator !== undefined) return sourcesOf(plan, operator.input);
  return plan.scans.flatMap(s => (s.id === input ? [s.source] : []));
}

/** The sink that the rows of an operator end in, or null when there are several. */
export function onlySink(plan: PhysicalPlan, id: string): string | null {
  const reached = downstream(plan, id).add(id);
  const sinks = plan.sinks.filter(w => reached.has(w.input));
  return sinks.length === 1 ? (sinks[0] as { readonly sink: string }).sink : null;
}
