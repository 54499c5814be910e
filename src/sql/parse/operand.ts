import type { Expr, Name } from '../ast.ts';
import { call } from './call.ts';
import type { Cursor } from './cursor.ts';
import { interval, literalAt } from './literal.ts';
import { typeName } from './type.ts';
import { bareFunctions, functionWords, reserved } from './words.ts';

const EXPECTED = 'a column or expression';

/** What operators stand between, with the elements taken from it: a[1]. */
export function operand(c: Cursor): Expr {
  const first = c.pos;
  let arg = simple(c);
  const last = c.tokens[c.pos - 1];
  // neither a literal nor CASE nor a row has elements; a row in brackets of its own is read on, and refused with its type
  if ((arg.k === 'row' && arg.at[0] === c.tokens[first]?.at[0]) || (arg.k !== 'ref' && (last?.k !== 'op' || (last.text !== ')' && last.text !== ']')))) return arg;
  while (c.isOp('[')) {
    const index = c.brackets('[', () => c.expr());
    c.taller(1);
    arg = { k: 'index', arg, index, at: c.since(first) };
    refuseField(c);
  }
  return arg;
}

/** A literal, a column, a call, CASE, something in parentheses. */
function simple(c: Cursor): Expr {
  const t = c.tok;
  if (t.k === 'number' || t.k === 'text') return literalAt(c);
  if (t.k === 'op' && t.text === '(') return c.opensQuery() ? subquery(c) : parenthesised(c);
  if (t.k === 'quoted') return named(c);
  if (t.k !== 'word') throw c.unexpected(EXPECTED, t.text === '*' ? { hint: '* stands for all columns only directly in SELECT and in COUNT(*)' } : {});
  return keyword(c) ?? named(c);
}

function keyword(c: Cursor): Expr | undefined {
  const opens = c.isOp('(', 1);
  switch (c.tok.word) {
    case 'TRUE': case 'FALSE': case 'NULL': return literalAt(c);
    case 'DATE': case 'TIME': case 'TIMESTAMP': return c.peek(1).k === 'text' ? literalAt(c) : undefined;
    case 'INTERVAL': return interval(c);
    case 'CASE': return caseWhen(c);
    case 'CAST': case 'TRY_CAST': return cast(c);
    case 'EXISTS': return exists(c);
    case 'ROW': return opens ? row(c) : undefined;
    case 'ARRAY': case 'MAP': return c.isOp('[', 1) ? collection(c) : undefined;
    case 'ANY': case 'SOME': case 'ALL': if (opens) throw c.notYet(c.tok.word, c.tok.at, 'write IN, or a join'); return undefined;
    case 'NEXT': if (c.isWords('NEXT', 'VALUE', 'FOR')) throw c.syntax('there are no sequences', c.tok.at); return undefined;
    default: return undefined;
  }
}

function parenthesised(c: Cursor): Expr {
  const first = c.pos;
  const items = c.brackets('(', () => c.list(() => c.expr()));
  refuseField(c);
  return items.length === 1 ? items[0] as Expr : { k: 'row', items, at: c.since(first) };
}

function refuseField(c: Cursor): void {
  if (c.isOp('.')) throw c.notYet('fields of an expression', c.tok.at);
}

function subquery(c: Cursor): Expr {
  const first = c.pos;
  const query = c.brackets('(', () => c.grammar.query(c));
  return { k: 'subquery', query, at: c.since(first) };
}

function exists(c: Cursor): Expr {
  const first = c.pos++;
  if (!c.isOp('(') || !c.opensQuery()) throw c.unexpected('a query in parentheses after EXISTS');
  const query = c.brackets('(', () => c.grammar.query(c));
  return { k: 'exists', query, at: c.since(first) };
}

function row(c: Cursor): Expr {
  const first = c.pos++;
  const items = c.brackets('(', () => c.list(() => c.expr()));
  return { k: 'row', items, at: c.since(first) };
}

function elements(c: Cursor): Expr[] {
  return c.brackets('[', () => (c.isOp(']') ? [] : c.list(() => c.expr())));
}

/** ARRAY[a, b]; MAP[k, v, ..] arrives as a call of MAP. */
function collection(c: Cursor): Expr {
  const first = c.pos;
  const name = c.anyName();
  const items = elements(c);
  const at = c.since(first);
  if (name.text.toUpperCase() === 'ARRAY') return { k: 'array', items, at };
  return { k: 'call', name, args: items, star: false, distinct: false, unit: null, mode: null, filter: null, orderBy: [], ignoreNulls: false, over: null, returning: null, bare: false, at };
}

function cast(c: Cursor): Expr {
  const first = c.pos;
  const word = c.tok.word;
  c.pos++;
  const [arg, type] = c.brackets('(', () => {
    const value = c.expr();
    c.needWord('AS', { hint: `${word}(value AS type)` });
    return [value, typeName(c)] as const;
  });
  return { k: 'cast', arg, type, try: word === 'TRY_CAST', at: c.since(first) };
}

function caseWhen(c: Cursor): Expr {
  const first = c.pos;
  const opening = c.tok;
  const unfinished = (expected: string): Error => (c.tok.k === 'end' || c.isOp(')')
    ? c.syntax('this CASE is never closed', opening.at, { label: 'opened here', hint: 'CASE WHEN condition THEN value ELSE value END' })
    : c.unexpected(expected));
  return c.deeper((): Expr => {
    c.pos++;
    const subject = c.isWord('WHEN') ? null : c.expr();
    const whens: { when: Expr; then: Expr }[] = [];
    while (c.takeWords('WHEN')) {
      const when = c.expr();
      if (!c.takeWords('THEN')) throw unfinished('THEN');
      whens.push({ when, then: c.expr() });
    }
    if (whens.length === 0) throw unfinished('WHEN');
    const otherwise = c.takeWords('ELSE') ? c.expr() : null;
    if (!c.takeWords('END')) throw unfinished(otherwise === null ? 'WHEN, ELSE or END' : 'END');
    return { k: 'case', operand: subject, whens, else: otherwise, at: c.since(first) };
  });
}

/** A column path or a call. */
function named(c: Cursor): Expr {
  const first = c.pos;
  const t = c.tok;
  const opens = c.isOp('(', 1);
  if (t.k === 'word' && reserved.has(t.word) && !(opens && functionWords.has(t.word)))
    throw c.unexpected(EXPECTED, c.isOp(',', 1) || c.isOp('=', 1) ? { hint: `quote a name that is a word of SQL: "${t.text}"` } : {});
  if (opens || (t.k === 'word' && bareFunctions.has(t.word) && !c.isOp('.', 1))) return call(c);
  const path: Name[] = [c.anyName()];
  while (c.takeOp('.')) {
    if (c.tok.k !== 'word' && c.tok.k !== 'quoted') throw c.unexpected('a column name after the dot', c.isOp('*') ? { hint: 'all columns of a table, t.*, stand only directly in SELECT' } : {});
    path.push(c.anyName());
  }
  if (c.isOp('(')) throw c.syntax('a function has no dot in its name', c.since(first));
  return { k: 'ref', path, at: c.since(first) };
}
