import { RowError } from '../../errors.ts';
import type { At } from '../ast.ts';
import type { BindContext } from './context.ts';
import type { Expr } from '../bound.ts';
import { castFn, commonType, literalAs } from '../functions/operators.ts';
import { isNumeric, isTimestamp, sameType, typeName, type SqlType } from '../types.ts';

/** `e` as a value of `type`; constants are converted now. */
export function coerce(e: Expr, type: SqlType, at: At, context: BindContext): Expr {
  if (sameType(e.type, type)) return e;
  if (e.k === 'lit' && e.value === null) return { k: 'lit', value: null, type };
  const fn = castFn(e.type, type);
  if (typeof fn === 'string') throw context.error('user.sql.type', fn, at);
  if (e.k === 'lit') {
    try {
      return { k: 'lit', value: fn.fn(e.value), type };
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      throw context.error('user.sql.literal', error.message, at);
    }
  }
  return { k: 'call', fn, args: [e], type, at: context.sql.span(at[0], at[1]) };
}

/** The operands of a comparison: a text literal beside a number, a time or a boolean is read as one ('9999' = account). */
export function comparable(left: Expr, right: Expr, at: At, context: BindContext): readonly [Expr, Expr] {
  return [readAs(left, right.type, at, context), readAs(right, left.type, at, context)];
}

function readAs(e: Expr, other: SqlType, at: At, context: BindContext): Expr {
  if (e.k !== 'lit' || typeof e.value !== 'string' || e.type.k !== 'string') return e;
  if (!isNumeric(other) && !isTimestamp(other) && other.k !== 'date' && other.k !== 'time' && other.k !== 'boolean') return e;
  const value = literalAs(e.value, other);
  if (value === null) throw context.error('user.sql.literal', `'${e.value}' is no ${typeName(other)}`, at);
  return { k: 'lit', value, type: other };
}

/** One type for several values (branches of CASE, elements of IN): all are cast to it. */
export function unify(exprs: readonly Expr[], at: At, context: BindContext, what: string): { readonly exprs: readonly Expr[]; readonly type: SqlType } {
  let type = (exprs[0] as Expr).type;
  for (const e of exprs.slice(1)) {
    const common = commonType(type, e.type);
    if (common === null) throw context.error('user.sql.type', `${what} mixes ${typeName(type)} and ${typeName(e.type)}`, at, { hint: 'write CAST(.. AS ..) around one of them' });
    type = common;
  }
  return { exprs: exprs.map(e => coerce(e, type, at, context)), type };
}
