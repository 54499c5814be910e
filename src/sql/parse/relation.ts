import type { At, Expr, Name, Relation, WindowTable } from '../ast.ts';
import type { Cursor } from './cursor.ts';

/** A relation of FROM with its alias. */
export interface Source {
  readonly relation: Relation;
  readonly alias: Name | null;
  readonly columns: readonly Name[];
  readonly at: At;
}

const windowKinds: ReadonlyMap<string, WindowTable['kind']> = new Map([['TUMBLE', 'tumble'], ['HOP', 'hop'], ['CUMULATE', 'cumulate'], ['SESSION', 'session']]);

/** One relation under the cursor, with [AS] alias [(columns)]. */
export function source(c: Cursor): Source {
  const first = c.pos;
  const found = relation(c);
  refuseForeign(c);
  const alias = c.alias();
  const columns = alias !== null && c.isOp('(') ? nameList(c) : [];
  refuseForeign(c);
  return { relation: found, alias, columns, at: c.since(first) };
}

/** (a, b) */
export function nameList(c: Cursor): Name[] {
  return c.brackets('(', () => c.list(() => c.name('a column name')));
}

function relation(c: Cursor): Relation {
  const first = c.pos;
  const lateral = c.takeWords('LATERAL');
  if (c.isOp('(')) return inParentheses(c, first, lateral);
  if (lateral) throw c.notYet('LATERAL', c.since(first));
  if (c.isWord('TABLE') && c.isOp('(', 1)) return tableFunction(c);
  if (c.isWord('UNNEST') && c.isOp('(', 1)) return unnest(c);
  if (windowKinds.has(c.tok.word) && c.isOp('(', 1)) return windowTable(c);
  if (c.isWord('VALUES')) throw c.unexpected('a table', { hint: 'put VALUES in parentheses: (VALUES (1, 2)) AS t (a, b)' });
  if (c.isWord('SELECT') || c.isWord('WITH')) throw c.unexpected('a table', { hint: 'put the query in parentheses: (SELECT ..) AS t' });
  if (c.tok.k === 'text') throw c.unexpected('a table', { hint: 'a name is quoted in "": "..."' });
  return table(c, first);
}

function inParentheses(c: Cursor, first: number, lateral: boolean): Relation {
  if (c.isOp(')', 1)) throw c.syntax('expected a table or a query, found "()"', [c.tok.at[0], c.peek(1).at[1]]);
  if (!c.opensQuery()) throw c.notYet('joins and tables in parentheses', c.tok.at, 'write the join without parentheses, or as (SELECT .. FROM ..)');
  const query = c.brackets('(', () => c.grammar.query(c));
  const at = c.since(first);
  return query.k === 'values' ? { k: 'values', rows: query.rows, at } : { k: 'subquery', query, lateral, at };
}

function table(c: Cursor, first: number): Relation {
  const name = c.name('a table');
  const dashed = c.isOp('-') || c.isOp('.');
  if (dashed) throw nameWithSigns(c, first);
  if (c.isOp('(')) throw c.notYet(`the table function ${name.text}`, c.since(first), 'there are TUMBLE, HOP, CUMULATE, SESSION and UNNEST');
  let asOf: Expr | null = null;
  if (c.takeWords('FOR', 'SYSTEM_TIME')) {
    c.needWord('AS');
    c.needWord('OF');
    asOf = c.expr();
  }
  return { k: 'table', name, asOf, at: c.since(first) };
}

/** FROM account-balances, FROM my.topic: names of topics that must be quoted. */
function nameWithSigns(c: Cursor, first: number): Error {
  while ((c.isOp('-') || c.isOp('.')) && c.peek(1).k === 'word' && c.peek(0).at[1] === c.peek(1).at[0]) c.pos += 2;
  const at = c.since(first);
  const text = c.sql.text.slice(...at);
  const sign = /[-.]/.exec(text)?.[0];
  if (sign === undefined) return c.unexpected();
  return c.syntax(`a name with "${sign}" must be quoted`, at, { hint: `write "${text}"` });
}

function tableFunction(c: Cursor): Relation {
  const first = c.pos;
  c.needWord('TABLE');
  const inner = c.brackets('(', () => {
    if (windowKinds.has(c.tok.word) && c.isOp('(', 1)) return windowTable(c);
    throw c.isOp('(', 1) ? c.notYet(`the table function ${c.tok.text}`, c.tok.at) : c.unexpected('TUMBLE, HOP, CUMULATE or SESSION');
  });
  return { ...inner, at: c.since(first) };
}

