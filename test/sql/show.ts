import { PipeError, plainSql } from '../../src/errors.ts';
import type { Call, Expr, Frame, FrameBound, FromItem, Name, OrderItem, Query, Relation, Select, TypeName, With } from '../../src/sql/ast.ts';
import { parseQuery } from '../../src/sql/parse/parse.ts';

/**
 * A tree as one line of text in which every operator has its brackets: `a OR b AND c` is `(a or (b and c))`.
 * [] is a list, {} a query, and what a call carries beside its arguments follows it in words.
 */
const list = <T>(items: readonly T[], print: (item: T) => string): string => items.map(print).join(', ');
const not = (yes: boolean): string => (yes ? 'not ' : '');

export const showName = (n: Name): string => (n.quoted ? `"${n.text}"` : n.text);
export const showType = (t: TypeName): string => (t.args.length > 0 ? `${t.name}(${t.args.join(',')})` : t.name);

export function showOrder(o: OrderItem): string {
  return `${showExpr(o.expr)}${o.descending ? ' desc' : ''}${o.nulls === null ? '' : ` nulls ${o.nulls}`}`;
}

const bound = (b: FrameBound): string => (b.k === 'current' ? 'current row' : `${b.k === 'offset' ? showExpr(b.value) : 'unbounded'} ${b.direction}`);
const frame = (f: Frame): string => `${f.unit} ${bound(f.from)} to ${bound(f.to)}`;

function showCall(e: Call): string {
  const args = e.star ? '*' : `${e.distinct ? 'distinct ' : ''}${list(e.args, showExpr)}`;
  const words = [
    e.unit === null ? '' : `unit ${e.unit}`, e.mode === null ? '' : `mode ${e.mode}`, e.orderBy.length === 0 ? '' : `order [${list(e.orderBy, showOrder)}]`,
    e.returning === null ? '' : `returning ${showType(e.returning)}`, e.filter === null ? '' : `filter ${showExpr(e.filter)}`, e.ignoreNulls ? 'ignore nulls' : '',
    e.over === null ? '' : `over [${[`part [${list(e.over.partitionBy, showExpr)}]`, `order [${list(e.over.orderBy, showOrder)}]`, ...(e.over.frame === null ? [] : [frame(e.over.frame)])].join(' ')}]`,
  ].filter(w => w !== '');
  return `${showName(e.name)}${e.bare ? '' : `(${args})`}${words.map(w => ` ${w}`).join('')}`;
}

export function showExpr(e: Expr): string {
  switch (e.k) {
    case 'literal': return e.kind === 'text' ? `'${e.text}'` : e.kind === 'date' || e.kind === 'time' || e.kind === 'timestamp' ? `${e.kind} '${e.text}'` : e.text;
    case 'interval': return `interval '${e.value}' ${e.unit}${e.to === null ? '' : ` to ${e.to}`}`;
    case 'ref': return e.path.map(showName).join('.');
    case 'star': return e.of === null ? '*' : `${showName(e.of)}.*`;
    case 'unary': return `(${e.op} ${showExpr(e.arg)})`;
    case 'binary': return `(${showExpr(e.left)} ${e.op} ${showExpr(e.right)})`;
    case 'is': return `(${showExpr(e.arg)} is ${not(e.not)}${e.what})`;
    case 'distinct': return `(${showExpr(e.left)} is ${not(e.not)}distinct from ${showExpr(e.right)})`;
    case 'in': return `(${showExpr(e.arg)} ${not(e.not)}in ${'k' in e.list ? showQuery(e.list) : `[${list(e.list, showExpr)}]`})`;
    case 'between': return `(${showExpr(e.arg)} ${not(e.not)}between ${showExpr(e.low)} and ${showExpr(e.high)})`;
    case 'like': return `(${showExpr(e.arg)} ${not(e.not)}${e.op} ${showExpr(e.pattern)}${e.escape === null ? '' : ` escape ${showExpr(e.escape)}`})`;
    case 'case': return `(case${e.operand === null ? '' : ` ${showExpr(e.operand)}`}${e.whens.map(w => ` when ${showExpr(w.when)} then ${showExpr(w.then)}`).join('')}${e.else === null ? '' : ` else ${showExpr(e.else)}`} end)`;
    case 'cast': return `${e.try ? 'try_cast' : 'cast'}(${showExpr(e.arg)} as ${showType(e.type)})`;
    case 'call': return showCall(e);
    case 'subquery': return showQuery(e.query);
    case 'exists': return `exists ${showQuery(e.query)}`;
    case 'row': return `row(${list(e.items, showExpr)})`;
    case 'array': return `array[${list(e.items, showExpr)}]`;
    case 'index': return `${showExpr(e.arg)}[${showExpr(e.index)}]`;
  }
}

