import type { SqlText } from '../../errors.ts';
import type { Expr, Query } from '../ast.ts';
import { lex } from './lex.ts';
import { Cursor } from './cursor.ts';
import { parseExpr } from './expr.ts';
import { readSkeleton } from './skeleton.ts';
import { rewrite } from './rewrite.ts';

const query = (c: Cursor): Query => readSkeleton(c, rewrite(c));

/**
 * The tree of one query. node-sql-parser parses the clauses of each SELECT from a text that it cannot misread (rewrite.ts);
 * expressions are parsed here, with PostgreSQL's precedence. Time is linear in the length of the SQL.
 * Throws PipeError user.sql.syntax, .literal, .too_deep, .unsupported.
 */
export function parseQuery(sql: SqlText): Query {
  const c = new Cursor(sql, lex(sql), { expr: parseExpr, query });
  if (c.atEnd) throw c.unexpected();
  const tree = query(c);
  const end = c.tok.at;
  while (c.takeOp(';'));
  if (c.atEnd) return tree;
  if (c.tokens[c.pos - 1]?.text === ';') throw c.syntax('several statements in one text', [end[0], c.tok.at[1]], { hint: 'each step and sink holds one SELECT' });
  throw c.unexpected();
}

/** The tree of one condition, as it stands after WHERE. Throws as parseQuery. */
export function parseCondition(sql: SqlText): Expr {
  const c = new Cursor(sql, lex(sql), { expr: parseExpr, query });
  if (c.atEnd) throw c.unexpected();
  const tree = c.expr();
  if (!c.atEnd) throw c.unexpected();
  return tree;
}
