import { nullable, type AggregateRel, type Expr, type Rel, type RelColumn } from '../sql/bound.ts';
import { rewrite, walk } from '../sql/bind/structure.ts';
import { BOOLEAN, type Schema } from '../sql/types.ts';
import type { WindowSpec } from '../sql/windows/define.ts';
import type { Aggregate, Filter, PhysicalOperator, PhysicalPlan, Scan, Stage, Write } from './physical.ts';
import { identifier } from './identifier.ts';
import { prune } from './prune.ts';

/** A source as the planner sees it. */
export interface PlanSource {
  readonly name: string;
  readonly columns: readonly RelColumn[];
  /** Declared columns, then the time attribute made from one of them where there is one. */
  readonly eventTime: { readonly index: number; readonly from: string; readonly unit: string | null } | null;
}

export interface PlanQuery {
  readonly name: string;
  readonly rel: Rel;
}

/** Composing expressions further than this makes a stage instead, so that plans stay linear in the SQL. */
const MAX_NODES = 2000;

/** Rows that are not made yet: columns as expressions over an operator's output, behind a filter and a window. */
interface Pending {
  readonly input: string;
  readonly width: number;
  readonly filter: Expr | null;
  readonly filters: readonly Filter[];
  readonly window: WindowSpec | null;
  readonly exprs: readonly Expr[];
  readonly columns: readonly RelColumn[];
  readonly overRecords: boolean;
  readonly query: string;
}

/**
 * Relations to operators: everything between two groupings becomes one loop. Projections are composed, filters move in front,
 * a window is taken into the grouping above it. A step with several readers is computed once; one with a single reader is
 * part of its reader.
 */
export function buildPlan(sources: readonly PlanSource[], steps: readonly PlanQuery[], sinks: readonly PlanQuery[]): PhysicalPlan {
  return prune(new Builder(sources, steps, sinks).build());
}

class Builder {
  readonly #sources: ReadonlyMap<string, PlanSource>;
  readonly #steps: ReadonlyMap<string, Rel>;
  readonly #sinks: readonly PlanQuery[];
  readonly #readers = new Map<string, number>();
  readonly #scans = new Map<string, Scan>();
  readonly #operators: PhysicalOperator[] = [];
  readonly #shared = new Map<string, Pending>();
  readonly #ids = new Set<string>();

  constructor(sources: readonly PlanSource[], steps: readonly PlanQuery[], sinks: readonly PlanQuery[]) {
    this.#sources = new Map(sources.map(s => [s.name, s]));
    this.#steps = new Map(steps.map(s => [s.name, s.rel]));
    this.#sinks = sinks;
    const seen = new Set<string>();
    const count = (rel: Rel): void => {
      if (rel.k !== 'scan') return count(rel.input);
      this.#readers.set(rel.table, (this.#readers.get(rel.table) ?? 0) + 1);
      const step = this.#steps.get(rel.table);
      if (step !== undefined && !seen.has(rel.table)) { seen.add(rel.table); count(step); }
    };
    for (const s of sinks) count(s.rel);
  }

  build(): PhysicalPlan {
    const sinks = this.#sinks.map(s => this.#sink(s));
    return { scans: [...this.#scans.values()], operators: this.#operators, sinks };
  }

  #sink(s: PlanQuery): Write {
    const p = this.#fuse(s.rel);
    const visible = p.columns.flatMap((c, i) => (c.hidden ? [] : [i]));
    const out = this.#flush({ ...p, query: s.name, exprs: visible.map(i => p.exprs[i] as Expr), columns: visible.map(i => p.columns[i] as RelColumn) });
    return { sink: s.name, input: out.input, schema: schemaOf(out.columns) };
  }

  #fuse(rel: Rel): Pending {
    switch (rel.k) {
      case 'scan': return this.#scan(rel);
      case 'filter': {
        let p = this.#fuse(rel.input);
        let condition = substitute(rel.condition, p.exprs);
        if (p.window !== null && reaches(condition, p.width)) {
          p = this.#flush(p);
          condition = rel.condition;
        }
        return { ...p, filter: p.filter === null ? condition : { k: 'and', args: [p.filter, condition], type: BOOLEAN }, filters: [...p.filters, { clause: rel.clause, text: rel.text }], query: rel.query };
      }
      case 'project': {
        let p = this.#fuse(rel.input);
        if (composed(rel.exprs, p.exprs) > MAX_NODES) p = this.#flush(p);
        return { ...p, exprs: rel.exprs.map(e => substitute(e, p.exprs)), columns: rel.columns, query: rel.query };
      }
      case 'window': {
        let p = this.#fuse(rel.input);
        const time = p.exprs[rel.window.time] as Expr;
        if (p.window !== null || time.k !== 'col') p = this.#flush(p);
        const window = { ...rel.window, time: (p.exprs[rel.window.time] as Expr & { k: 'col' }).index };
        const bounds = rel.columns.slice(-3).map((c, j): Expr => ({ k: 'col', index: p.width + j, type: c.type, nullable: false }));
        return { ...p, window, exprs: [...p.exprs, ...bounds], columns: rel.columns, query: rel.query };
      }
      case 'aggregate': return this.#aggregate(rel);
    }
  }

