import type { Call, Expr, Frame, FrameBound, OrderItem, Over } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { unit } from './literal.ts';
import { typeName } from './type.ts';
import { PRECEDENCE } from './words.ts';

type Inside = Partial<Pick<Call, 'star' | 'distinct' | 'unit' | 'mode' | 'orderBy' | 'ignoreNulls' | 'returning'>> & { readonly args: readonly Expr[] };

/** Functions whose arguments are joined by words; the rule reads what is between the parentheses. */
const forms: ReadonlyMap<string, (c: Cursor) => Inside> = new Map([
  ['EXTRACT', extract], ['SUBSTRING', substring], ['POSITION', position], ['OVERLAY', overlay], ['TRIM', trim],
  ['FLOOR', rounded], ['CEIL', rounded], ['CEILING', rounded], ['TIMESTAMPDIFF', unitFirst], ['TIMESTAMPADD', unitFirst],
  ['JSON_VALUE', jsonPath], ['JSON_QUERY', jsonPath], ['JSON_EXISTS', jsonPath], ['JSON_OBJECT', jsonObject], ['JSON_OBJECTAGG', jsonObject],
  ['JSON_ARRAY', jsonArray], ['JSON_ARRAYAGG', jsonArray],
]);

/** A function call under the cursor, or CURRENT_TIMESTAMP and its like. */
export function call(c: Cursor): Call {
  const first = c.pos;
  const word = c.tok.word;
  const name = c.anyName();
  const bare = !c.isOp('(');
  const rule = forms.get(word) ?? general;
  const inside: Inside = bare ? { args: [] } : c.brackets('(', () => (c.isOp(')') ? { args: [] } : rule(c)));
  const within = c.isWords('WITHIN', 'GROUP') ? withinGroup(c) : null;
  const filter = c.isWord('FILTER') && c.isOp('(', 1) ? filterWhere(c) : null;
  const ignoreNulls = nullTreatment(c) || inside.ignoreNulls === true;
  const over = c.isWord('OVER') ? overClause(c) : null;
  if (c.isOp('.')) throw c.notYet('fields of an expression', c.tok.at);
  return {
    k: 'call', name, args: inside.args, star: inside.star ?? false, distinct: inside.distinct ?? false, unit: inside.unit ?? null, mode: inside.mode ?? null,
    filter, orderBy: within ?? inside.orderBy ?? [], ignoreNulls, over, returning: inside.returning ?? null, bare, at: c.since(first),
  };
}

const exprs = (c: Cursor): Expr[] => c.list(() => c.expr());

function general(c: Cursor): Inside {
  if (c.isOp('*') && c.isOp(')', 1)) {
    c.pos++;
    return { args: [], star: true };
  }
  const distinct = c.takeWords('DISTINCT');
  if (!distinct) c.takeWords('ALL');
  if (c.isOp('=>', 1)) throw c.notYet('named arguments', c.tok.at);
  const args = exprs(c);
  const orderBy = c.isWords('ORDER', 'BY') ? orderByClause(c) : [];
  return { args, distinct, orderBy, ignoreNulls: nullTreatment(c) };
}

function extract(c: Cursor): Inside {
  const part = unit(c);
  c.needWord('FROM', { hint: 'EXTRACT(unit FROM time)' });
  return { args: [c.expr()], unit: part };
}

function substring(c: Cursor): Inside {
  const text = c.expr();
  if (!c.takeWords('FROM')) return { args: rest(c, [text]) };
  const from = c.expr();
  return { args: c.takeWords('FOR') ? [text, from, c.expr()] : [text, from] };
}

/** The other arguments when the first is already taken. */
function rest(c: Cursor, args: Expr[]): Expr[] {
  while (c.takeOp(',')) args.push(c.expr());
  return args;
}

/** POSITION(a IN b): IN is no operator here. */
function position(c: Cursor): Inside {
  const what = c.expr(PRECEDENCE.like + 1);
  if (!c.takeWords('IN')) throw c.unexpected('IN', { hint: 'POSITION(part IN text)' });
  return { args: [what, c.expr(PRECEDENCE.like + 1)] };
}

function overlay(c: Cursor): Inside {
  const text = c.expr();
  if (!c.takeWords('PLACING')) return { args: rest(c, [text]) };
  const by = c.expr();
  c.needWord('FROM');
  const from = c.expr();
  return { args: c.takeWords('FOR') ? [text, by, from, c.expr()] : [text, by, from] };
}

function trim(c: Cursor): Inside {
  const word = c.tok.word;
  const mode = (word === 'BOTH' || word === 'LEADING' || word === 'TRAILING') && !c.isOp(')', 1) && !c.isOp(',', 1) ? word : null;
  if (mode !== null) c.pos++;
  if (mode !== null && c.takeWords('FROM')) return { args: [c.expr()], mode };
  const first = c.expr();
  if (c.takeWords('FROM')) return { args: [c.expr(), first], mode: mode ?? 'BOTH' };
  return { args: rest(c, [first]), mode };
}

/** FLOOR(x) or FLOOR(time TO unit). */
function rounded(c: Cursor): Inside {
  const value = c.expr();
  return c.takeWords('TO') ? { args: [value], unit: unit(c) } : { args: rest(c, [value]) };
}

function unitFirst(c: Cursor): Inside {
  const part = unit(c);
  c.needOp(',');
  return { args: exprs(c), unit: part };
}

