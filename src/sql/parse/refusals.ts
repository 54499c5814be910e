import type { At } from '../ast.ts';
import type { Cursor } from './cursor.ts';
import { ksqlWindow } from './relation.ts';

const created = (c: Cursor): string => ['VIEW', 'TABLE', 'STREAM'].includes(c.peek(1).word) ? `CREATE ${c.peek(1).word}` : 'CREATE';

/** For a text that does not start as a query: what it is, and where that belongs. */
export function noQuery(c: Cursor): Error {
  const at: At = [c.tok.at[0], Math.max(c.tok.at[1], c.peek(1).at[1])];
  switch (c.tok.word) {
    case 'CREATE': return c.syntax(`${created(c)} is not written here`, at, { hint: c.isWord('VIEW', 1) ? 'a view is a step: put its SELECT under steps:' : 'declare sources and sinks in the YAML file' });
    case 'WATERMARK': return c.syntax('a watermark is not part of the SQL', c.tok.at, { hint: 'write event_time: {from: .., delay: 5s} in the source' });
    case 'INSERT': return c.syntax('INSERT INTO is not written here', at, { hint: 'put the SELECT alone under the sink' });
    case 'UPDATE': case 'DELETE': case 'MERGE': case 'DROP': case 'ALTER': case 'SET': case 'USE': case 'EXPLAIN': case 'SHOW': case 'DESCRIBE':
      return c.syntax(`${c.tok.word} is no query`, c.tok.at, { hint: 'each step and sink holds one SELECT' });
    case 'TABLE': return c.notYet('TABLE as a query', c.tok.at, 'write SELECT * FROM ..');
    case 'FROM': return c.unexpected('SELECT', { hint: 'a query starts with SELECT' });
    default: return c.unexpected('SELECT');
  }
}

/** Clauses of other dialects where a query could end. */
export function refuseClause(c: Cursor): void {
  switch (c.tok.word) {
    case 'EMIT': throw c.syntax('EMIT is not part of the SQL', [c.tok.at[0], Math.max(c.tok.at[1], c.peek(1).at[1])], { hint: 'set emit: changes (or emit: final) beside sql: in the sink' });
    case 'WINDOW': throw ksqlWindow(c);
    case 'FOR': throw c.syntax('unexpected "FOR"', c.tok.at, { hint: 'a stream is not locked; a versioned table is t FOR SYSTEM_TIME AS OF ts' });
    case 'INTO': throw c.syntax('unexpected "INTO"', c.tok.at, { hint: 'the sink that holds the SQL receives the rows' });
    default:
  }
}
