import type { At, Expr, Name, OrderItem, Query, With } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { orderItem } from './call.ts';
import { noQuery, refuseClause } from './refusals.ts';
import { nameList, source, type Source } from './relation.ts';

/** What a tag of the skeleton stands for. */
export type Tag =
  | { readonly k: 'item'; readonly expr: Expr; readonly at: At }
  | { readonly k: 'expr'; readonly expr: Expr; readonly at: At }
  | { readonly k: 'name'; readonly name: Name; readonly at: At }
  | { readonly k: 'order'; readonly item: OrderItem; readonly at: At }
  | { readonly k: 'source'; readonly source: Source; readonly join: JoinWords | null; readonly at: At }
  | { readonly k: 'with'; readonly with: readonly With[]; readonly at: At }
  /** VALUES, or a query in parentheses. */
  | { readonly k: 'query'; readonly query: Query; readonly at: At };

export interface JoinWords {
  readonly kind: 'inner' | 'left' | 'right' | 'full' | 'cross';
  /** A JOIN must have ON or USING; a comma must not. */
  readonly comma: boolean;
  readonly at: At;
}

export interface SetWords {
  readonly op: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly at: At;
}

/**
 * One query as node-sql-parser cannot misread it: clause words, commas, and a quoted tag for everything else. Subqueries are
 * in the tags, each parsed from a skeleton of its own; all set operations are written UNION and named in `sets`, in order.
 */
export interface Skeleton {
  readonly text: string;
  readonly tags: readonly Tag[];
  readonly sets: readonly SetWords[];
  /** Where each SELECT stands, without the ORDER BY and LIMIT of the whole; one more than `sets`. */
  readonly operands: readonly At[];
  readonly at: At;
  /** Index of the token that wrote the character at `offset` of the text. */
  tokenAt(offset: number): number;
}

/** A chain makes a tree as deep as it is long, and chains nest: so all of a text together are bounded. */
const MAX_SETS = 500;
/** The time of node-sql-parser grows with the square of the joins. */
const MAX_JOINS = 200;

class Writer {
  readonly tags: Tag[] = [];
  readonly sets: SetWords[] = [];
  readonly operands: At[] = [];
  /** A comma stands in the FROM being written. */
  comma = false;
  /** Tables that the FROM being written joins to its first. */
  joins = 0;
  readonly #parts: string[] = [];
  readonly #starts: number[] = [];
  readonly #tokens: number[] = [];
  #length = 0;

  write(part: string, token: number): void {
    this.#starts.push(this.#length);
    this.#tokens.push(token);
    this.#parts.push(part);
    this.#length += part.length + 1;
  }

  tag(tag: Tag, token: number): void { this.write(`"${this.tags.push(tag) - 1}"`, token); }

