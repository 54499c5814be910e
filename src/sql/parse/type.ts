import type { TypeName } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { reserved } from './words.ts';

const nested: ReadonlySet<string> = new Set(['ARRAY', 'MAP', 'MULTISET', 'ROW', 'STRUCT', 'RAW']);

/** A type under the cursor: DECIMAL(12, 2), TIMESTAMP(3) WITH LOCAL TIME ZONE, ARRAY<INT>. */
export function typeName(c: Cursor): TypeName {
  const first = c.pos;
  if (c.tok.k !== 'word' || (reserved.has(c.tok.word) && c.tok.word !== 'INTERVAL')) throw c.unexpected('a type such as STRING or DECIMAL(12,2)');
  const head = c.tok.word === '' ? c.tok.text : c.tok.word;
  c.pos++;
  if (nested.has(head) && (c.isOp('<') || c.isOp('<>') || c.isOp('('))) return nestedType(c, first, head);
  let name = head;
  if (head === 'DOUBLE') c.takeWords('PRECISION');
  if (head === 'CHARACTER' || head === 'CHAR') name = c.takeWords('VARYING') ? 'VARCHAR' : 'CHAR';
  if (head === 'BINARY' && c.takeWords('VARYING')) name = 'VARBINARY';
  if (head === 'INTERVAL') throw c.notYet('INTERVAL as a type', c.since(first));
  const args = c.isOp('(') ? typeArguments(c) : [];
  if (head === 'TIME' || head === 'TIMESTAMP') name = zoned(c, head);
  if (c.isOp('[') || c.isWord('ARRAY')) throw c.notYet('ARRAY types', c.tok.at, 'such a type is written ARRAY<INT>');
  return { name, args, at: c.since(first) };
}

function typeArguments(c: Cursor): number[] {
  return c.brackets('(', () => c.list(() => {
    const t = c.tok;
    if (t.k !== 'number' || !/^\d{1,9}$/.test(t.text)) throw c.unexpected('a whole number');
    c.pos++;
    return Number(t.text);
  }));
}

function zoned(c: Cursor, head: string): string {
  const first = c.pos;
  if (c.takeWords('WITHOUT', 'TIME', 'ZONE')) return head;
  if (head === 'TIMESTAMP' && c.takeWords('WITH', 'LOCAL', 'TIME', 'ZONE')) return 'TIMESTAMP_LTZ';
  if (c.takeWords('WITH', 'TIME', 'ZONE')) throw c.notYet(`${head} WITH TIME ZONE`, c.since(first), 'an instant is TIMESTAMP_LTZ(3)');
  return head;
}

/** ARRAY<..>, ROW<..>: the text up to the closing bracket is the name. */
function nestedType(c: Cursor, first: number, head: string): TypeName {
  if (c.isOp('(')) c.pos = c.tok.mate + 1;
  else {
    let depth = 0;
    do {
      const t = c.tok;
      if (t.k === 'end') throw c.unexpected('">"');
      if (t.k === 'op' && t.text === '<') depth++;
      if (t.k === 'op' && t.text === '>') depth--;
      c.pos++;
    } while (depth > 0);
  }
  const at = c.since(first);
  return { name: head + c.sql.text.slice(at[0] + head.length, at[1]).replace(/\s+/g, ' '), args: [], at };
}
