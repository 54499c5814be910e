import { createRequire } from 'node:module';
import type { At, Expr, FromItem, OrderItem, Query, SelectItem, With } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { combine, type Side } from './sets.ts';
import type { Skeleton, Tag } from './rewrite.ts';

/** A node of node-sql-parser: its own types promise too much, so every field is checked. */
type Node = Readonly<Record<string, unknown>>;

interface NodeSqlParser {
  astify(sql: string, options: { readonly database: string }): unknown;
}

let parser: NodeSqlParser | undefined;

/** Loaded with the first query: commands without SQL start without it. */
function nodeSqlParser(): NodeSqlParser {
  if (parser === undefined) {
    const { Parser } = createRequire(import.meta.url)('node-sql-parser/build/postgresql.js') as { Parser: new () => NodeSqlParser };
    parser = new Parser();
  }
  return parser;
}

/** What belongs to a whole query, around its set operations. */
interface Ends {
  readonly with: readonly With[];
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expr | null;
  readonly offset: Expr | null;
}

/** Reads the parser's tree of one skeleton. Fails closed: what is not known here is an error, and every tag must be used exactly once. */
class Reader {
  readonly #c: Cursor;
  readonly #skeleton: Skeleton;
  readonly #used: Uint8Array;

  constructor(c: Cursor, skeleton: Skeleton) {
    this.#c = c;
    this.#skeleton = skeleton;
    this.#used = new Uint8Array(skeleton.tags.length);
  }

  read(tree: unknown): Query {
    const query = this.#query(this.#node(tree));
    const lost = this.#used.indexOf(0);
    if (lost >= 0) throw this.#lost((this.#skeleton.tags[lost] as Tag).at);
    return query;
  }

