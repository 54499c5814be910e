import { PipeError, PipeErrors, type Span, type SqlText } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { buildPlan, type PlanQuery, type PlanSource } from '../plan/build.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { Query, Relation } from '../sql/ast.ts';
import { BindContext, type Catalog } from '../sql/bind/context.ts';
import { bindQuery } from '../sql/bind/query.ts';
import type { Expr, Rel, RelColumn } from '../sql/bound.ts';
import { parseQuery } from '../sql/parse/parse.ts';
import { TIMESTAMP_LTZ, typeName } from '../sql/types.ts';
import type { PipelineSpec, SinkSpec, SourceSpec } from './spec.ts';

export interface CompiledPipeline {
  readonly spec: PipelineSpec;
  readonly plan: PhysicalPlan;
  /** Steps and sinks as bound, in the order of the file. */
  readonly queries: readonly PlanQuery[];
  readonly warnings: readonly PipeError[];
  /** Aggregates without a window: an error when following, since they are never final. */
  readonly unbounded: readonly PipeError[];
}

/** SQL of all steps and sinks to one physical plan. Throws PipeErrors with every problem of the file. */
export function compilePipeline(spec: PipelineSpec): CompiledPipeline {
  const problems: PipeError[] = [];
  const warnings: PipeError[] = [];
  const attempt = <T>(work: () => T): T | null => {
    try {
      return work();
    } catch (error) {
      if (error instanceof PipeErrors) problems.push(...error.problems);
      else if (error instanceof PipeError) problems.push(error);
      else throw error;
      return null;
    }
  };
  const sources = spec.sources.map(planSource);
  const tables = new Map<string, readonly RelColumn[]>(sources.map(s => [s.name, s.columns]));
  const names = [...spec.sources, ...spec.steps].map(s => s.name);
  const catalog: Catalog = { columns: name => tables.get(name), names: () => names };

  const bind = (name: string, sql: SqlText, q: Query): PlanQuery | null => {
    const rel = attempt(() => bindQuery(q, new BindContext(sql, name, catalog, new Map(), warnings)));
    return rel === null ? null : { name, rel };
  };
  const steps: PlanQuery[] = [];
  for (const { step, query, circular } of stepOrder(spec, attempt, problems)) {
    if (circular) continue;
    const bound = bind(step.name, step.sql, query);
    tables.set(step.name, bound?.rel.columns ?? []);
    if (bound !== null) steps.push(bound);
  }
  const failed = problems.length > 0;
  const sinks: PlanQuery[] = [];
  for (const sink of spec.sinks) {
    const { sql } = sink;
    const query = sql === null ? null : attempt(() => parseQuery(sql));
    // a broken step would only be reported again by everybody who reads it
    if (sql !== null && (query === null || (failed && readsStep(query, spec)))) continue;
    const bound = sql === null ? attempt(() => passOn(sink, catalog)) : bind(sink.name, sql, query as Query);
    if (bound === null) continue;
    problems.push(...sinkProblems(sink, bound.rel));
    sinks.push(bound);
  }
  if (problems.length > 0) throw new PipeErrors(problems.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0)));
  warnings.push(...unusedSteps(spec, [...steps, ...sinks]));
  const plan = buildPlan(sources, steps, sinks);
  return { spec, plan, queries: [...steps, ...sinks], warnings, unbounded: unbounded([...steps, ...sinks]) };
}

/** Declared columns, then the time attribute made from one of them (its last in SELECT *), unless a TIMESTAMP column is it. */
function planSource(s: SourceSpec): PlanSource {
  const { eventTime } = s;
  const columns: RelColumn[] = s.columns.map(c => ({ ...c.field, attribute: null, hidden: false }));
  if (eventTime === null) return { name: s.name, columns, eventTime: null };
  if (eventTime.unit === null) {
    const index = columns.findIndex(c => c.name === eventTime.from);
    columns[index] = { ...(columns[index] as RelColumn), nullable: false, attribute: { k: 'time' } };
    return { name: s.name, columns, eventTime: { index, from: eventTime.from, unit: null } };
  }
  columns.push({ name: eventTime.as, type: TIMESTAMP_LTZ, nullable: false, attribute: { k: 'time' }, hidden: false });
  return { name: s.name, columns, eventTime: { index: columns.length - 1, from: eventTime.from, unit: eventTime.unit } };
}

type Attempt = <T>(work: () => T) => T | null;