function unnest(c: Cursor): Relation {
  const first = c.pos++;
  const args = c.brackets('(', () => c.list(() => c.expr()));
  if (c.isWords('WITH', 'ORDINALITY')) throw c.notYet('WITH ORDINALITY', [c.tok.at[0], c.peek(1).at[1]]);
  return { k: 'unnest', args, at: c.since(first) };
}

/** What has been read of the arguments of a window table function. */
interface Arguments {
  input: Relation | null;
  time: Name | null;
  partitionBy: readonly Name[];
  readonly args: { readonly name: Name | null; readonly expr: Expr }[];
}

function windowTable(c: Cursor): WindowTable {
  const first = c.pos;
  const word = c.tok.word;
  const kind = windowKinds.get(word) as WindowTable['kind'];
  const name = c.anyName();
  const found: Arguments = { input: null, time: null, partitionBy: [], args: [] };
  c.brackets('(', () => { c.list(() => { windowArgument(c, found); }); });
  const example = `${word}(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)`;
  if (found.input === null) throw c.syntax(`${word} needs TABLE and a table`, name.at, { hint: example });
  if (found.time === null) throw c.syntax(`${word} needs DESCRIPTOR and a time column`, name.at, { hint: example });
  return { k: 'window', kind, input: found.input, time: found.time, partitionBy: found.partitionBy, args: found.args, at: c.since(first) };
}

function windowArgument(c: Cursor, found: Arguments): void {
  const named = c.isOp('=>', 1) ? c.anyName() : null;
  if (named !== null) c.pos++;
  if (c.isWord('DESCRIPTOR') && c.isOp('(', 1)) {
    if (found.time !== null) throw c.unexpected('an interval');
    found.time = descriptor(c);
  } else if (found.input === null && (c.isWord('TABLE') || c.isOp('(') || (c.isName() && (c.isOp(',', 1) || c.isWord('PARTITION', 1))))) {
    found.input = inputTable(c);
    found.partitionBy = partition(c);
  } else found.args.push({ name: named, expr: c.expr() });
}

function descriptor(c: Cursor): Name {
  c.needWord('DESCRIPTOR');
  return c.brackets('(', () => {
    const time = c.name('the time column');
    if (c.isOp('.')) throw c.syntax('DESCRIPTOR takes the name of a column alone', [time.at[0], c.peek(1).at[1]]);
    return time;
  });
}

function inputTable(c: Cursor): Relation {
  const first = c.pos;
  c.takeWords('TABLE');
  return c.isOp('(') ? inParentheses(c, c.pos, false) : { k: 'table', name: c.name('a table'), asOf: null, at: c.since(first) };
}

/** PARTITION BY a, b: the list goes on while a name, not the next argument, follows the comma. */
function partition(c: Cursor): Name[] {
  if (!c.takeWords('PARTITION', 'BY')) {
    if (c.isWord('ORDER')) throw c.notYet('ORDER BY in a window table function', c.tok.at);
    return [];
  }
  if (c.isOp('(')) return nameList(c);
  const names = [c.name('a column name')];
  while (c.isOp(',') && c.isName(c.peek(1)) && (c.isOp(',', 2) || c.isOp(')', 2))) {
    c.pos++;
    names.push(c.name('a column name'));
  }
  return names;
}

/** Clauses of other dialects between a table and what follows. */
function refuseForeign(c: Cursor): void {
  switch (c.tok.word) {
    case 'MATCH_RECOGNIZE': throw c.notYet('MATCH_RECOGNIZE', c.tok.at);
    case 'TABLESAMPLE': throw c.notYet('TABLESAMPLE', c.tok.at);
    case 'PIVOT': case 'UNPIVOT': throw c.notYet(c.tok.word, c.tok.at, 'write SUM(x) FILTER (WHERE kind = ..) for each column');
    case 'WINDOW': throw ksqlWindow(c);
    default:
  }
}

/** WINDOW TUMBLING (SIZE 10 SECONDS) of ksqlDB, or a named window. */
export function ksqlWindow(c: Cursor): Error {
  const kind: string | undefined = { TUMBLING: 'TUMBLE', HOPPING: 'HOP', SESSION: 'SESSION' }[c.peek(1).word];
  if (kind === undefined) return c.notYet('named windows', c.tok.at, 'write the window in OVER ( )');
  const sizes = kind === 'HOP' ? "INTERVAL '5' SECOND, INTERVAL '10' SECOND" : "INTERVAL '10' SECOND";
  return c.syntax(`WINDOW ${c.peek(1).word} is ksqlDB's spelling`, [c.tok.at[0], c.peek(1).at[1]], { hint: `write GROUP BY .., ${kind}(ts, ${sizes})` });
}