  #lost(at: At = this.#skeleton.at): Error {
    return this.#c.error('user.sql.unsupported', 'this part of the query was not understood', at, { hint: 'write it in another way, and please report it' });
  }

  #node(x: unknown): Node {
    if (typeof x !== 'object' || x === null || Array.isArray(x)) throw this.#lost();
    return x as Node;
  }

  #list(x: unknown): readonly unknown[] {
    if (!Array.isArray(x)) throw this.#lost();
    return x;
  }

  /** Nothing but these fields may hold anything. */
  #only(node: Node, ...known: readonly string[]): void {
    for (const [key, value] of Object.entries(node)) if (value !== null && value !== undefined && !known.includes(key)) throw this.#lost();
  }

  #tag<K extends Tag['k']>(x: unknown, ...kinds: readonly K[]): Tag & { k: K } {
    const index = typeof x === 'number' ? x : typeof x === 'string' && /^\d+$/.test(x) ? Number(x) : -1;
    const tag = this.#skeleton.tags[index];
    if (tag === undefined) throw this.#lost();
    if (!(kinds as readonly string[]).includes(tag.k) || this.#used[index] === 1) throw this.#lost(tag.at);
    this.#used[index] = 1;
    return tag as Tag & { k: K };
  }

  /** A tag where node-sql-parser reads a column. */
  #column<K extends Tag['k']>(x: unknown, ...kinds: readonly K[]): Tag & { k: K } {
    const node = this.#node(x);
    this.#only(node, 'type', 'column');
    if (node['type'] !== 'column_ref') throw this.#lost();
    const { expr, ...more } = this.#node(node['column']);
    this.#only(more);
    return this.#quoted(expr, ...kinds);
  }

  #quoted<K extends Tag['k']>(x: unknown, ...kinds: readonly K[]): Tag & { k: K } {
    const node = this.#node(x);
    this.#only(node, 'type', 'value');
    if (node['type'] !== 'double_quote_string') throw this.#lost();
    return this.#tag(node['value'], ...kinds);
  }

  #expr(x: unknown): Expr | null { return x === null || x === undefined ? null : this.#column(x, 'expr').expr; }

  #query(tree: Node): Query {
    const nodes = [tree];
    for (let next = tree['_next']; next !== undefined && next !== null; next = (nodes.at(-1) as Node)['_next']) nodes.push(this.#node(next));
    const { sets, operands } = this.#skeleton;
    if (nodes.length !== operands.length || nodes.slice(0, -1).some(n => n['set_op'] !== 'union')) throw this.#lost();
    nodes.forEach((n, i) => { this.#check(n, i > 0); });
    const last = nodes.at(-1) as Node;
    for (const n of nodes) if (n !== last) this.#refuseTail(n);
    const ends: Ends = { with: this.#with(tree['with']), orderBy: this.#orderBy(last['orderby']), ...this.#limit(last['limit']) };
    const sides = nodes.map((n, i): Side => ({ query: this.#operand(n, operands[i] as At), at: operands[i] as At }));
    return this.#finish(combine(sides, sets), ends);
  }

  #check(node: Node, later: boolean): void {
    this.#only(node, 'with', 'type', 'distinct', 'columns', 'into', 'from', 'where', 'groupby', 'having', 'orderby', 'limit', '_next', 'set_op', '_orderby', '_limit');
    if (node['type'] !== 'select' || (later && node['with'] !== null)) throw this.#lost();
    this.#only(this.#node(node['into']));
    const again = node['_orderby'] ?? node['_limit'];
    if (again === null || again === undefined) return;
    const place = node['_orderby'] === undefined || node['_orderby'] === null ? this.#limitTag(node['_limit']) : this.#column(this.#node(this.#list(node['_orderby'])[0])['expr'], 'order');
    throw this.#c.syntax('ORDER BY and LIMIT stand once, at the end, in this order', place?.at ?? this.#skeleton.at);
  }

  #limitTag(x: unknown): Tag | null {
    const first = this.#list(this.#node(x)['value'])[0];
    return first === undefined ? null : this.#tag(this.#node(first)['value'], 'expr');
  }

  /** ORDER BY or LIMIT before UNION. */
  #refuseTail(node: Node): void {
    const place = node['orderby'] !== null ? this.#column(this.#node(this.#list(node['orderby'])[0])['expr'], 'order') : this.#limitTag(node['limit']);
    if (place !== null) throw this.#c.syntax('ORDER BY and LIMIT of one side of a set operation need parentheses', place.at, { hint: '(SELECT .. ORDER BY .. LIMIT ..) UNION ALL ..' });
  }

  #with(x: unknown): readonly With[] {
    if (x === null || x === undefined) return [];
    const [entry, ...more] = this.#list(x);
    if (more.length > 0) throw this.#lost();
    const node = this.#node(entry);
    this.#only(node, 'name', 'stmt');
    return this.#quoted(node['name'], 'with').with;
  }

  #orderBy(x: unknown): readonly OrderItem[] {
    if (x === null) return [];
    return this.#list(x).map(o => {
      const node = this.#node(o);
      this.#only(node, 'expr');
      return this.#column(node['expr'], 'order').item;
    });
  }

  #limit(x: unknown): { limit: Expr | null; offset: Expr | null } {
    const node = this.#node(x);
    this.#only(node, 'seperator', 'value');
    const values = this.#list(node['value']).map(v => this.#tag(this.#node(v)['value'], 'expr').expr);
    const [first = null, second = null] = values;
    if (node['seperator'] === 'offset') return second === null ? { limit: null, offset: first } : { limit: first, offset: second };
    if (second !== null) throw this.#lost();
    return { limit: first, offset: null };
  }

  #operand(node: Node, at: At): Query {
    const { items, inner } = this.#items(node['columns'], at);
    const distinct = this.#distinct(node['distinct']);
    const from = node['from'] === null ? [] : this.#list(node['from']).map((x, i) => this.#from(x, i));
    const where = this.#expr(node['where']);
    const groupBy = this.#groupBy(node['groupby']);
    const having = this.#expr(node['having']);
    const place = (where ?? groupBy[0] ?? having)?.at;
    if (inner !== null) {
      const misplaced = from[0]?.at ?? place;
      if (misplaced !== undefined) throw this.#c.syntax('only ORDER BY, LIMIT and set operations follow a query in parentheses', misplaced, { hint: 'SELECT .. FROM (query) AS q ..' });
      return inner;
    }
    if (from.length === 0 && place !== undefined) throw this.#c.syntax('FROM is missing', place, { label: 'of which table?', hint: 'SELECT .. FROM table WHERE ..' });
    return { k: 'select', with: [], distinct, items, from, where, groupBy, having, orderBy: [], limit: null, offset: null, at };
  }

  /** The items of SELECT, or the query in parentheses that was written as the only one. */
  #items(x: unknown, at: At): { items: SelectItem[]; inner: Query | null } {
    const items: SelectItem[] = [];
    let inner: Query | null = null;
    for (const entry of this.#list(x)) {
      const node = this.#node(entry);
      this.#only(node, 'type', 'expr', 'as');
      if (node['type'] !== 'expr') throw this.#lost(at);
      const tag = this.#column(node['expr'], 'item', 'query');
      const as = node['as'] === null ? null : this.#tag(node['as'], 'name').name;
      if (tag.k === 'item') items.push({ expr: tag.expr, as });
      else inner = tag.query;
    }
    if (inner !== null && items.length > 0) throw this.#lost(at);
    return { items, inner };
  }

  #distinct(x: unknown): boolean {
    const node = this.#node(x);
    this.#only(node, 'type');
    if (node['type'] !== null && node['type'] !== 'DISTINCT') throw this.#lost();
    return node['type'] === 'DISTINCT';
  }

  #groupBy(x: unknown): readonly Expr[] {
    if (x === null) return [];
    const node = this.#node(x);
    this.#only(node, 'columns');
    return this.#list(node['columns']).map(e => this.#column(e, 'expr').expr);
  }

  #from(x: unknown, index: number): FromItem {
    const node = this.#node(x);
    this.#only(node, 'table', 'join', 'on', 'using');
    const { source, join: words, at } = this.#tag(node['table'], 'source');
    if ((index === 0) !== (words === null)) throw this.#lost(at);
    if (words === null) {
      this.#only(node, 'table');
      return { ...source, join: null };
    }
    if (node['join'] !== `${words.kind === 'cross' ? 'INNER' : words.kind.toUpperCase()} JOIN`) throw this.#lost(words.at);
    const on = this.#expr(node['on']);
    const using = node['using'] === undefined || node['using'] === null ? [] : this.#list(node['using']).map(u => this.#quoted(u, 'name').name);
    const conditions = on !== null || using.length > 0;
    if (words.kind !== 'cross' && !conditions) throw this.#c.syntax('JOIN needs ON or USING', words.at, { label: 'joined on what?', hint: 'write JOIN t ON a.id = t.id, or CROSS JOIN' });
    if (words.kind === 'cross' && conditions) throw this.#c.syntax(`${words.comma ? 'a comma' : 'CROSS JOIN'} takes no ON or USING`, words.at, { hint: 'write JOIN .. ON ..' });
    return { ...source, join: { kind: words.kind, on, using, at: words.at } };
  }

  /** Puts WITH, ORDER BY and LIMIT on the whole query. */
  #finish(query: Query, ends: Ends): Query {
    const at = this.#skeleton.at;
    if (ends.with.length === 0 && ends.orderBy.length === 0 && ends.limit === null && ends.offset === null) return query.k === 'select' ? { ...query, at } : query;
    const tail = ends.orderBy.length > 0 || ends.limit !== null || ends.offset !== null;
    if (query.k === 'values') throw this.#c.notYet('WITH, ORDER BY and LIMIT around VALUES', at);
    if (query.with.length > 0 && ends.with.length > 0) throw this.#c.notYet('WITH inside WITH', at);
    if (tail && (query.orderBy.length > 0 || query.limit !== null || (query.k === 'select' && query.offset !== null))) throw this.#c.notYet('ORDER BY or LIMIT around a query that has its own', at, 'write SELECT * FROM (query) AS q ORDER BY ..');
    const both = { with: ends.with.length > 0 ? ends.with : query.with, at };
    if (!tail) return { ...query, ...both };
    if (query.k === 'select') return { ...query, ...both, orderBy: ends.orderBy, limit: ends.limit, offset: ends.offset };
    if (ends.offset !== null) throw this.#c.notYet('OFFSET after a set operation', ends.offset.at);
    return { ...query, ...both, orderBy: ends.orderBy, limit: ends.limit };
  }
}

