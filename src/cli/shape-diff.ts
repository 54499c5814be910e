import { PipeError } from '../errors.ts';
import { identifier } from '../plan/identifier.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import { shapeOf } from '../plan/shape.ts';
import type { StateStore } from '../state/store.ts';

/** The problem of a state that other SQL has made, with what differs instead of both shapes; any other error as it is. */
export function withShapeDiff(error: unknown, plan: PhysicalPlan, store: Pick<StateStore, 'get'>): unknown {
  if (!(error instanceof PipeError) || error.code !== 'system.state.incompatible') return error;
  for (const o of plan.operators) {
    if (o.k !== 'aggregate' || ![o.id, identifier(o.id)].some(name => error.message.startsWith(`the saved state of "${name}" `))) continue;
    const saved = store.get(o.id, 'shape');
    const lines = typeof saved === 'string' ? shapeDiff(saved, shapeOf(plan, o)) : [];
    if (lines.length > 0) return new PipeError(error.code, [`the saved state of "${o.id}" holds open windows of other SQL`, ...lines].join('\n    '), { hint: error.hint, cause: error });
  }
  return error;
}

/** Parts that only one of two shapes has, a line each. */
export function shapeDiff(saved: string, now: string): string[] {
  const [before, after] = [saved.split(' | '), now.split(' | ')];
  return [...before.filter(p => !after.includes(p)).map(p => `saved: ${p}`), ...after.filter(p => !before.includes(p)).map(p => `now:   ${p}`)];
}
