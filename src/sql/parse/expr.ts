import type { At, BinaryOp, Expr } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { operand } from './operand.ts';
import { typeName } from './type.ts';
import { PRECEDENCE } from './words.ts';

const P = PRECEDENCE;

/** AND, OR and || are associative: chains longer than this become balanced trees, of the same leaves in the same order. */
const MAX_LEFT_DEEP = 100;

type Infix =
  | { readonly k: 'chain'; readonly op: 'or' | 'and' | '||'; readonly prec: number }
  | { readonly k: 'binary'; readonly op: BinaryOp; readonly prec: number }
  | { readonly k: 'is' | 'in' | 'like' | 'between' | 'cast'; readonly prec: number };

const comparison = (op: BinaryOp): Infix => ({ k: 'binary', op, prec: P.comparison });
const operators: ReadonlyMap<string, Infix> = new Map([
  ['OR', { k: 'chain', op: 'or', prec: P.or }], ['AND', { k: 'chain', op: 'and', prec: P.and }], ['||', { k: 'chain', op: '||', prec: P.other }],
  ['=', comparison('=')], ['<>', comparison('<>')], ['!=', comparison('<>')], ['<', comparison('<')], ['<=', comparison('<=')], ['>', comparison('>')], ['>=', comparison('>=')],
  ['->', { k: 'binary', op: '->', prec: P.other }], ['->>', { k: 'binary', op: '->>', prec: P.other }],
  ['+', { k: 'binary', op: '+', prec: P.sum }], ['-', { k: 'binary', op: '-', prec: P.sum }],
  ['*', { k: 'binary', op: '*', prec: P.product }], ['/', { k: 'binary', op: '/', prec: P.product }], ['%', { k: 'binary', op: '%', prec: P.product }],
  ['IS', { k: 'is', prec: P.is }], ['IN', { k: 'in', prec: P.like }], ['BETWEEN', { k: 'between', prec: P.like }],
  ['LIKE', { k: 'like', prec: P.like }], ['SIMILAR', { k: 'like', prec: P.like }],
  ['::', { k: 'cast', prec: P.postfix }],
] satisfies (readonly [string, Infix])[]);

function infix(c: Cursor): Infix | undefined {
  const t = c.isWord('NOT') ? c.peek(1) : c.tok;
  const found = t.k === 'op' ? operators.get(t.text) : t.k === 'word' ? operators.get(t.word) : undefined;
  return t === c.tok || found?.prec === P.like ? found : undefined;
}

/** A left operand with its extent, which parentheses make larger than the node's own. */
interface Left {
  readonly first: number;
  readonly expr: Expr;
  /** An operator of this precedence may not follow: `a = b = c`. */
  readonly closedTo: number;
}

/** An expression of operators that bind at least as tightly as `min`. Precedence climbing: recursion follows nesting, not length. */
export function parseExpr(c: Cursor, min = 0): Expr {
  const outside = c.height;
  c.height = 0;
  let left: Left = { first: c.pos, expr: prefix(c), closedTo: -1 };
  for (let op = infix(c); op !== undefined && op.prec >= min; op = infix(c)) {
    if (op.prec === left.closedTo) throw chained(c, op.prec);
    left = apply(c, left, op);
    c.taller(1);
  }
  c.height = Math.max(outside, c.height);
  return left.expr;
}

function chained(c: Cursor, prec: number): Error {
  if (prec === P.comparison) return c.syntax('comparisons cannot be chained', c.tok.at, { hint: 'write a < b AND b < c, or use parentheses' });
  return c.syntax(`unexpected ${c.show(c.tok)}: these operators cannot be chained`, c.tok.at, { hint: 'use parentheses' });
}

function prefix(c: Cursor): Expr {
  const first = c.pos;
  const t = c.tok;
  const not = t.word === 'NOT';
  if (!not && !(t.k === 'op' && (t.text === '-' || t.text === '+'))) return operand(c);
  const arg = c.deeper(() => {
    c.pos++;
    return parseExpr(c, not ? P.not : P.sign);
  });
  return { k: 'unary', op: not ? 'not' : t.text === '-' ? '-' : '+', arg, at: c.since(first) };
}

function apply(c: Cursor, left: Left, op: Infix): Left {
  const open = (expr: Expr): Left => ({ first: left.first, expr, closedTo: op.prec });
  const closed = (expr: Expr): Left => ({ first: left.first, expr, closedTo: -1 });
  switch (op.k) {
    case 'chain': return closed(chain(c, left, op.op, op.prec));
    case 'binary': return op.prec === P.comparison ? open(binary(c, left, op.op, op.prec)) : closed(binary(c, left, op.op, op.prec));
    case 'is': return is(c, left, open, closed);
    case 'in': return closed(inList(c, left));
    case 'like': return open(like(c, left));
    case 'between': return open(between(c, left));
    case 'cast': {
      c.pos++;
      const type = typeName(c);
      return closed({ k: 'cast', arg: left.expr, type, try: false, at: c.since(left.first) });
    }
  }
}

