import { fingerprint, fingerprintText, rowsOfSink, type Fingerprint } from './fingerprint.ts';
import { oldShape } from './old-shape.ts';
import type { Aggregate, PhysicalOperator, PhysicalPlan } from './physical.ts';

/** What a state was written by, as it is kept with it (JSON). */
export interface SavedPlan {
  readonly v: 1;
  readonly sources: readonly Named[];
  readonly operators: readonly SavedOperator[];
  /** Null in a state of layout 1 or 2, which does not know them. */
  readonly sinks: readonly SavedSink[] | null;
}

/** A source or sink and its topic. */
export interface Named {
  readonly name: string;
  readonly topic: string;
}

export interface SavedOperator {
  readonly id: string;
  /** What its groups mean; a text (old-shape.ts) in a state of layout 1 or 2. */
  readonly print: Fingerprint | string;
  /** How memory holds the slots of each call, for reading packed groups of calls that are no longer there. */
  readonly slots: readonly (readonly ('f64' | 'any')[])[];
  /** ms between the ends of its windows; absent: it has none, or the state is of before. */
  readonly every?: number;
}

export interface SavedSink extends Named {
  /** What rows it is given. */
  readonly rows: string;
}

/** The topics of a pipeline file, of sources and sinks. */
export interface Topics {
  readonly sources: readonly Named[];
  readonly sinks: readonly Named[];
}

/** kept: as saved, or all that differs leaves its meaning alone. */
export type Fate = 'kept' | 'new' | 'changed' | 'gone';

export interface PartFate {
  readonly name: string;
  readonly fate: Fate;
  /** The name that the state knows it by, or null where it does not. */
  readonly was: string | null;
  /** Topic now, or as saved where it is gone. */
  readonly topic: string;
  /** Another topic than now, as saved. */
  readonly topicWas: string | null;
  /** A sink that changed: what only one of the two has, a line each. */
  readonly differs?: readonly string[];
}

export interface OperatorFate {
  readonly id: string;
  /** The source that feeds it, as it is called now; null where it is gone. */
  readonly source: string | null;
  readonly fate: Fate;
  /** The id that the state knows it by, or null where it does not. */
  readonly was: string | null;
  /** Kept: where each key and call, in the order of the plan, stands in the saved state; null: all of them in their order. */
  readonly move: { readonly keys: readonly number[]; readonly calls: readonly number[] } | null;
  /** Changed: what only one of the two has, a line each. */
  readonly differs: readonly string[];
  /** Changed: ms between the ends of the windows that it had, where that is known. */
  readonly everyWas?: number;
  /** Kept: it began in the midst of its topic, and was not built again since. */
  readonly partial?: boolean;
  /** The saved state has groups of it. */
  readonly holds: boolean;
}

export interface PlanChange {
  readonly sources: readonly PartFate[];
  readonly operators: readonly OperatorFate[];
  readonly sinks: readonly PartFate[];
  /** As a source is called now, what the state calls it. */
  readonly savedName: (source: string) => string;
}

const groupings = (plan: PhysicalPlan): Aggregate[] => plan.operators.filter(o => o.k === 'aggregate');

/** What is kept with the state that a plan writes. */
export function describePlan(plan: PhysicalPlan, topics: Topics): SavedPlan {
  return {
    v: 1,
    sources: topics.sources.filter(s => plan.scans.some(x => x.source === s.name)),
    operators: groupings(plan).map(a => ({ id: a.id, print: fingerprint(plan, a), slots: a.calls.map(c => c.fn.state.map(s => s.repr)), ...windowStep(plan, a) })),
    sinks: topics.sinks.map(s => ({ ...s, rows: rowsOfSink(plan, s.name, x => x) })),
  };
}

/** Windows are aligned to the epoch, so their ends are multiples of the smallest of their sizes; rows may carry the window of an operator before. */
function windowStep(plan: PhysicalPlan, { window, input }: PhysicalOperator): { readonly every?: number } {
  if (window === null) return {};
  if ('def' in window) return { every: Math.min(...window.ms) };
  const before = upstream(plan, input).map(id => plan.operators.find(o => o.id === id)).find(o => o != null && o.window !== null);
  return before === undefined ? {} : windowStep(plan, before);
}

