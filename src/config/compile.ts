import { PipeError, PipeErrors, type Span, type SqlText } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { buildPlan, type PlanQuery, type PlanSource } from '../plan/build.ts';
import type { PhysicalPlan } from '../plan/physical.ts';
import type { Query } from '../sql/ast.ts';
import { BindContext, type Catalog } from '../sql/bind/context.ts';
import { bindQuery, outputNames } from '../sql/bind/query.ts';
import type { Expr, Rel, RelColumn } from '../sql/bound.ts';
import { parseQuery } from '../sql/parse/parse.ts';
import { TIMESTAMP_LTZ } from '../sql/types.ts';
import { groupingsOfUpdates } from './check-groupings.ts';
import { keyProblems, outputProblems, type OutputColumn } from './check-output.ts';
import { expectProblems } from './check-tests.ts';
import type { PipelineSpec, SinkSpec, SourceSpec } from './spec.ts';
import { stepOrder, tablesOf, type ParsedStep } from './step-order.ts';

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
  const { sources, steps, sinks, warnings, problems } = new Binder(spec, new Set()).bind();
  if (problems.length > 0) throw new PipeErrors(problems);
  warnings.push(...unusedSteps(spec, [...steps, ...sinks]));
  const plan = buildPlan(sources, steps, sinks);
  return { spec, plan, queries: [...steps, ...sinks], warnings, unbounded: unbounded([...steps, ...sinks]) };
}

/** What is wrong with the SQL of a file whose configuration has problems; the columns of `unknown` sources and steps are not known. */
export const sqlProblems = (spec: PipelineSpec, unknown: ReadonlySet<string>): readonly PipeError[] => new Binder(spec, unknown).bind().problems;

/** All SQL of a file, parsed and, but for what reads a table whose columns are not known, bound. */
class Binder {
  readonly sources: PlanSource[];
  readonly steps: PlanQuery[] = [];
  readonly sinks: PlanQuery[] = [];
  readonly warnings: PipeError[] = [];
  problems: PipeError[] = [];
  readonly #spec: PipelineSpec;
  readonly #catalog: Catalog;
  readonly #tables: Map<string, readonly RelColumn[]>;
  /** What cannot be read: it was reported, and would only be reported again by everybody who reads it. */
  readonly #failed: Set<string>;
  /** Columns of each sink's output, where they are known. */
  readonly #outputs = new Map<string, readonly OutputColumn[]>();

  constructor(spec: PipelineSpec, unknown: ReadonlySet<string>) {
    this.#spec = spec;
    this.#failed = new Set(unknown);
    this.sources = spec.sources.filter(s => !unknown.has(s.name)).map(planSource);
    this.#tables = new Map(this.sources.map(s => [s.name, s.columns]));
    const names = [...new Set([...spec.sources, ...spec.steps].map(s => s.name).concat(...unknown))];
    this.#catalog = { columns: name => this.#tables.get(name), names: () => names };
  }

  bind(): this {
    this.#bindSteps();
    for (const sink of this.#spec.sinks) this.#bindSink(sink);
    this.problems.push(...groupingsOfUpdates(this.steps, this.sinks));
    this.problems.push(...expectProblems(this.#spec.tests, this.#outputs));
    this.problems.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
    return this;
  }

  #bindSteps(): void {
    const parsed = this.#spec.steps.flatMap((step): ParsedStep[] => {
      const query = this.#attempt(() => parseQuery(step.sql));
      return query === null ? [] : [{ step, query }];
    });
    const order = stepOrder(parsed, this.problems);
    for (const { name } of this.#spec.steps) if (!order.some(o => o.step.name === name)) this.#failed.add(name);
    for (const { step, query } of order) {
      const rel = this.#bindQuery(step.name, step.sql, query);
      if (rel === null) {
        this.#failed.add(step.name);
      } else {
        this.#tables.set(step.name, rel.columns);
        this.steps.push({ name: step.name, rel });
      }
    }
  }

  #bindSink(sink: SinkSpec): void {
    const { sql } = sink;
    const query = sql === null ? null : this.#attempt(() => parseQuery(sql));
    const before = this.problems.length;
    const rel = sql === null ? this.#passOn(sink) : query === null ? null : this.#bindQuery(sink.name, sql, query);
    const columns = rel?.columns.filter(c => !c.hidden) ?? (sql === null || query === null ? undefined : namedColumns(query, sql, this.problems.slice(before)));
    if (columns !== undefined) {
      this.#outputs.set(sink.name, columns);
      this.problems.push(...keyProblems(sink, columns));
    }
    if (rel === null) return;
    this.problems.push(...outputProblems(sink, rel.columns.filter(c => !c.hidden)));
    this.sinks.push({ name: sink.name, rel });
  }

  #bindQuery(name: string, sql: SqlText, query: Query): Rel | null {
    if (tablesOf(query).some(t => this.#isFailed(t))) return null;
    return this.#attempt(() => bindQuery(query, new BindContext(sql, name, this.#catalog, new Map(), this.warnings)));
  }

  /** A sink `from:` a source or step writes its rows as they are. */
  #passOn(sink: SinkSpec): Rel | null {
    const from = sink.from as NonNullable<SinkSpec['from']>;
    if (this.#isFailed(from.name)) return null;
    const columns = this.#tables.get(from.name);
    if (columns === undefined) {
      this.problems.push(new PipeError('user.config.unknown_name', `"${from.name}" is no source and no step`, { span: from.span, hint: didYouMean(from.name, this.#catalog.names()) }));
      return null;
    }
    const exprs = columns.map((c, index): Expr => ({ k: 'col', index, type: c.type, nullable: c.nullable }));
    return { k: 'project', input: { k: 'scan', table: from.name, columns }, exprs, query: sink.name, columns };
  }

  /** A file without any source has lost them to a problem of their own. */
  #isFailed(table: string): boolean { return this.#failed.has(table) || (this.#spec.sources.length === 0 && !this.#tables.has(table)); }

  #attempt<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      if (error instanceof PipeErrors) this.problems.push(...error.problems);
      else if (error instanceof PipeError) this.problems.push(error);
      else throw error;
      return null;
    }
  }
}

/** What the SELECT list of a query with problems says of its columns. */
function namedColumns(query: Query, sql: SqlText, problems: readonly PipeError[]): OutputColumn[] | undefined {
  return outputNames(query)?.map(({ name, implied, at }) => {
    const { start, end } = sql.span(...at);
    return { name, type: null, doubtful: implied && problems.some(({ span }) => span !== undefined && start <= span.start && span.end <= end) };
  });
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