/** Steps after those that they read; a circle is an error. */
function stepOrder(spec: PipelineSpec, attempt: Attempt, problems: PipeError[]): { step: PipelineSpec['steps'][number]; query: Query; circular: boolean }[] {
  const parsed = spec.steps.flatMap(step => {
    const query = attempt(() => parseQuery(step.sql));
    return query === null ? [] : [{ step, query, circular: false }];
  });
  const byName = new Map(parsed.map(p => [p.step.name, p]));
  const order: typeof parsed = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (p: (typeof parsed)[number]): boolean => {
    if (state.get(p.step.name) === 'done') return true;
    if (state.get(p.step.name) === 'open') return false;
    state.set(p.step.name, 'open');
    for (const table of tablesOf(p.query)) {
      const other = byName.get(table);
      if (other !== undefined && !visit(other)) {
        problems.push(new PipeError('user.sql.unknown_table', `step "${p.step.name}" reads itself through "${table}"`, { span: p.step.nameSpan, hint: 'steps cannot form a circle' }));
        p.circular = true;
        break;
      }
      // what reads a circle cannot be bound either, and says nothing new
      if (other?.circular === true) p.circular = true;
    }
    state.set(p.step.name, 'done');
    order.push(p);
    return true;
  };
  for (const p of parsed) visit(p);
  return order;
}

function tablesOf(q: Query): string[] {
  if (q.k === 'set') return [...tablesOf(q.left), ...tablesOf(q.right)];
  if (q.k === 'values') return [];
  const relation = (r: Relation): string[] => (r.k === 'table' ? [r.name.text] : r.k === 'subquery' ? tablesOf(r.query) : r.k === 'window' ? relation(r.input) : []);
  return [...q.with.flatMap(w => tablesOf(w.query)), ...q.from.flatMap(f => relation(f.relation))];
}

const readsStep = (q: Query, spec: PipelineSpec): boolean => tablesOf(q).some(t => spec.steps.some(s => s.name === t));

/** A sink `from:` a source or step writes its rows as they are. */
function passOn(sink: SinkSpec, catalog: Catalog): PlanQuery {
  const from = sink.from as NonNullable<SinkSpec['from']>;
  const columns = catalog.columns(from.name);
  if (columns === undefined) throw new PipeError('user.config.unknown_name', `"${from.name}" is no source and no step`, { span: from.span, hint: didYouMean(from.name, catalog.names()) });
  const exprs = columns.map((c, index): Expr => ({ k: 'col', index, type: c.type, nullable: c.nullable }));
  return { name: sink.name, rel: { k: 'project', input: { k: 'scan', table: from.name, columns }, exprs, query: sink.name, columns } };
}

function sinkProblems(sink: SinkSpec, rel: Rel): PipeError[] {
  const problems: PipeError[] = [];
  const visible = rel.columns.filter(c => !c.hidden);
  const span = sink.sql === null ? sink.nameSpan : sink.sql.span(0, Math.min(6, sink.sql.text.length));
  const seen = new Set<string>();
  for (const c of visible) {
    if (seen.has(c.name)) problems.push(new PipeError('user.sql.duplicate_column', `two columns of the output are named "${c.name}"`, { span, hint: 'give one of them another name with AS' }));
    seen.add(c.name);
    if (c.type.k === 'null') problems.push(new PipeError('user.sql.type', `column "${c.name}" has no type`, { span, hint: 'write CAST(NULL AS STRING)' }));
    if (c.type.k === 'interval' || c.type.k === 'interval_month') problems.push(new PipeError('user.sql.type', `column "${c.name}" is an interval, which has no JSON form`, { span }));
  }
  for (const key of sink.key) {
    if (seen.has(key.name)) continue;
    problems.push(new PipeError('user.sql.unknown_column', `key column "${key.name}" is not in the output`, {
      span: key.span, label: 'no such column', hint: didYouMean(key.name, seen) ?? `columns: ${visible.map(c => `${c.name} ${typeName(c.type)}`).join(', ')}`,
    }));
  }
  if (sink.emit === 'changes') problems.push(new PipeError('user.sql.unsupported', 'not supported yet: emit: changes', { span: sink.emitSpan ?? sink.nameSpan, hint: 'emit: final gives one row per window' }));
  return problems;
}

function unusedSteps(spec: PipelineSpec, queries: readonly PlanQuery[]): PipeError[] {
  const read = new Set<string>();
  const visit = (rel: Rel): void => { if (rel.k === 'scan') read.add(rel.table); else visit(rel.input); };
  for (const q of queries) visit(q.rel);
  const unused = (list: readonly { readonly name: string; readonly nameSpan: Span }[], what: string): PipeError[] =>
    list.filter(s => !read.has(s.name)).map(s => new PipeError('user.config.unknown_name', `nothing reads ${what} "${s.name}"`, { span: s.nameSpan, severity: 'warning' }));
  return [...unused(spec.sources, 'source'), ...unused(spec.steps, 'step')];
}

function unbounded(queries: readonly PlanQuery[]): PipeError[] {
  const found: PipeError[] = [];
  const visit = (rel: Rel): void => {
    if (rel.k === 'scan') return;
    if (rel.k === 'aggregate' && rel.bounds === null) {
      found.push(new PipeError('user.sql.unbounded_aggregate', 'this aggregate has no window, so while following it is never final', {
        span: rel.at, hint: "add a window such as GROUP BY .., TUMBLE(ts, INTERVAL '1' MINUTE), or run it with --until-end",
      }));
    }
    visit(rel.input);
  };
  for (const q of queries) visit(q.rel);
  return found;
}