/**
 * What becomes of each part of a saved state under a plan. `holds` says whether groups of a saved operator are there; `asleep` are sources
 * that an earlier plan had: their positions are still there, in case they come back.
 */
export function comparePlans(saved: SavedPlan, asleep: readonly Named[], plan: PhysicalPlan, topics: Topics, holds: (operator: string) => boolean): PlanChange {
  const now = topics.sources.filter(s => plan.scans.some(x => x.source === s.name));
  const sources = pair(saved.sources, now, true).map((s): PartFate => (s.fate === 'new' && asleep.some(x => x.name === s.name && x.topic === s.topic) ? { ...s, fate: 'kept', was: s.name } : s));
  const savedName = (name: string): string => {
    const s = sources.find(x => x.name === name && x.fate !== 'gone');
    if (s?.fate === 'kept') return s.was as string;
    return saved.sources.some(x => x.name === name) ? `${name} (topic ${s?.topic})` : name;
  };
  const operators = compareOperators(saved.operators, plan, savedName, holds);
  return { sources, operators, sinks: compareSinks(saved, plan, topics.sinks, operators, savedName), savedName };
}

/** Pairs what has one name and topic, then one topic, then one name: that one goes on with another topic. */
function pair(saved: readonly Named[], now: readonly Named[], positions: boolean): PartFate[] {
  const left = [...saved];
  const found = new Map<Named, Named>();
  const same = [(a: Named, b: Named) => a.name === b.name && a.topic === b.topic, (a: Named, b: Named) => a.topic === b.topic, (a: Named, b: Named) => a.name === b.name];
  for (const alike of same) {
    for (const n of now) {
      if (found.has(n)) continue;
      const at = left.findIndex(s => alike(s, n));
      if (at >= 0) found.set(n, left.splice(at, 1)[0] as Named);
    }
  }
  return [
    ...now.map(n => {
      const was = found.get(n);
      const topicWas = was === undefined || was.topic === n.topic ? null : was.topic;
      const fate: Fate = was === undefined ? 'new' : topicWas === null || !positions ? 'kept' : 'changed';
      return { name: n.name, fate, was: was?.name ?? null, topic: n.topic, topicWas };
    }),
    ...left.map(s => ({ name: s.name, fate: 'gone' as const, was: s.name, topic: s.topic, topicWas: null })),
  ];
}

function compareOperators(saved: readonly SavedOperator[], plan: PhysicalPlan, savedName: (source: string) => string, holds: (operator: string) => boolean): OperatorFate[] {
  const left = [...saved];
  const now = groupings(plan).map(a => ({ a, source: sourceOf(plan, a.id), print: fingerprint(plan, a, savedName), old: () => oldShape(plan, a) }));
  const found = new Map<Aggregate, OperatorFate>();
  const keep = (by: (s: SavedOperator, a: Aggregate) => boolean): void => {
    for (const { a, source, print, old } of now) {
      if (found.has(a)) continue;
      for (const s of left) {
        const move = by(s, a) ? moveOf(s.print, print, old) : undefined;
        if (move === undefined) continue;
        left.splice(left.indexOf(s), 1);
        found.set(a, { id: a.id, source, fate: 'kept', was: s.id, move, differs: [], holds: holds(s.id) });
        break;
      }
    }
  };
  keep((s, a) => s.id === a.id);
  // under another name
  keep(() => true);
  for (const { a, source, print, old } of now) {
    if (found.has(a)) continue;
    const at = left.findIndex(s => s.id === a.id);
    const was = at < 0 ? null : left.splice(at, 1)[0] as SavedOperator;
    found.set(a, was === null ? { id: a.id, source, fate: 'new', was: null, move: null, differs: [], holds: false }
      : { id: a.id, source, fate: 'changed', was: was.id, move: null, differs: differences(was.print, print, old), ...(was.every === undefined ? {} : { everyWas: was.every }), holds: holds(was.id) });
  }
  return [...now.map(({ a }) => found.get(a) as OperatorFate), ...left.map(s => ({ id: s.id, source: null, fate: 'gone' as const, was: s.id, move: null, differs: [], holds: holds(s.id) }))];
}

