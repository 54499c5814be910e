import type { PipelineSpec } from '../config/spec.ts';
import { PipeError, PipeErrors } from '../errors.ts';
import { comparePlans, describePlan, type Named, type OperatorFate, type PlanChange, type SavedPlan, type Topics } from '../plan/compare.ts';
import { identifier } from '../plan/identifier.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import { tableSql } from '../state/schema.ts';
import { OTHER_SQL, type Position } from '../state/store.ts';
import { groupTable } from './group-table.ts';

/** What a saved state says of itself: a StateStore, or a reader of its file. */
export interface SavedBy {
  plan(): string | null;
  shapes(): ReadonlyMap<string, string>;
  partial(): ReadonlySet<string>;
  holds(name: string): boolean;
  /** Whether some of its windows are on disk only. */
  onDisk(name: string): boolean;
}

const topicsOf = (spec: PipelineSpec): Topics => ({ sources: spec.sources.map(({ name, topic }) => ({ name, topic })), sinks: spec.sinks.map(({ name, topic }) => ({ name, topic })) });

/** The plan that is kept with a state, and how its tables look: other names of columns have to be moved, too. */
export const planText = (spec: PipelineSpec, plan: PhysicalPlan): string =>
  JSON.stringify({ ...describePlan(plan, topicsOf(spec)), tables: plan.operators.flatMap(o => (o.k === 'aggregate' ? [tableSql(groupTable(o))[0]] : [])) });

/** What becomes of a state that has been committed, under the plan as it is now. */
export function planChange(spec: PipelineSpec, plan: PhysicalPlan, state: SavedBy, positions: readonly Position[]): PlanChange {
  const read = new Map(positions.map(({ source, topic }): [string, Named] => [source, { name: source, topic }]));
  const text = state.plan();
  const saved = text === null ? ofOldState(state, [...read.values()]) : JSON.parse(text) as SavedPlan;
  const asleep = [...read.values()].filter(s => !saved.sources.some(x => x.name === s.name));
  const change = comparePlans(saved, asleep, plan, topicsOf(spec), id => state.holds(identifier(id)));
  const partial = state.partial();
  return { ...change, operators: change.operators.map(o => (o.move !== null && state.onDisk(identifier(o.was as string)) ? { ...o, ...STUCK } : { ...o, partial: o.fate === 'kept' && partial.has(o.was as string) })) };
}

/** Parts of groups that left memory are folded together as they are. */
const STUCK = { fate: 'changed', move: null, differs: ['a part of it is on disk, where keys and aggregates stay in the order that they had'] } as const;

const ofOldState = (state: SavedBy, sources: readonly Named[]): SavedPlan => ({ v: 1, sources, sinks: null, operators: [...state.shapes()].map(([id, print]) => ({ id, print, slots: [] })) });

/** Whether an operator cannot go on: it has groups that mean something else, or that nobody goes on with. */
export const isRefused = (o: OperatorFate): boolean => o.holds && (o.fate === 'changed' || o.fate === 'gone');

/** Why a run refuses, an error each; empty when the state goes on. */
export function refusals(spec: PipelineSpec, change: PlanChange): PipeError[] {
  const refused = (message: string, span?: PipeError['span']): PipeError => new PipeError('system.state.incompatible', message, { span, hint: OTHER_SQL });
  // those of a source that reads another topic are said with it
  const moved = new Set(change.sources.filter(s => s.fate === 'changed').map(s => s.name));
  return [
    ...change.sources.flatMap(s => (s.fate !== 'changed' ? [] : [refused(`source "${s.name}" reads topic "${s.topic}" now; its saved positions are of "${s.topicWas}"`, spec.sources.find(x => x.name === s.name)?.topicSpan)])),
    ...change.operators.filter(o => isRefused(o) && !(o.source !== null && moved.has(o.source))).map(o => refused(o.fate === 'gone' ? `the saved state holds open groups of "${o.id}", which is no longer in ${spec.file.name}`
      : [`the saved state of "${o.id}" holds open groups of other SQL`, ...o.differs].join('\n    '))),
  ];
}

/** Throws system.state.incompatible where the state cannot go on. */
export function checkChange(spec: PipelineSpec, change: PlanChange): void {
  const problems = refusals(spec, change);
  if (problems.length === 1) throw problems[0] as PipeError;
  if (problems.length > 1) throw new PipeErrors(problems);
}

/** What a run says of operators that begin in the middle of their topic, a line each. */
export const startsEmpty = (change: PlanChange): string[] => change.operators.filter(o => (o.fate === 'new' || o.fate === 'changed') && !o.holds)
  .map(o => `"${o.id}" is ${o.fate === 'new' ? 'new' : 'another grouping now'} and starts empty: its first windows lack what was read before; --backfill builds it from the topic`);