  finish(at: At): Skeleton {
    const starts = this.#starts;
    const tokens = this.#tokens;
    const tokenAt = (offset: number): number => tokens[Math.max(0, starts.findLastIndex(s => s <= offset))] as number;
    return { text: this.#parts.join(' '), tags: this.tags, sets: this.sets, operands: this.operands, at, tokenAt };
  }
}

/** The skeleton of the query under the cursor. The walk takes clauses in any order: their grammar is node-sql-parser's part. */
export function rewrite(c: Cursor): Skeleton {
  const first = c.pos;
  const w = new Writer();
  if (c.isWord('WITH')) withList(c, w);
  queryOperand(c, w);
  let start = w.operands.length;
  for (;;) {
    const outer = ['ORDER', 'LIMIT', 'OFFSET', 'FETCH'].includes(c.tok.word);
    if (!clause(c, w)) break;
    const [from] = w.operands.at(-1) as At;
    if (w.operands.length > start) start = w.operands.length;
    else if (!outer) w.operands[start - 1] = [from, c.since(first)[1]];
  }
  return w.finish(c.since(first));
}

function tagged<T extends { readonly at: At }>(c: Cursor, rule: () => Omit<T, 'at'>): [T, number] {
  const first = c.pos;
  const tag = rule();
  return [{ ...tag, at: c.since(first) } as T, first];
}

function withList(c: Cursor, w: Writer): void {
  const first = c.pos++;
  if (c.isWord('RECURSIVE')) throw c.syntax('WITH RECURSIVE cannot run on a stream', c.tok.at, { hint: 'write the levels as separate steps' });
  const list = c.list((): With => {
    const name = c.name('a name after WITH');
    const columns = c.isOp('(') ? nameList(c) : [];
    c.needWord('AS', { hint: 'WITH name AS (SELECT ..)' });
    if (!c.isOp('(') || !c.opensQuery()) throw c.unexpected('a query in parentheses');
    return { name, columns, query: c.brackets('(', () => c.grammar.query(c)) };
  });
  w.write('WITH', first);
  w.tag({ k: 'with', with: list, at: c.since(first) }, first);
  w.write('AS (SELECT 1)', first);
}

/** What set operations stand between. */
function queryOperand(c: Cursor, w: Writer): void {
  const first = c.pos;
  takeOperand(c, w);
  w.operands.push(c.since(first));
}

function takeOperand(c: Cursor, w: Writer): void {
  const first = c.pos;
  if (c.isWord('SELECT')) return select(c, w);
  if (!c.isWord('VALUES') && !(c.isOp('(') && c.opensQuery())) throw noQuery(c);
  w.write('SELECT', first);
  w.tag(...tagged<Tag & { k: 'query' }>(c, () => ({ k: 'query', query: c.isOp('(') ? c.brackets('(', () => c.grammar.query(c)) : values(c) })));
}

function values(c: Cursor): Query {
  const first = c.pos++;
  const rows = c.list(() => c.brackets('(', () => c.list(() => c.expr())));
  return { k: 'values', rows, at: c.since(first) };
}

function select(c: Cursor, w: Writer): void {
  w.write('SELECT', c.pos++);
  if (c.isWord('DISTINCT')) {
    if (c.isWord('ON', 1)) throw c.syntax('DISTINCT ON is not supported', [c.tok.at[0], c.peek(1).at[1]], { hint: 'number the rows with ROW_NUMBER() OVER (PARTITION BY .. ORDER BY ..) AS n in a subquery and keep n = 1' });
    w.write('DISTINCT', c.pos++);
  } else c.takeWords('ALL');
  if (c.isWord('TOP') && c.peek(1).k === 'number') throw c.syntax('unexpected "TOP"', c.tok.at, { hint: 'write LIMIT at the end' });
  separated(c, w, () => item(c, w));
}

/** `rule` as often as commas follow, which are written too. */
function separated(c: Cursor, w: Writer, rule: () => void): void {
  rule();
  while (c.isOp(',')) {
    w.write(',', c.pos++);
    rule();
  }
}

function item(c: Cursor, w: Writer): void {
  const [tag, at] = tagged<Tag & { k: 'item' }>(c, () => ({ k: 'item', expr: star(c) ?? c.expr() }));
  w.tag(tag, at);
  if (tag.expr.k === 'star') return;
  const first = c.pos;
  const alias = c.alias();
  if (alias === null) return;
  w.write('AS', first);
  w.tag({ k: 'name', name: alias, at: alias.at }, c.pos - 1);
}

/** * or t.* */
function star(c: Cursor): Expr | null {
  const first = c.pos;
  const qualified = c.isName() && c.isOp('.', 1) && c.isOp('*', 2);
  if (!qualified && !c.isOp('*')) return null;
  const of = qualified ? c.anyName() : null;
  c.pos += qualified ? 2 : 1;
  if (['EXCEPT', 'REPLACE', 'EXCLUDE', 'RENAME'].includes(c.tok.word) && c.isOp('(', 1) && !c.isWord('SELECT', 2)) throw c.notYet(`* ${c.tok.word}`, c.tok.at, 'name the columns');
  return { k: 'star', of, at: c.since(first) };
}

/** Takes one clause; false at the end of the query. */
function clause(c: Cursor, w: Writer): boolean {
  const first = c.pos;
  switch (c.tok.word) {
    case 'FROM':
      w.comma = false;
      w.joins = 0;
      w.write('FROM', c.pos++);
      table(c, w, null);
      return true;
    case 'JOIN': case 'INNER': case 'LEFT': case 'RIGHT': case 'FULL': case 'CROSS': case 'NATURAL': join(c, w); return true;
    case 'ON': condition(c, w); moreTables(c, w); return true;
    case 'USING': using(c, w); moreTables(c, w); return true;
    case 'WHERE': case 'HAVING': condition(c, w); return true;
    case 'GROUP': groupBy(c, w); return true;
    case 'ORDER':
      c.pos++;
      c.needWord('BY');
      w.write('ORDER BY', first);
      separated(c, w, () => w.tag(...tagged<Tag & { k: 'order' }>(c, () => ({ k: 'order', item: orderItem(c) }))));
      return true;
    case 'LIMIT': case 'OFFSET': case 'FETCH': limit(c, w); return true;
    case 'UNION': case 'INTERSECT': case 'EXCEPT': setOperation(c, w); return true;
    default: refuseClause(c); return false;
  }
}

/** ON, WHERE, HAVING */
function condition(c: Cursor, w: Writer): void {
  w.write(c.tok.word, c.pos++);
  w.tag(...tagged<Tag & { k: 'expr' }>(c, () => ({ k: 'expr', expr: c.expr() })));
}

function using(c: Cursor, w: Writer): void {
  const first = c.pos++;
  w.write('USING (', first);
  nameList(c).forEach((name, i) => {
    if (i > 0) w.write(',', first);
    w.tag({ k: 'name', name, at: name.at }, first);
  });
  w.write(')', first);
}

function table(c: Cursor, w: Writer, join: JoinWords | null): void {
  // a comma binds less tightly than JOIN: t, u RIGHT JOIN v is t x (u RIGHT JOIN v), which the flat list of the tree cannot say
  if (join !== null && w.comma && (join.kind === 'right' || join.kind === 'full')) throw c.notYet(`${join.kind.toUpperCase()} JOIN after a comma`, join.at, 'write CROSS JOIN for the comma');
  w.tag(...tagged<Tag & { k: 'source' }>(c, () => ({ k: 'source', source: source(c), join })));
  moreTables(c, w);
}

/** `, t`: written as a join, since node-sql-parser takes a comma after ON for a list of conditions. */
function moreTables(c: Cursor, w: Writer): void {
  while (c.isOp(',')) {
    const join: JoinWords = { kind: 'cross', comma: true, at: c.tok.at };
    w.comma = true;
    oneMore(c, w, c.tok.at);
    w.write('INNER JOIN', c.pos++);
    w.tag(...tagged<Tag & { k: 'source' }>(c, () => ({ k: 'source', source: source(c), join })));
  }
}

function oneMore(c: Cursor, w: Writer, at: At): void {
  if (++w.joins > MAX_JOINS) throw c.error('user.sql.too_deep', `more than ${MAX_JOINS} joins in one FROM`, at, { hint: 'join some of the tables in a step' });
}

function join(c: Cursor, w: Writer): void {
  const first = c.pos;
  const word = c.tok.word;
  if (word === 'NATURAL') throw c.syntax('NATURAL JOIN is not supported: a new column would change what is joined', c.tok.at, { hint: 'write JOIN .. ON .. or USING (..)' });
  const kind = word === 'JOIN' ? 'inner' : word.toLowerCase() as JoinWords['kind'];
  if (word !== 'JOIN') c.pos++;
  if (kind === 'left' || kind === 'right' || kind === 'full') c.takeWords('OUTER');
  c.needWord('JOIN');
  oneMore(c, w, c.since(first));
  w.write(`${kind === 'cross' ? 'INNER' : kind.toUpperCase()} JOIN`, first);
  table(c, w, { kind, comma: false, at: c.since(first) });
}

function groupBy(c: Cursor, w: Writer): void {
  const first = c.pos++;
  c.needWord('BY');
  w.write('GROUP BY', first);
  separated(c, w, () => {
    const sets = c.isWords('GROUPING', 'SETS') ? 'GROUPING SETS' : c.isOp('(', 1) && (c.isWord('ROLLUP') || c.isWord('CUBE')) ? c.tok.word : null;
    if (sets !== null) throw c.notYet(sets, c.tok.at, 'write one query for each grouping and UNION ALL');
    w.tag(...tagged<Tag & { k: 'expr' }>(c, () => ({ k: 'expr', expr: c.expr() })));
  });
}

/** LIMIT n, OFFSET n ROWS, FETCH FIRST n ROWS ONLY, in either order; node-sql-parser takes a tag there only as a bare number. */
function limit(c: Cursor, w: Writer): void {
  const [counts, start]: [{ LIMIT?: string; OFFSET?: string }, number] = [{}, c.pos];
  while (['LIMIT', 'OFFSET', 'FETCH'].includes(c.tok.word)) {
    const first = c.pos;
    const kind = c.isWord('OFFSET') ? 'OFFSET' : 'LIMIT';
    const fetch = c.isWord('FETCH');
    c.pos++;
    if (counts[kind] !== undefined) throw c.syntax(`${kind} is written twice`, c.since(first));
    if (fetch && !c.takeWords('FIRST')) c.needWord('NEXT');
    if (kind === 'LIMIT' && c.takeWords('ALL')) continue;
    const [tag] = tagged<Tag & { k: 'expr' }>(c, () => ({ k: 'expr', expr: c.expr() }));
    counts[kind] = `${kind} ${w.tags.push(tag) - 1}`;
    if (kind === 'LIMIT' && c.isOp(',')) throw c.unexpected(undefined, { hint: 'write LIMIT count OFFSET start' });
    if (kind === 'OFFSET' && !c.takeWords('ROWS')) c.takeWords('ROW');
    if (fetch && !c.takeWords('ROW')) c.needWord('ROWS', { hint: 'FETCH FIRST n ROWS ONLY' });
    if (fetch) c.needWord('ONLY');
  }
  for (const part of [counts.LIMIT, counts.OFFSET]) if (part !== undefined) w.write(part, start);
}

function setOperation(c: Cursor, w: Writer): void {
  const first = c.pos;
  const op = c.tok.word.toLowerCase() as SetWords['op'];
  w.write('UNION', c.pos++);
  const all = c.takeWords('ALL');
  if (!all) c.takeWords('DISTINCT');
  w.sets.push({ op, all, at: c.since(first) });
  if (++c.sets > MAX_SETS) throw c.error('user.sql.too_deep', `more than ${MAX_SETS} set operations in one text`, c.since(first), { hint: 'put a part of it in a step' });
  queryOperand(c, w);
}