const showRows = (rows: readonly (readonly Expr[])[]): string => `values ${list(rows, r => `[${list(r, showExpr)}]`)}`;

function showRelation(r: Relation): string {
  switch (r.k) {
    case 'table': return `${showName(r.name)}${r.asOf === null ? '' : ` as of ${showExpr(r.asOf)}`}`;
    case 'subquery': return `${r.lateral ? 'lateral ' : ''}${showQuery(r.query)}`;
    case 'values': return `{${showRows(r.rows)}}`;
    case 'unnest': return `unnest(${list(r.args, showExpr)})`;
    case 'window': {
      const by = r.partitionBy.length === 0 ? '' : ` part [${list(r.partitionBy, showName)}]`;
      return `${r.kind}(${[`${showRelation(r.input)}${by}`, showName(r.time), ...r.args.map(a => `${a.name === null ? '' : `${showName(a.name)} => `}${showExpr(a.expr)}`)].join(', ')})`;
    }
  }
}

function showFrom(f: FromItem): string {
  const columns = f.columns.length === 0 ? '' : `(${list(f.columns, showName)})`;
  const named = `${showRelation(f.relation)}${f.alias === null ? '' : ` as ${showName(f.alias)}${columns}`}`;
  if (f.join === null) return named;
  return `${f.join.kind} ${named}${f.join.on === null ? '' : ` on ${showExpr(f.join.on)}`}${f.join.using.length === 0 ? '' : ` using [${list(f.join.using, showName)}]`}`;
}

const showWith = (w: With): string => `${showName(w.name)}${w.columns.length === 0 ? '' : `(${list(w.columns, showName)})`} as ${showQuery(w.query)}`;

function clauses(q: Select): readonly string[] {
  return [
    `select${q.distinct ? ' distinct' : ''} ${list(q.items, i => `${showExpr(i.expr)}${i.as === null ? '' : ` as ${showName(i.as)}`}`)}`,
    q.from.length === 0 ? '' : `from ${list(q.from, showFrom)}`, q.where === null ? '' : `where ${showExpr(q.where)}`,
    q.groupBy.length === 0 ? '' : `group [${list(q.groupBy, showExpr)}]`, q.having === null ? '' : `having ${showExpr(q.having)}`,
  ];
}

export function showQuery(q: Query): string {
  if (q.k === 'values') return `{${showRows(q.rows)}}`;
  const body = q.k === 'select' ? clauses(q) : [`${showQuery(q.left)} ${q.op}${q.all ? ' all' : ''} ${showQuery(q.right)}`];
  const offset = q.k === 'select' && q.offset !== null ? `offset ${showExpr(q.offset)}` : '';
  const ends = [q.orderBy.length === 0 ? '' : `order [${list(q.orderBy, showOrder)}]`, q.limit === null ? '' : `limit ${showExpr(q.limit)}`, offset];
  return `{${[q.with.length === 0 ? '' : `with ${list(q.with, showWith)}`, ...body, ...ends].filter(c => c !== '').join(' ')}}`;
}

/** The tree of a query in one line. */
export const queryOf = (sql: string): string => showQuery(parseQuery(plainSql(sql)));

/** The tree of an expression, as the one item of a SELECT. */
export function exprOf(sql: string): string {
  const q = parseQuery(plainSql(`SELECT ${sql} FROM t`));
  if (q.k !== 'select' || q.items.length !== 1 || q.items[0]?.as !== null) throw new Error(`not one item: ${sql}`);
  return showExpr(q.items[0].expr);
}

/** The error of a text, `line:col code message | hint`, then in brackets the text that it points at. Fails when there is none, or another than PipeError. */
export function errorOf(sql: string): string {
  try {
    parseQuery(plainSql(sql));
  } catch (error) {
    if (!(error instanceof PipeError) || error.span === undefined) throw error;
    const { line, col } = error.span.source.position(error.span.start);
    return `${line}:${col} ${error.code.replace('user.sql.', '')} ${error.message}${error.hint === undefined ? '' : ` | ${error.hint}`} [${sql.slice(error.span.start, error.span.end)}]`;
  }
  throw new Error(`was accepted: ${sql.slice(0, 200)}`);
}
