import { PipeError, type SqlText } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import type { TypeName } from '../ast.ts';
import { MAX_PRECISION } from '../functions/numeric-types.ts';
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, FLOAT, INT, SMALLINT, STRING, TIME, TIMESTAMP, TIMESTAMP_LTZ, TINYINT, decimal, type SqlType } from '../types.ts';

const plain: Readonly<Record<string, SqlType>> = {
  BOOLEAN, BOOL: BOOLEAN, TINYINT, INT1: TINYINT, SMALLINT, INT2: SMALLINT, INT, INTEGER: INT, INT4: INT, BIGINT, INT8: BIGINT, FLOAT, REAL: FLOAT, FLOAT4: FLOAT,
  DOUBLE, FLOAT8: DOUBLE, STRING, TEXT: STRING, BYTES, BYTEA: BYTES, DATE,
};
/** VARCHAR and VARBINARY are STRING and BYTES, as is their greatest length. */
const UNLIMITED = 2147483647;
const lengthy: Readonly<Record<string, SqlType>> = { VARCHAR: STRING, CHAR: STRING, VARBINARY: BYTES, BINARY: BYTES };
const temporal: Readonly<Record<string, SqlType>> = { TIME, TIMESTAMP, TIMESTAMP_LTZ };
const numeric: ReadonlySet<string> = new Set(['DECIMAL', 'DEC', 'NUMERIC']);
const later = /^(ARRAY|MAP|MULTISET|ROW|STRUCT|RAW|INTERVAL|JSON|VARIANT|UUID)\b/;

/** The type that a written name stands for. Throws user.sql.type at its place, or `not supported yet`. */
export function resolveType(t: TypeName, sql: SqlText): SqlType {
  const fail = (message: string, hint?: string): PipeError => new PipeError('user.sql.type', message, { span: sql.span(...t.at), hint });
  const simple = plain[t.name];
  if (simple !== undefined) {
    if (t.args.length > 0) throw fail(`${t.name} takes no length`);
    return simple;
  }
  const long = lengthy[t.name];
  if (long !== undefined) {
    if (t.args.length > 1 || t.args[0] === 0) throw fail(`${t.name} takes one length of at least 1`);
    // a length would have to cut or pad; CHAR alone is CHAR(1)
    if (t.name === 'CHAR' || t.name === 'BINARY' || (t.args[0] ?? UNLIMITED) !== UNLIMITED) {
      throw new PipeError('user.sql.unsupported', `not supported yet: ${t.name}${t.args.length === 0 ? '' : `(${t.args[0]})`}, a type of limited length`, { span: sql.span(...t.at), hint: `write ${long === BYTES ? 'BYTES' : 'STRING'}` });
    }
    return long;
  }
  if (numeric.has(t.name)) {
    const [p = 10, s = 0] = t.args;
    if (t.args.length > 2 || p < 1 || p > MAX_PRECISION || s > p) throw fail(`DECIMAL(p,s) needs 1 <= p <= ${MAX_PRECISION} and 0 <= s <= p`, 'for example DECIMAL(12,2)');
    return decimal(p, s);
  }
  const time = temporal[t.name];
  if (time !== undefined) {
    const [p = time.p] = t.args;
    if (t.args.length > 1 || p > 9) throw fail(`${t.name} takes one precision of 0 to 9`);
    if (p > 3) throw new PipeError('user.sql.unsupported', `not supported yet: ${t.name}(${p}), times finer than a millisecond`, { span: sql.span(...t.at), hint: `write ${t.name}(3)` });
    return { ...time, p };
  }
  if (later.test(t.name)) throw new PipeError('user.sql.unsupported', `not supported yet: the type ${t.name}`, { span: sql.span(...t.at) });
  const known = [...Object.keys(plain), ...Object.keys(lengthy), ...Object.keys(temporal), 'DECIMAL'];
  throw fail(`there is no type ${t.name}`, didYouMean(t.name, known) ?? 'types are STRING, BOOLEAN, INT, BIGINT, DECIMAL(p,s), DOUBLE, TIMESTAMP(3), DATE, TIME and BYTES');
}
