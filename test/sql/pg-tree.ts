import { loadModule, parseSync } from 'libpg-query';
import type { Expr } from '../../src/sql/ast.ts';
import { showExpr } from './show.ts';

/**
 * PostgreSQL's own tree of an expression, printed in the words of show.ts. Where its parser already turns one form into another
 * (-5 into a number, EXTRACT into a call), `normal` does the same to our tree, so that both sides compare as text.
 */
await loadModule();

type Node = Readonly<Record<string, unknown>>;
const isNode = (x: unknown): x is Node => typeof x === 'object' && x !== null && !Array.isArray(x);

function node(x: unknown): Node {
  if (!isNode(x)) throw new Error(`no node: ${JSON.stringify(x)}`);
  return x;
}

const nodes = (x: unknown): readonly Node[] => (x === undefined ? [] : Array.isArray(x) ? x.map(node) : [node(x)]);
const only = (x: unknown): readonly [kind: string, fields: Node] => {
  const [entry, ...more] = Object.entries(node(x));
  if (entry === undefined || more.length > 0) throw new Error(`not one kind: ${JSON.stringify(x)}`);
  return [entry[0], node(entry[1])];
};
const strings = (x: unknown): readonly string[] => nodes(x).map(n => String(only(n)[1]['sval']));
const list = (x: unknown): string => nodes(x).map(show).join(', ');
const not = (yes: boolean): string => (yes ? 'not ' : '');

function constant(f: Node): string {
  if (f['isnull'] === true) return 'NULL';
  if (isNode(f['ival'])) return String(f['ival']['ival'] ?? 0);
  if (isNode(f['fval'])) return String(f['fval']['fval']);
  if (isNode(f['boolval'])) return f['boolval']['boolval'] === true ? 'TRUE' : 'FALSE';
  return `'${String(node(f['sval'])['sval'] ?? '')}'`;
}

function operator(f: Node): string {
  const name = strings(f['name'])[0] ?? '';
  const left = (): string => show(f['lexpr']);
  const bounds = (): string => nodes(only(f['rexpr'])[1]['items']).map(show).join(' and ');
  switch (f['kind']) {
    case 'AEXPR_OP': return f['lexpr'] === undefined ? `(${name} ${show(f['rexpr'])})` : `(${left()} ${name} ${show(f['rexpr'])})`;
    case 'AEXPR_DISTINCT': case 'AEXPR_NOT_DISTINCT': return `(${left()} is ${not(f['kind'] === 'AEXPR_NOT_DISTINCT')}distinct from ${show(f['rexpr'])})`;
    case 'AEXPR_IN': return `(${left()} ${not(name === '<>')}in [${list(only(f['rexpr'])[1]['items'])}])`;
    case 'AEXPR_BETWEEN': case 'AEXPR_NOT_BETWEEN': return `(${left()} ${not(f['kind'] === 'AEXPR_NOT_BETWEEN')}between ${bounds()})`;
    case 'AEXPR_LIKE': case 'AEXPR_SIMILAR': return `(${left()} ${not(name.startsWith('!'))}${f['kind'] === 'AEXPR_LIKE' ? 'like' : 'similar'} ${pattern(f['rexpr'])})`;
    case 'AEXPR_NULLIF': return `nullif(${left()}, ${show(f['rexpr'])})`;
    default: throw new Error(`operator ${String(f['kind'])}`);
  }
}

function pattern(x: unknown): string {
  const [kind, f] = only(x);
  if (kind !== 'FuncCall' || !/_escape$/.test(strings(f['funcname']).at(-1) ?? '')) return show(x);
  return nodes(f['args']).map(show).join(' escape ');
}

function order(x: Node): string {
  const f = only(x)[1];
  const nulls = String(f['sortby_nulls']).replace('SORTBY_NULLS_', '').toLowerCase();
  return `${show(f['node'])}${f['sortby_dir'] === 'SORTBY_DESC' ? ' desc' : ''}${nulls === 'default' ? '' : ` nulls ${nulls}`}`;
}

