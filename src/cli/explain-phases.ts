import { generateAggregate } from '../codegen/aggregate.ts';
import { generateStage } from '../codegen/stage.ts';
import type { CompiledPipeline } from '../config/compile.ts';
import { printRel } from '../plan/print.ts';

interface Part {
  readonly name: string;
  readonly text: string;
}

/** What each step and sink means after one of the phases. */
export function relations(c: CompiledPipeline, phase: 'bound' | 'logical'): Part[] {
  const steps = new Map(c.queries.filter(q => c.spec.steps.some(s => s.name === q.name)).map(q => [q.name, q.rel]));
  const shown = phase === 'bound' ? c.queries : c.queries.filter(q => !steps.has(q.name));
  return shown.map(q => ({ name: q.name, text: printRel(q.rel, phase === 'bound' ? () => undefined : t => steps.get(t)).join('\n') }));
}

/** The generated loop of each operator. */
export function code(c: CompiledPipeline): Part[] {
  const width = new Map([...c.plan.scans, ...c.plan.operators].map(p => [p.id, p.schema.length]));
  return c.plan.operators.map(o => ({
    name: o.id,
    text: (o.k === 'stage' ? generateStage(o, width.get(o.input) as number) : generateAggregate(o, width.get(o.input) as number)).source,
  }));
}