  #scan(rel: Rel & { k: 'scan' }): Pending {
    const step = this.#steps.get(rel.table);
    if (step !== undefined) {
      if ((this.#readers.get(rel.table) as number) < 2) return this.#fuse(step);
      let shared = this.#shared.get(rel.table);
      if (shared === undefined) {
        shared = this.#flush(this.#fuse(step));
        this.#shared.set(rel.table, shared);
      }
      return shared;
    }
    const source = this.#sources.get(rel.table) as PlanSource;
    const id = `${source.name}:scan`;
    const { columns, eventTime } = source;
    if (!this.#scans.has(source.name)) {
      this.#scans.set(source.name, {
        id, source: source.name, schema: schemaOf(columns), time: columns.findIndex(c => c.attribute?.k === 'time'),
        columns: columns.map((c, i) => ({ name: i === eventTime?.index ? eventTime.from : c.name, eventTime: i === eventTime?.index, unit: i === eventTime?.index ? eventTime.unit : null })),
      });
    }
    return { input: id, width: columns.length, filter: null, filters: [], window: null, exprs: identity(columns), columns, overRecords: true, query: source.name };
  }

  #aggregate(rel: AggregateRel): Pending {
    let p = this.#fuse(rel.input);
    const isBound = (i: number): boolean => (p.exprs[i] as Expr & { k: 'col' }).index >= p.width;
    const ownWindow = rel.bounds !== null && p.window !== null && isBound(rel.bounds.start);
    const exprs = [...rel.keys, ...rel.calls.flatMap(c => c.args)];
    if ((p.window !== null && !ownWindow) || composed(exprs, p.exprs) > MAX_NODES) p = this.#flush(p);
    const own = (e: Expr): Expr => substitute(e, p.exprs);
    const a: Aggregate = {
      k: 'aggregate', id: this.#id(rel.query), input: p.input, filter: p.filter, filters: p.filters,
      window: rel.bounds === null ? null : p.window ?? { k: 'input', start: indexOf(p, rel.bounds.start), end: indexOf(p, rel.bounds.end) },
      keys: rel.keys.map(own), keyNames: rel.columns.slice(0, rel.keys.length).map(c => c.name),
      calls: rel.calls.map(c => ({ ...c, args: c.args.map(own), filter: c.filter === null ? null : own(c.filter) })),
      schema: schemaOf(rel.columns), overRecords: p.overRecords, by: rel.by, query: rel.query,
    };
    this.#operators.push(a);
    return { input: a.id, width: rel.columns.length, filter: null, filters: [], window: null, exprs: identity(rel.columns), columns: rel.columns, overRecords: false, query: rel.query };
  }

  /** Makes the rows: what is pending becomes a stage. */
  #flush(p: Pending): Pending {
    const stage: Stage = {
      k: 'stage', id: this.#id(`${p.query}:select`), input: p.input, filter: p.filter, filters: p.filters, window: p.window,
      project: p.exprs, schema: p.columns.map((c, i) => ({ name: c.name, type: c.type, nullable: nullable(p.exprs[i] as Expr) })),
      overRecords: p.overRecords, texts: p.columns.filter(c => !c.hidden).map(c => c.name), query: p.query,
    };
    this.#operators.push(stage);
    return { ...p, input: stage.id, width: p.columns.length, filter: null, filters: [], window: null, exprs: identity(p.columns) };
  }

  /** Named after the query, so that an edit elsewhere in the file leaves it alone. */
  #id(wanted: string): string {
    // a-b and a_b would share a state table
    let id = wanted;
    for (let n = 2; this.#ids.has(identifier(id)); n++) id = `${wanted}-${n}`;
    this.#ids.add(identifier(id));
    return id;
  }
}

const schemaOf = (columns: readonly RelColumn[]): Schema => columns.map(({ name, type, nullable: n }) => ({ name, type, nullable: n }));
const identity = (columns: readonly RelColumn[]): Expr[] => columns.map((c, index) => ({ k: 'col', index, type: c.type, nullable: c.nullable }));
const indexOf = (p: Pending, column: number): number => (p.exprs[column] as Expr & { k: 'col' }).index;
const substitute = (e: Expr, exprs: readonly Expr[]): Expr => rewrite(e, x => (x.k === 'col' ? (exprs[x.index] as Expr) : null));

/** True when an expression uses a column at or beyond `width`: a window's bound. */
function reaches(e: Expr, width: number): boolean {
  let found = false;
  walk(e, x => { if (x.k === 'col' && x.index >= width) found = true; });
  return found;
}

/** Nodes that `exprs` would have over `inner`; 0 when nothing but columns is below, so that composing is free. */
function composed(exprs: readonly Expr[], inner: readonly Expr[]): number {
  if (inner.every(e => e.k === 'col')) return 0;
  const sizes = inner.map(e => { let n = 0; walk(e, () => { n++; }); return n; });
  let total = 0;
  for (const e of exprs) walk(e, x => { total += x.k === 'col' ? (sizes[x.index] as number) : 1; });
  return total;
}
