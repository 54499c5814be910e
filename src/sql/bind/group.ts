import type { At, Expr as Ast, Select } from '../ast.ts';
import type { BindContext } from './context.ts';
import { AGGREGATES, type ExprScope } from './expr-scope.ts';
import { isGroupWindow } from './window.ts';
import { nullable, type AggregateCall, type AggregateRel, type Expr, type RelColumn } from '../bound.ts';
import type { Rel } from '../bound.ts';
import { Structure, rewrite } from './structure.ts';
import type { WindowSpec } from '../windows/define.ts';

/** GROUP BY: columns, expressions, positions of SELECT, or its aliases (a column of the input comes first). */
export function groupKeys(s: Select, scope: ExprScope): Expr[] {
  const { context } = scope;
  const inner: ExprScope = { ...scope, aggregates: 'GROUP BY comes before aggregates', alias: name => {
    const item = s.items.find(i => i.as?.text === name.text);
    return item === undefined ? null : scope.bind(item.expr, { ...scope, aggregates: 'GROUP BY comes before aggregates' });
  } };
  return s.groupBy.flatMap(e => {
    const key = context.attempt(() => (isGroupWindow(e) ? null : inner.bind(ordinal(e, s, context), inner)));
    return key === null ? [] : [key];
  });
}

function ordinal(e: Ast, s: Select, context: BindContext): Ast {
  if (e.k !== 'literal' || e.kind !== 'number') return e;
  const item = /^\d+$/.test(e.text) ? s.items[Number(e.text) - 1] : undefined;
  if (item === undefined || item.expr.k === 'star') throw context.error('user.sql.aggregate', `GROUP BY ${e.text} names no item of SELECT`, e.at, { hint: `SELECT has ${s.items.length}` });
  return item.expr;
}

interface Grouped {
  readonly rel: AggregateRel;
  /** An expression over the input (with aggregate calls) as one over the groups. */
  outer(e: Expr): Expr;
}

export function group(input: Rel, keys: readonly Expr[], calls: readonly AggregateCall[], at: At, by: readonly At[], places: WeakMap<Expr, At>, context: BindContext): Grouped {
  const window = groupWindowOf(input, keys, at, context);
  const values = keys.filter(k => windowPart(k, input, window) === null);
  const distinctKeys: Expr[] = [];
  const structure = new Structure();
  const indexes = new Map<number, number>();
  for (const k of values) {
    const id = structure.id(k);
    if (indexes.has(id)) continue;
    indexes.set(id, distinctKeys.length);
    distinctKeys.push(k);
  }
  const columns: RelColumn[] = [
    ...distinctKeys.map((k, j) => keyColumn(k, j, input)),
    ...calls.map(c => ({ name: c.text, type: c.type, nullable: c.fn.returnsNull, attribute: null, hidden: true })),
  ];
  const bounds = window === null ? null : { start: boundOf(input, window, 'start'), end: boundOf(input, window, 'end') };
  const trailing = new Map<string, number>();
  if (window !== null) {
    for (const [k, name] of [['start', 'window_start'], ['end', 'window_end'], ['wtime', 'window_time']] as const) {
      trailing.set(k, columns.length);
      columns.push({ ...(input.columns[boundOf(input, window, k)] as RelColumn), name, hidden: true });
    }
  }
  const span = context.sql.span(...at);
  const rel: AggregateRel = { k: 'aggregate', input, keys: distinctKeys, calls, bounds, query: context.query, at: span, by: by.map(x => context.sql.span(...x)), columns };
  const ref = (index: number): Expr => ({ k: 'col', index, type: (columns[index] as RelColumn).type, nullable: (columns[index] as RelColumn).nullable });
  const outer = (e: Expr): Expr => rewrite(e, x => {
    if (x.k === 'col' && x.index >= AGGREGATES) return ref(distinctKeys.length + x.index - AGGREGATES);
    const part = windowPart(x, input, window);
    if (part !== null) return ref(trailing.get(part) as number);
    const key = indexes.get(structure.id(x));
    if (key !== undefined) return ref(key);
    if (x.k === 'col') throw ungrouped(x, input, places, at, context);
    return null;
  });
  return { rel, outer };
}

const keyColumn = (k: Expr, j: number, input: Rel): RelColumn =>
  ({ name: k.k === 'col' ? (input.columns[k.index] as RelColumn).name : `key_${j + 1}`, type: k.type, nullable: nullable(k), attribute: null, hidden: false });

/** The window whose bounds are among the keys, or null. */
function groupWindowOf(input: Rel, keys: readonly Expr[], at: At, context: BindContext): WindowSpec | null {
  let window: WindowSpec | null = null;
  for (const k of keys) {
    const attribute = k.k === 'col' ? (input.columns[k.index] as RelColumn).attribute : null;
    if (attribute === null || attribute.k === 'time') continue;
    if (window !== null && window !== attribute.window) throw context.error('user.sql.window', 'GROUP BY mixes the bounds of two windows', at);
    window = attribute.window;
  }
  return window;
}

/** Which bound of `window` an expression is, or null. */
function windowPart(e: Expr, input: Rel, window: WindowSpec | null): 'start' | 'end' | 'wtime' | null {
  if (e.k !== 'col' || e.index >= AGGREGATES || window === null) return null;
  const { attribute } = input.columns[e.index] as RelColumn;
  return attribute !== null && attribute.k !== 'time' && attribute.window === window ? attribute.k : null;
}

/** Column of the input with this bound; all three pass through every projection, hidden where not selected. */
const boundOf = (input: Rel, window: WindowSpec, k: 'start' | 'end' | 'wtime'): number =>
  input.columns.findIndex(c => c.attribute?.k === k && c.attribute.window === window);

function ungrouped(x: Expr & { k: 'col' }, input: Rel, places: WeakMap<Expr, At>, at: At, context: BindContext): Error {
  const c = input.columns[x.index] as RelColumn;
  const isBound = c.attribute !== null && c.attribute.k !== 'time';
  return context.error('user.sql.aggregate', `column "${c.name}" is neither in GROUP BY nor in an aggregate`, places.get(x) ?? at, {
    hint: isBound ? `add ${c.name} to GROUP BY` : `add ${c.name} to GROUP BY, or write MAX(${c.name})`,
  });
}
