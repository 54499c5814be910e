import type { SqlText } from '../../errors.ts';
import type { At, Name, TypeName } from '../ast.ts';
import { lex } from './lex.ts';
import { Cursor } from './cursor.ts';
import { typeName } from './type.ts';

export interface SchemaColumn {
  readonly name: Name;
  readonly type: TypeName;
  readonly notNull: boolean;
  readonly at: At;
}

const neither = (c: Cursor): never => { throw c.unexpected('a type'); };
const cursor = (sql: SqlText): Cursor => new Cursor(sql, lex(sql), { expr: neither, query: neither });

/** A column list as in CREATE TABLE, without the brackets: `account BIGINT, amount DECIMAL(12,2) NOT NULL, "order" STRING`. Throws PipeError user.sql.*. */
export function parseSchema(sql: SqlText): readonly SchemaColumn[] {
  const c = cursor(sql);
  if (c.atEnd) throw c.syntax('the schema has no columns', [0, 0], { hint: 'such as: account BIGINT, amount DECIMAL(12,2)' });
  const columns = c.list(() => column(c));
  if (!c.atEnd) throw c.unexpected('"," or the end');
  return columns;
}

function column(c: Cursor): SchemaColumn {
  const first = c.pos;
  refuseConstraint(c);
  if (c.tok.k !== 'word' && c.tok.k !== 'quoted') throw c.unexpected('a column name');
  const name = c.anyName();
  if (c.isWord('AS')) throw c.syntax('a column of a source cannot be computed', c.tok.at, { hint: 'compute it in a step' });
  if (c.atEnd || c.isOp(',')) throw c.syntax(`column "${name.text}" has no type`, name.at, { hint: `such as ${name.text} STRING` });
  const type = typeName(c);
  const notNull = c.takeWords('NOT', 'NULL');
  if (!notNull) c.takeWords('NULL');
  if (!c.atEnd && !c.isOp(',')) throw extra(c);
  return { name, type, notNull, at: c.since(first) };
}

function refuseConstraint(c: Cursor): void {
  const at = c.tok.at;
  if (c.isWords('WATERMARK', 'FOR')) throw c.syntax('a watermark is not part of the schema', at, { hint: 'write event_time: {from: .., delay: 5s} beside it' });
  if (c.isWords('PRIMARY', 'KEY')) throw c.syntax('a primary key is not part of the schema', at, { hint: 'write key: beside it' });
  if (c.isOp('(')) throw c.unexpected('a column name', { hint: 'the list is written without brackets around it' });
}

function extra(c: Cursor): Error {
  const dropped = ['COMMENT', 'DEFAULT', 'METADATA', 'PRIMARY', 'UNIQUE', 'REFERENCES', 'CHECK'].includes(c.tok.word);
  return c.unexpected('"," or the end', dropped ? { hint: 'a column has a name, a type and NOT NULL, nothing more' } : {});
}
