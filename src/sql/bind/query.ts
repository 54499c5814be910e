import type { At, Expr as Ast, Query, Select } from '../ast.ts';
import type { BindContext } from './context.ts';
import { bindExpr } from './expr.ts';
import { bindFrom } from './from.ts';
import { group, groupKeys } from './group.ts';
import { bindCondition, type ExprScope } from './expr-scope.ts';
import { groupWindow, isGroupWindow, windowBound } from './window.ts';
import { nullable as isNullable, type AggregateCall, type Expr, type Rel, type RelColumn } from '../bound.ts';
import { Scope } from './scope.ts';
import { Structure } from './structure.ts';

/** Binds one query: names to columns, calls to overloads, windows and aggregates pulled out. Throws PipeErrors with all that is wrong. */
export function bindQuery(q: Query, context: BindContext): Rel {
  if (q.k === 'set') throw context.notYet(`${q.op.toUpperCase()}${q.all ? ' ALL' : ''}`, q.at);
  if (q.k === 'values') throw context.notYet('VALUES', q.at);
  const ctes = new Map<string, Rel>();
  for (const w of q.with) {
    if (w.columns.length > 0) throw context.notYet('column names of a WITH query', w.name.at);
    if (ctes.has(w.name.text)) throw context.error('user.sql.syntax', `"${w.name.text}" is defined twice`, w.name.at);
    ctes.set(w.name.text, bindQuery(w.query, context.with(ctes)));
  }
  return bindSelect(q, context.with(ctes));
}

/** One item of SELECT, with * spread out. */
interface Item {
  readonly expr: Expr;
  readonly name: string;
  readonly at: At;
}

function bindSelect(s: Select, context: BindContext): Rel {
  if (s.orderBy.length > 0) throw context.notYet('ORDER BY of a stream', (s.orderBy[0] as { expr: Ast }).expr.at);
  if (s.limit !== null || s.offset !== null) throw context.notYet('LIMIT of a stream', (s.limit ?? (s.offset as Ast)).at);
  const from = bindFrom(s, context, bindQuery);
  let rel = from.rel;
  const places = new WeakMap<Expr, At>();
  const structure = new Structure();
  const scopeOf = (r: Rel, aggregates: AggregateCall[] | string): ExprScope => ({ bind: bindExpr, context, scope: new Scope(r.columns, from.table), aggregates, places, structure });

  const { where } = s;
  if (where !== null) {
    const condition = context.attempt(() => bindCondition(where, scopeOf(rel, 'WHERE sees single rows, use HAVING'), 'WHERE'));
    if (condition !== null) rel = { k: 'filter', input: rel, condition, clause: 'WHERE', text: textOf(where.at, context), query: context.query, columns: rel.columns };
  }
  const windows = s.groupBy.filter(isGroupWindow);
  if (windows.length > 1) throw context.error('user.sql.window', 'one window per GROUP BY', (windows[1] as Ast).at);
  const [window] = windows;
  if (window !== undefined) rel = groupWindow(window, rel, from.table, context);

  const calls: AggregateCall[] = [];
  const input = rel;
  const scope: ExprScope = { ...scopeOf(input, calls), windowCall: e => {
    const index = windowBound(e, input.columns, context);
    return index === null ? null : columnRef(input.columns, index);
  } };
  const keys = groupKeys(s, scope);
  if (window !== undefined) keys.push(columnRef(input.columns, input.columns.findIndex(c => c.attribute?.k === 'start' && input.k === 'window' && c.attribute.window === input.window)));
  const items = bindItems(s, scope);
  const having = s.having === null ? null : context.attempt(() => bindCondition(s.having as Ast, havingScope(s, scope, keys), 'HAVING'));
  context.throwProblems();

  const grouped = s.groupBy.length > 0 || calls.length > 0 || s.having !== null;
  if (!grouped) return distinct(s, project(input, items, context), context);
  const g = group(input, keys, calls, s.at, s.groupBy.map(e => e.at), places, context);
  const outer = items.map(i => ({ ...i, expr: g.outer(i.expr) }));
  const filtered: Rel = having === null ? g.rel : { k: 'filter', input: g.rel, condition: g.outer(having), clause: 'HAVING', text: textOf((s.having as Ast).at, context), query: context.query, columns: g.rel.columns };
  return distinct(s, project(filtered, outer, context), context);
}