function jsonPath(c: Cursor): Inside {
  const args = exprs(c);
  const returning = c.takeWords('RETURNING') ? typeName(c) : null;
  refuseTail(c);
  return { args, returning };
}

/** KEY k VALUE v, k VALUE v or k : v; the keys and values arrive in turn. */
function jsonObject(c: Cursor): Inside {
  const args = c.list(() => {
    if (c.isWord('KEY') && !c.isWord('VALUE', 1) && !c.isOp(':', 1)) c.pos++;
    const key = c.expr();
    if (!c.takeWords('VALUE') && !c.takeOp(':')) throw c.unexpected('VALUE', { hint: "JSON_OBJECT('name' VALUE value)" });
    return [key, c.expr()];
  }).flat();
  refuseTail(c);
  return { args };
}

function jsonArray(c: Cursor): Inside {
  const inside = general(c);
  refuseTail(c);
  return inside;
}

/** NULL ON EMPTY, WITH WRAPPER, ABSENT ON NULL: what is between the arguments and the closing parenthesis. */
function refuseTail(c: Cursor): void {
  if (!['NULL', 'ABSENT', 'ERROR', 'DEFAULT', 'EMPTY', 'WITH', 'WITHOUT', 'TRUE', 'FALSE', 'UNKNOWN', 'KEEP', 'OMIT', 'FORMAT', 'RETURNING'].includes(c.tok.word)) return;
  const first = c.pos;
  while (c.tok.k !== 'end' && !c.isOp(')')) c.pos = c.tok.mate > 0 ? c.tok.mate + 1 : c.pos + 1;
  const at = c.since(first);
  throw c.notYet(c.sql.text.slice(...at).replace(/\s+/g, ' ').slice(0, 60), at);
}

function nullTreatment(c: Cursor): boolean {
  if (c.takeWords('RESPECT', 'NULLS')) return false;
  return c.takeWords('IGNORE', 'NULLS');
}

function withinGroup(c: Cursor): OrderItem[] {
  c.takeWords('WITHIN', 'GROUP');
  return c.brackets('(', () => orderByClause(c));
}

function filterWhere(c: Cursor): Expr {
  c.needWord('FILTER');
  return c.brackets('(', () => {
    c.needWord('WHERE', { hint: 'FILTER (WHERE condition)' });
    return c.expr();
  });
}

function orderByClause(c: Cursor): OrderItem[] {
  c.needWord('ORDER');
  c.needWord('BY');
  return c.list(() => orderItem(c));
}

/** expr [ASC | DESC] [NULLS FIRST | NULLS LAST] */
export function orderItem(c: Cursor): OrderItem {
  if (c.isWord('ASC') || c.isWord('DESC')) throw c.unexpected('a column or expression', { hint: `quote a column of this name: "${c.tok.text}"` });
  const expr = c.expr();
  const descending = c.takeWords('DESC');
  if (!descending) c.takeWords('ASC');
  const nulls = c.takeWords('NULLS', 'FIRST') ? 'first' : c.takeWords('NULLS', 'LAST') ? 'last' : null;
  return { expr, descending, nulls };
}

function overClause(c: Cursor): Over {
  const first = c.pos;
  c.needWord('OVER');
  if (!c.isOp('(')) throw c.isName() ? namedWindow(c) : c.unexpected('"(" after OVER');
  const over = c.brackets('(', () => {
    if (c.isName() && !['PARTITION', 'ROWS', 'RANGE', 'GROUPS'].includes(c.tok.word)) throw namedWindow(c);
    const partitioned = c.takeWords('PARTITION');
    if (partitioned) c.needWord('BY');
    const partitionBy = partitioned ? exprs(c) : [];
    const orderBy = c.isWord('ORDER') ? orderByClause(c) : [];
    const frame = ['ROWS', 'RANGE', 'GROUPS'].includes(c.tok.word) ? frameClause(c) : null;
    return { partitionBy, orderBy, frame };
  });
  return { ...over, at: c.since(first) };
}

const namedWindow = (c: Cursor): Error => c.notYet('named windows', c.tok.at, 'write the window in OVER ( )');

function frameClause(c: Cursor): Frame {
  const first = c.pos;
  if (c.isWord('GROUPS')) throw c.notYet('GROUPS frames', c.tok.at, 'write ROWS or RANGE');
  const frameUnit = c.takeWords('ROWS') ? 'rows' : 'range';
  if (frameUnit === 'range') c.needWord('RANGE');
  let to: FrameBound = { k: 'current' };
  const both = c.takeWords('BETWEEN');
  const from = bound(c);
  if (both) {
    c.needWord('AND');
    to = bound(c);
  }
  if (c.isWord('EXCLUDE')) throw c.notYet('EXCLUDE', c.tok.at);
  return { unit: frameUnit, from, to, at: c.since(first) };
}

function bound(c: Cursor): FrameBound {
  if (c.takeWords('CURRENT', 'ROW')) return { k: 'current' };
  if (c.takeWords('UNBOUNDED')) return { k: 'unbounded', direction: direction(c) };
  const value = c.expr(PRECEDENCE.like + 1);
  return { k: 'offset', value, direction: direction(c) };
}

function direction(c: Cursor): 'preceding' | 'following' {
  if (c.takeWords('PRECEDING')) return 'preceding';
  if (!c.takeWords('FOLLOWING')) throw c.unexpected('PRECEDING or FOLLOWING');
  return 'following';
}
