import type { Aggregate, PhysicalPlan, Stage } from '../plan/physical.ts';
import { shapeOf } from '../plan/compare.ts';
import type { Schema } from '../sql/types.ts';
import { AggregateOperator } from './aggregate.ts';
import { COUNTED, CountedBefore, type Counted } from './counted.ts';
import { fanOut } from './fan-out.ts';
import type { Graph } from './graph.ts';
import type { Meters } from './meters.ts';
import type { Operator, OperatorContext, Output } from './operator.ts';
import { StageOperator } from './stage.ts';

/**
 * Wires a physical plan: operators are made from the sinks back to the sources, so that each is given its output.
 * `sinks` holds the output of every sink by name; `jit` false runs closures instead of generated code; `shape` says what the state of
 * a grouping means, where `plan` is only a part of the plan; with `meters` rows and times of each are taken down.
 */
export function buildGraph(plan: PhysicalPlan, context: OperatorContext, sinks: ReadonlyMap<string, Output>, jit: boolean, shape = (a: Aggregate): string => shapeOf(plan, a), meters: Meters | null = null): Graph {
  const schemas = new Map<string, Schema>([...plan.scans, ...plan.operators].map(p => [p.id, p.schema]));
  const readers = new Map<string, Output[]>();
  const read = (input: string, by: Output): void => { readers.set(input, [...(readers.get(input) ?? []), by]); };
  for (const w of plan.sinks) read(w.input, sinks.get(w.sink) as Output);
  const operators: Operator[] = [];
  for (const p of [...plan.operators].reverse()) {
    const made = make(p, shape, (schemas.get(p.input) as Schema).length, context, fanOut(readers.get(p.id) ?? []), jit);
    const operator = meters === null ? made : meters.operator(made);
    const counted = context.state.get(p.id, COUNTED);
    read(p.input, typeof counted !== 'string' ? operator : new CountedBefore(operator, JSON.parse(counted) as Counted, n => context.counts.filtered(p.id, n)));
    operators.unshift(operator);
  }
  return { operators, inputs: new Map(plan.scans.map(s => [s.source, fanOut(readers.get(s.id) ?? [])])) };
}

function make(p: Stage | Aggregate, shape: (a: Aggregate) => string, width: number, context: OperatorContext, next: Output, jit: boolean): Operator {
  switch (p.k) {
    case 'stage': return new StageOperator(p, width, context, next, jit);
    case 'aggregate': return new AggregateOperator(p, shape(p), width, context, next, jit);
  }
}