const textOf = (at: At, context: BindContext): string => context.sql.text.slice(...at).replace(/\s+/g, ' ');

function columnRef(columns: readonly RelColumn[], index: number): Expr {
  const c = columns[index] as RelColumn;
  return { k: 'col', index, type: c.type, nullable: c.nullable };
}

function bindItems(s: Select, scope: ExprScope): Item[] {
  const { context } = scope;
  const items: Item[] = [];
  for (const item of s.items) {
    const e = item.expr;
    if (e.k === 'star') {
      if (e.of !== null) context.attempt(() => scope.scope.checkTable(e.of as NonNullable<typeof e.of>, context));
      scope.scope.columns.forEach((c, index) => {
        if (c.hidden) return;
        const expr = columnRef(scope.scope.columns, index);
        scope.places.set(expr, e.at);
        items.push({ expr, name: c.name, at: e.at });
      });
      continue;
    }
    const expr = context.attempt(() => bindExpr(e, scope));
    if (expr !== null) items.push({ expr, name: item.as?.text ?? nameOf(e, items.length + 1), at: item.as?.at ?? e.at });
  }
  return items;
}

const nameOf = (e: Ast, position: number): string =>
  e.k === 'ref' ? (e.path.at(-1) as { text: string }).text : e.k === 'call' ? e.name.text.toLowerCase() : e.k === 'cast' ? nameOf(e.arg, position) : `column_${position}`;

/** A column of a query's result; `implied`: named as what it reads, not with AS. */
export interface OutputName {
  readonly name: string;
  readonly implied: boolean;
  readonly at: At;
}

/** The columns of a query's result without binding it; null where they cannot be told: a star. */
export function outputNames(q: Query): OutputName[] | null {
  if (q.k === 'set') return outputNames(q.left);
  if (q.k === 'values' || q.items.some(i => i.expr.k === 'star')) return null;
  return q.items.map(({ expr, as }, k) => ({ name: as?.text ?? nameOf(expr, k + 1), implied: as === null, at: expr.at }));
}

/** HAVING may use the aliases of SELECT; a group key of the same name comes first. */
function havingScope(s: Select, scope: ExprScope, keys: readonly Expr[]): ExprScope {
  return {
    ...scope,
    isKey: index => keys.some(k => k.k === 'col' && k.index === index),
    alias: name => {
      const item = s.items.find(i => i.as?.text === name.text);
      return item === undefined ? null : bindExpr(item.expr, scope);
    },
  };
}

/** The items, then (hidden) the time attribute and window bounds that were not selected: a projection passes them on. */
function project(input: Rel, items: readonly Item[], context: BindContext): Rel {
  const exprs = items.map(i => i.expr);
  const columns: RelColumn[] = items.map(i => ({
    name: i.name, type: i.expr.type, nullable: isNullable(i.expr), hidden: false, at: i.at,
    attribute: i.expr.k === 'col' ? (input.columns[i.expr.index] as RelColumn).attribute : null,
  }));
  input.columns.forEach((c, index) => {
    if (c.attribute === null || columns.some(x => x.attribute === c.attribute)) return;
    exprs.push(columnRef(input.columns, index));
    columns.push({ ...c, hidden: true, name: columns.some(x => x.name === c.name) ? `${c.name} of the input` : c.name });
  });
  return { k: 'project', input, exprs, query: context.query, columns };
}

/** SELECT DISTINCT is GROUP BY all columns. */
function distinct(s: Select, rel: Rel, context: BindContext): Rel {
  if (!s.distinct) return rel;
  const visible = rel.columns.flatMap((c, i) => (c.hidden ? [] : [columnRef(rel.columns, i)]));
  const g = group(rel, visible, [], s.at, [], new WeakMap(), context);
  const items = visible.map(v => {
    const { name, at = s.at } = rel.columns[(v as { index: number }).index] as RelColumn;
    return { expr: g.outer(v), name, at };
  });
  return project(g.rel, items, context);
}