function call(f: Node): string {
  const name = strings(f['funcname']).at(-1) ?? '';
  const args = nodes(f['args']).map(show);
  if (name === 'position' && f['funcformat'] === 'COERCE_SQL_SYNTAX') args.reverse();
  const inside = f['agg_star'] === true ? '*' : `${f['agg_distinct'] === true ? 'distinct ' : ''}${args.join(', ')}`;
  const orders = nodes(f['agg_order']);
  const over = isNode(f['over']) ? ` over [part [${list(f['over']['partitionClause'])}] order [${nodes(f['over']['orderClause']).map(order).join(', ')}]]` : '';
  return `${name}(${inside})${orders.length === 0 ? '' : ` order [${orders.map(order).join(', ')}]`}${f['agg_filter'] === undefined ? '' : ` filter ${show(f['agg_filter'])}`}${over}`;
}

function type(x: unknown): string {
  const f = node(x);
  const args = nodes(f['typmods']).map(show);
  const name = strings(f['names']).at(-1) ?? '';
  return args.length === 0 ? name : `${name}(${args.join(',')})`;
}

function caseWhen(f: Node): string {
  const whens = nodes(f['args']).map(w => only(w)[1]).map(w => ` when ${show(w['expr'])} then ${show(w['result'])}`).join('');
  return `(case${f['arg'] === undefined ? '' : ` ${show(f['arg'])}`}${whens}${f['defresult'] === undefined ? '' : ` else ${show(f['defresult'])}`} end)`;
}

/** A OR B OR C is one node there; ours is left-deep. */
function bool(f: Node): string {
  const args = nodes(f['args']).map(show);
  if (f['boolop'] === 'NOT_EXPR') return `(not ${args.join('')})`;
  return args.reduce((left, right) => `(${left} ${f['boolop'] === 'AND_EXPR' ? 'and' : 'or'} ${right})`);
}

function show(x: unknown): string {
  const [kind, f] = only(x);
  switch (kind) {
    case 'A_Const': return constant(f);
    case 'A_Expr': return operator(f);
    case 'BoolExpr': return bool(f);
    case 'ColumnRef': return strings(f['fields']).join('.');
    case 'NullTest': return `(${show(f['arg'])} is ${not(f['nulltesttype'] === 'IS_NOT_NULL')}null)`;
    case 'BooleanTest': return `(${show(f['arg'])} ${String(f['booltesttype']).toLowerCase().replaceAll('_', ' ')})`;
    case 'JsonIsPredicate': return `(${show(f['expr'])} is json)`;
    case 'CaseExpr': return caseWhen(f);
    case 'FuncCall': return call(f);
    case 'CoalesceExpr': return `coalesce(${list(f['args'])})`;
    case 'MinMaxExpr': return `${f['op'] === 'IS_LEAST' ? 'least' : 'greatest'}(${list(f['args'])})`;
    case 'TypeCast': return `cast(${show(f['arg'])} as ${type(f['typeName'])})`;
    case 'RowExpr': return `row(${list(f['args'])})`;
    case 'A_ArrayExpr': return `array[${list(f['elements'])}]`;
    case 'A_Indirection': return nodes(f['indirection']).reduce((arg, i) => `${arg}[${show(only(i)[1]['uidx'])}]`, show(f['arg']));
    default: throw new Error(`node ${kind}`);
  }
}

/** PostgreSQL's tree of the one item, or null when its parser refuses the text. Fails on a tree that is not in this file. */
export function pgExpr(sql: string): string | null {
  const text = `SELECT ${sql}`;
  if (!pgAccepts(text)) return null;
  const items = parseSync(text).stmts?.flatMap(s => nodes(only(s.stmt)[1]['targetList'])) ?? [];
  if (items.length !== 1) throw new Error(`not one item: ${sql}`);
  const target = only(items[0])[1];
  if (target['name'] !== undefined) throw new Error(`an alias: ${sql}`);
  return show(target['val']);
}

