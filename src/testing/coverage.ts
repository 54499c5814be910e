import type { CompiledPipeline } from '../config/compile.ts';
import type { SourceSpec } from '../config/spec.ts';
import { downstream } from '../engine/scan.ts';
import type { Span } from '../errors.ts';
import type { Aggregate } from '../plan/physical.ts';
import { walk } from '../sql/bind/structure.ts';
import type { Expr, Rel } from '../sql/bound.ts';
import type { Harness } from './harness.ts';
import { mapExprs, type Use } from './plan-exprs.ts';
import { Probes } from './probes.ts';

/** What may come of a place: a condition is true, false or NULL, a branch is taken, a record is bad. */
export interface Outcome {
  readonly kind: 'WHERE' | 'HAVING' | 'FILTER' | 'CASE' | 'late' | 'idle' | 'dead letter';
  readonly at: Span;
  readonly text: string;
  /** Some test had it. */
  reached: boolean;
}

export interface FileCoverage {
  /** Of the pipeline. */
  readonly file: string;
  /** In the order of the file. */
  readonly outcomes: readonly Outcome[];
}

const KINDS: Readonly<Record<Use, Outcome['kind']>> = { where: 'WHERE', having: 'HAVING', filter: 'FILTER', value: 'CASE' };

/** Which outcomes of one pipeline its tests have reached: its expressions tell when they are evaluated, by whatever runs them. */
export class Coverage {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #file: string;

  constructor(file: string) { this.#file = file; }

  /** The same pipeline, which takes note of what it evaluates. */
  watch(c: CompiledPipeline): CompiledPipeline {
    const { spec, plan } = c;
    for (const scan of plan.scans) {
      const source = spec.sources.find(s => s.name === scan.source) as SourceSpec;
      this.#outcome('dead letter', source.nameSpan, `no record of ${source.name} is bad`, source.name);
      const fed = downstream(plan, scan.id);
      if (source.eventTime !== null && plan.operators.some(o => fed.has(o.id) && isWindowed(o))) this.#outcome('idle', source.eventTime.span, `${source.name} never becomes idle`, source.name);
    }
    for (const o of plan.operators) if (isWindowed(o) && o.overRecords) this.#outcome('late', placeOf(o, c), `no row is late for ${o.query}`, o.id);
    const schemas = new Map([...plan.scans, ...plan.operators].map(p => [p.id, p.schema.map(f => f.name)]));
    return { ...c, plan: mapExprs(plan, (e, use, o) => {
      const near = use === 'value' ? null : firstPlace(e);
      const query = near ?? [...spec.steps, ...spec.sinks].find(q => q.name === o.query)?.nameSpan ?? { source: spec.file, start: 0, end: 0 };
      const probes = new Probes(query, schemas.get(o.input) ?? [], (at, text, k) => this.#outcome(k === 'branch' ? 'CASE' : KINDS[use], at, text));
      return use === 'value' ? probes.value(e) : probes.condition(e);
    }) };
  }

  /** After a test. */
  ran({ bad, idled }: Harness): void {
    const reach = (kind: Outcome['kind'], owner: string): void => {
      const found = this.#outcomes.get(`${kind} ${owner}`);
      if (found !== undefined) found.reached = true;
    };
    for (const source of idled) reach('idle', source);
    for (const b of bad) {
      if (b.source !== null) reach('dead letter', b.source);
      if (b.code === 'user.data.late' && b.operator !== null) reach('late', b.operator);
    }
  }

  get result(): FileCoverage {
    return { file: this.#file, outcomes: [...this.#outcomes.values()].sort((a, b) => a.at.start - b.at.start) };
  }

  /** One and the same for each time that a file is read. */
  #outcome(kind: Outcome['kind'], at: Span, text: string, owner = `${at.start} ${at.end} ${text}`): Outcome {
    const key = `${kind} ${owner}`;
    let found = this.#outcomes.get(key);
    if (found === undefined) this.#outcomes.set(key, (found = { kind, at, text, reached: false }));
    return found;
  }
}

/** For a bare column in a condition: what stands beside it, perhaps in another step than the operator is named after. */
function firstPlace(e: Expr): Span | null {
  let found: Span | null = null;
  walk(e, x => { if (x.k === 'call' || x.k === 'is') found ??= x.at ?? null; });
  return found;
}

const isWindowed = (o: CompiledPipeline['plan']['operators'][number]): o is Aggregate => o.k === 'aggregate' && o.window !== null;

/** Where the SQL of a grouping stands. */
function placeOf(a: Aggregate, { queries, spec }: CompiledPipeline): Span {
  const visit = (rel: Rel): Span | undefined => (rel.k === 'scan' ? undefined : rel.k === 'aggregate' && rel.bounds !== null ? visit(rel.input) ?? rel.at : visit(rel.input));
  const rel = queries.find(q => q.name === a.query)?.rel;
  return (rel === undefined ? undefined : visit(rel)) ?? { source: spec.file, start: 0, end: 0 };
}
