import { PipeError } from '../errors.ts';
import { upstream, type PlanChange } from '../plan/compare.ts';
import type { PhysicalPlan, Scan } from '../plan/physical.ts';
import type { SavedState } from '../state/store.ts';

/** What a backfill builds. */
export interface Work {
  /** Groupings that are written anew; those of a source that starts anew are only emptied. */
  readonly rebuilt: ReadonlySet<string>;
  /** Those of them that the state does not know. */
  readonly fresh: ReadonlySet<string>;
  /** New sinks, which get the rows of their history. */
  readonly sinks: readonly string[];
  /** What has to run for it. */
  readonly plan: PhysicalPlan;
}

export function workOf(plan: PhysicalPlan, change: PlanChange): Work {
  // a source without saved positions is read from its start by the run itself
  const read = new Set(change.sources.filter(s => s.fate === 'kept').map(s => s.name));
  const scanOf = (id: string): Scan => plan.scans.find(s => s.id === upstream(plan, id).at(-1)) as Scan;
  const wanted = change.operators.filter(o => o.fate === 'new' || o.fate === 'changed' || o.partial === true);
  const built = wanted.filter(o => read.has(scanOf(o.id).source)).map(o => o.id);
  const sinks = plan.sinks.filter(w => change.sinks.some(s => s.name === w.sink && s.fate === 'new') && read.has(scanOf(w.input).source));
  const parts = new Set([...built, ...sinks.map(w => w.input)].flatMap(id => upstream(plan, id)));
  return {
    rebuilt: new Set(wanted.map(o => o.id)), fresh: new Set(wanted.filter(o => o.fate === 'new').map(o => o.id)), sinks: sinks.map(w => w.sink),
    plan: { scans: plan.scans.filter(s => parts.has(s.id)), operators: plan.operators.filter(o => parts.has(o.id)), sinks },
  };
}

/** Of windows that are half out, only the file that began to close them knows which rows are left. Throws system.state.incompatible. */
export function checkCut(change: PlanChange, work: Work, state: Pick<SavedState, 'get'>): void {
  const cut = change.operators.find(({ id, was }) => was !== null && work.plan.operators.some(o => o.id === id) && Number(state.get(was, 'closed') ?? -Infinity) > Number(state.get(was, 'forwarded') ?? -Infinity));
  if (cut === undefined) return;
  throw new PipeError('system.state.incompatible', `the last run was cut short while it sent the closed windows of "${cut.was}": what is left of them would come twice`, { hint: 'run the file once as it was, it sends the rest; then --backfill' });
}