function binary(c: Cursor, left: Left, op: BinaryOp, prec: number): Expr {
  const opAt = c.tok.at;
  c.pos++;
  if (prec === P.comparison && c.isOp('(', 1) && ['ANY', 'SOME', 'ALL'].includes(c.tok.word)) throw c.notYet(c.tok.word, c.tok.at, 'write IN, or a join');
  const right = parseExpr(c, prec + 1);
  return { k: 'binary', op, left: left.expr, right, opAt, at: c.since(left.first) };
}

interface Link {
  readonly expr: Expr;
  readonly start: number;
  readonly end: number;
  /** The operator before it. */
  readonly opAt: At;
}

function chain(c: Cursor, left: Left, op: 'or' | 'and' | '||', prec: number): Expr {
  const opening = c.since(left.first);
  const links: Link[] = [{ expr: left.expr, start: opening[0], end: opening[1], opAt: opening }];
  while (op === '||' ? c.isOp(op) : c.isWord(op.toUpperCase())) {
    const opAt = c.tok.at;
    const first = ++c.pos;
    const expr = parseExpr(c, prec + 1);
    const [start, end] = c.since(first);
    links.push({ expr, start, end, opAt });
  }
  // a link counts as an operator; the first one is counted by the caller
  c.taller(Math.min(links.length, MAX_LEFT_DEEP + Math.ceil(Math.log2(links.length))) - 1);
  return join(op, links, 0, links.length);
}

function join(op: 'or' | 'and' | '||', links: readonly Link[], from: number, to: number): Expr {
  const first = links[from] as Link;
  const pair = (left: Expr, right: Expr, link: Link, end: number): Expr => ({ k: 'binary', op, left, right, opAt: link.opAt, at: [first.start, end] });
  if (to - from > MAX_LEFT_DEEP) {
    const middle = (from + to) >> 1;
    return pair(join(op, links, from, middle), join(op, links, middle, to), links[middle] as Link, (links[to - 1] as Link).end);
  }
  let tree = first.expr;
  for (const link of links.slice(from + 1, to)) tree = pair(tree, link.expr, link, link.end);
  return tree;
}

function is(c: Cursor, left: Left, open: (e: Expr) => Left, closed: (e: Expr) => Left): Left {
  c.needWord('IS');
  const not = c.takeWords('NOT');
  if (c.takeWords('DISTINCT')) {
    c.needWord('FROM');
    const right = parseExpr(c, P.is + 1);
    return open({ k: 'distinct', not, left: left.expr, right, at: c.since(left.first) });
  }
  for (const what of ['null', 'true', 'false', 'unknown', 'json'] as const)
    if (c.takeWords(what.toUpperCase())) {
      if (what === 'json' && !c.takeWords('VALUE') && ['OBJECT', 'ARRAY', 'SCALAR'].includes(c.tok.word)) throw c.notYet(`IS JSON ${c.tok.word}`, c.tok.at);
      return closed({ k: 'is', what, not, arg: left.expr, at: c.since(left.first) });
    }
  throw c.unexpected(`NULL, TRUE, FALSE, UNKNOWN, JSON${not ? '' : ', NOT'} or DISTINCT FROM after IS`);
}

function inList(c: Cursor, left: Left): Expr {
  const not = c.takeWords('NOT');
  c.needWord('IN');
  if (!c.isOp('(')) throw c.unexpected('a list in parentheses after IN', { hint: "such as IN ('a', 'b')" });
  if (c.isOp(')', 1)) throw c.syntax('the list of IN is empty', [c.tok.at[0], c.peek(1).at[1]]);
  const list = c.opensQuery() ? c.brackets('(', () => c.grammar.query(c)) : c.brackets('(', () => c.list(() => c.expr()));
  return { k: 'in', not, arg: left.expr, list, at: c.since(left.first) };
}

function like(c: Cursor, left: Left): Expr {
  const not = c.takeWords('NOT');
  const op = c.takeWords('LIKE') ? 'like' : 'similar';
  if (op === 'similar') {
    c.needWord('SIMILAR');
    c.needWord('TO');
  }
  const pattern = parseExpr(c, P.like + 1);
  const escape = c.takeWords('ESCAPE') ? parseExpr(c, P.like + 1) : null;
  return { k: 'like', op, not, arg: left.expr, pattern, escape, at: c.since(left.first) };
}

function between(c: Cursor, left: Left): Expr {
  const not = c.takeWords('NOT');
  const at = c.tok.at;
  c.needWord('BETWEEN');
  if (c.isWord('SYMMETRIC')) throw c.notYet('BETWEEN SYMMETRIC', [at[0], c.tok.at[1]], 'write LEAST(a, b) and GREATEST(a, b) as the bounds');
  c.takeWords('ASYMMETRIC');
  const low = parseExpr(c, P.like + 1);
  if (!c.takeWords('AND')) throw c.unexpected('AND between the two bounds', { hint: 'BETWEEN low AND high; put a bound that is a condition in parentheses' });
  const high = parseExpr(c, P.like + 1);
  return { k: 'between', not, arg: left.expr, low, high, at: c.since(left.first) };
}