/** A skeleton as a tree. Throws PipeError user.sql.*; bug.unexpected where node-sql-parser itself fails. */
export function readSkeleton(c: Cursor, skeleton: Skeleton): Query {
  let tree: unknown;
  try {
    tree = nodeSqlParser().astify(skeleton.text, { database: 'postgresql' });
  } catch (error) {
    throw refusal(c, skeleton, error);
  }
  return new Reader(c, skeleton).read(Array.isArray(tree) && tree.length === 1 ? tree[0] : tree);
}

const clauses = ['FROM', 'WHERE', 'GROUP', 'HAVING', 'ORDER', 'LIMIT'];

function refusal(c: Cursor, skeleton: Skeleton, error: unknown): Error {
  const { location } = error as { location?: { start?: { offset?: number } } };
  const offset = location?.start?.offset;
  if (offset === undefined) return c.error('bug.unexpected', `node-sql-parser failed: ${error instanceof Error ? error.message : String(error)}`, skeleton.at);
  const token = c.tokens[skeleton.tokenAt(offset)];
  if (token === undefined) return c.syntax('unexpected end', skeleton.at);
  const hint = clauses.includes(token.word) ? 'the clauses stand once and in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, UNION, ORDER BY, LIMIT'
    : token.word === 'ON' || token.word === 'USING' ? `${token.word} belongs to a JOIN, one for each` : token.word.endsWith('JOIN') || ['INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS'].includes(token.word) ? 'a JOIN stands in FROM, before WHERE' : undefined;
  return c.syntax(`unexpected ${c.show(token)}`, token.at, { hint });
}