/** Does PostgreSQL's parser take this text? */
export function pgAccepts(sql: string): boolean {
  try {
    return (parseSync(sql).stmts ?? []).length === 1;
  } catch {
    return false;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  INT: 'int4', INTEGER: 'int4', BIGINT: 'int8', SMALLINT: 'int2', DECIMAL: 'numeric', NUMERIC: 'numeric', DOUBLE: 'float8', BOOLEAN: 'bool',
};
/** INTERVAL fields as PostgreSQL's type modifier numbers them. */
const fieldBits: Readonly<Record<string, number>> = { MONTH: 2, YEAR: 4, DAY: 8, HOUR: 1024, MINUTE: 2048, SECOND: 4096 };
const fields = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MINUTE', 'SECOND'];

function intervalType(unit: string, to: string | null): string {
  const from = fields.indexOf(unit);
  const bits = fields.slice(from, to === null ? from + 1 : fields.indexOf(to) + 1).reduce((sum, f) => sum + (fieldBits[f] as number), 0);
  return `interval(${bits})`;
}

/** PostgreSQL folds a sign into a number: - 5 is the number -5, and - - 5 is 5. */
function negated(text: string): string {
  const other = text.startsWith('-') ? text.slice(1) : `-${text}`;
  return other === '-0' ? '0' : other;
}

const text = (value: string): Expr => ({ k: 'literal', kind: 'text', text: value, at: [0, 0] });
const cast = (value: string, name: string): Expr => ({ k: 'cast', arg: text(value), type: { name, args: [], at: [0, 0] }, try: false, at: [0, 0] });
const named = (e: Expr & { k: 'call' }, name: string, args: readonly Expr[]): Expr => ({ ...e, name: { ...e.name, text: name }, args, unit: null, mode: null });

function normalCall(e: Expr & { k: 'call' }): Expr {
  if (e.unit !== null) return named(e, e.name.text, [text(e.unit.toLowerCase()), ...e.args]);
  if (e.name.text === 'trim') return named(e, e.mode === 'LEADING' ? 'ltrim' : e.mode === 'TRAILING' ? 'rtrim' : 'btrim', e.args);
  return e;
}

/** Our tree with PostgreSQL's rewrites. */
function normal(e: Expr): Expr {
  switch (e.k) {
    case 'literal':
      if (e.kind === 'date' || e.kind === 'time' || e.kind === 'timestamp') return cast(e.text, e.kind);
      return e.kind === 'number' && /^\d+$/.test(e.text) && Number(e.text) <= 2147483647 ? { ...e, text: String(Number(e.text)) } : e;
    case 'interval': return cast(e.value, intervalType(e.unit, e.to));
    case 'unary': {
      const arg = normal(e.arg);
      return e.op === '-' && arg.k === 'literal' && arg.kind === 'number' ? { ...arg, text: negated(arg.text) } : { ...e, arg };
    }
    case 'binary': case 'distinct': return { ...e, left: normal(e.left), right: normal(e.right) };
    case 'is': return { ...e, arg: normal(e.arg) };
    case 'in': return { ...e, arg: normal(e.arg), list: 'k' in e.list ? e.list : e.list.map(normal) };
    case 'between': return { ...e, arg: normal(e.arg), low: normal(e.low), high: normal(e.high) };
    case 'like': return { ...e, arg: normal(e.arg), pattern: normal(e.pattern), escape: e.escape === null ? null : normal(e.escape) };
    case 'case': return {
      ...e, operand: e.operand === null ? null : normal(e.operand), whens: e.whens.map(w => ({ when: normal(w.when), then: normal(w.then) })), else: e.else === null ? null : normal(e.else),
    };
    case 'cast': return { ...e, arg: normal(e.arg), type: { ...e.type, name: typeNames[e.type.name] ?? e.type.name.toLowerCase() } };
    case 'call': {
      const order = (items: typeof e.orderBy): typeof e.orderBy => items.map(o => ({ ...o, expr: normal(o.expr) }));
      const over = e.over === null ? null : { ...e.over, partitionBy: e.over.partitionBy.map(normal), orderBy: order(e.over.orderBy) };
      return normalCall({ ...e, args: e.args.map(normal), filter: e.filter === null ? null : normal(e.filter), orderBy: order(e.orderBy), over });
    }
    case 'row': case 'array': return { ...e, items: e.items.map(normal) };
    case 'index': return { ...e, arg: normal(e.arg), index: normal(e.index) };
    default: return e;
  }
}

/** Our tree of an expression in the text that pgExpr gives. */
export const normalised = (e: Expr): string => showExpr(normal(e));