/** How saved groups serve a grouping, or undefined where they mean something else or lack something. */
function moveOf(saved: Fingerprint | string, now: Fingerprint, old: () => string): OperatorFate['move'] | undefined {
  if (typeof saved === 'string') return saved === old() ? null : undefined;
  if (saved.windowed !== now.windowed || saved.rows.join('\n') !== now.rows.join('\n') || saved.keys.length !== now.keys.length) return undefined;
  const keys = now.keys.map(k => saved.keys.indexOf(k));
  const calls = now.calls.map(c => saved.calls.indexOf(c));
  if (keys.includes(-1) || calls.includes(-1) || new Set(keys).size < keys.length) return undefined;
  return calls.length === saved.calls.length && [...keys, ...calls].every((x, j) => x === (j < keys.length ? j : j - keys.length)) ? null : { keys, calls };
}

function differences(saved: Fingerprint | string, now: Fingerprint, old: () => string): string[] {
  const lines = (f: Fingerprint): string[] => [...f.rows, ...(f.keys.length === 0 ? [] : [`GROUP BY ${[...f.keys].sort().join(', ')}`]), ...f.calls];
  const [before, after] = typeof saved === 'string' ? [saved.split(' | '), old().split(' | ')] : [lines(saved), lines(now)];
  return sideBySide(before, after);
}

/** What only one of both has, a line each; where the other has nothing of that kind that differs, a line says so. */
function sideBySide(before: readonly string[], after: readonly string[]): string[] {
  const saved = before.filter(p => !after.includes(p));
  const now = after.filter(p => !before.includes(p));
  const missing = (own: readonly string[], other: readonly string[]): string[] => [...new Set(other.map(kindOf))].filter(k => !own.some(l => kindOf(l) === k)).map(k => `no such ${k}`);
  return [...[...saved, ...missing(saved, now)].map(p => `saved: ${p}`), ...[...now, ...missing(now, saved)].map(p => `now:   ${p}`)];
}

/** What a line of a fingerprint is. */
const kindOf = (line: string): string => /^(WHERE|GROUP BY|FROM|SELECT) /.exec(line)?.[1] ?? (/^\w+\(/.test(line) ? 'aggregate' : 'window');

/** A sink's rows as saved beside those of now; of one behind a grouping they stand in terms of its groups, which nobody wrote. */
function rowsDiffer(saved: string, now: string): string[] {
  // a text in the SQL may hold a bar, but hardly one before such a word
  const lines = (rows: string): string[] => rows.split(/ \| (?=(?:WHERE|SELECT) |[A-Z]+ \d)/);
  const [before, after] = [lines(saved), lines(now)];
  return [before, after].some(([from = '']) => from.startsWith('FROM (')) ? [] : sideBySide(before, after);
}

function compareSinks(saved: SavedPlan, plan: PhysicalPlan, now: readonly Named[], operators: readonly OperatorFate[], savedName: (source: string) => string): PartFate[] {
  if (saved.sinks === null) {
    // a sink of groups that the state does not know is new; of others it cannot be told
    const fresh = new Set(operators.filter(o => o.fate === 'new').map(o => o.id));
    return now.map(({ name, topic }) => {
      const isNew = upstream(plan, (plan.sinks.find(w => w.sink === name) as { readonly input: string }).input).some(id => fresh.has(id));
      return { name, topic, fate: isNew ? 'new' : 'kept', was: isNew ? null : name, topicWas: null };
    });
  }
  const before = saved.sinks;
  return pair(before, now, false).map(s => {
    if (s.fate !== 'kept') return s;
    const was = before.find(x => x.name === s.was && (x.topic === s.topic || x.topic === s.topicWas)) as SavedSink;
    const rows = rowsOfSink(plan, s.name, savedName);
    return was.rows === rows && s.topicWas === null ? s : { ...s, fate: 'changed', differs: rowsDiffer(was.rows, rows) };
  });
}

/** Ids of the operators and the scan that feed `id`, itself among them. */
export function upstream(plan: PhysicalPlan, id: string): string[] {
  const o = plan.operators.find(x => x.id === id);
  return o === undefined ? [id] : [id, ...upstream(plan, o.input)];
}

const sourceOf = (plan: PhysicalPlan, id: string): string => (plan.scans.find(s => s.id === upstream(plan, id).at(-1)) as PhysicalPlan['scans'][number]).source;

/** A grouping's fingerprint as the engine keeps it beside its groups. */
export const shapeOf = (plan: PhysicalPlan, a: Aggregate): string => fingerprintText(fingerprint(plan, a));
