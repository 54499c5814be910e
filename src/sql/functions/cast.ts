import { isNumeric, sameType, typeName, type SqlType } from '../types.ts';
import type { ScalarFn } from './define.ts';
import { numberToNumber } from './cast/number.ts';
import { fromText } from './cast/from-text.ts';
import { toText } from './cast/to-text.ts';
import { timeToTime } from './cast/time.ts';
import { cast } from './cast/make.ts';

/**
 * The conversion of a value, for CAST and for implicit coercion: exact or a RowError `user.data.cast`, never NULL by silence.
 * The text says why there is none.
 */
export function castFn(from: SqlType, to: SqlType): ScalarFn | string {
  if (sameType(from, to)) return cast(from, to, x => x, ([x]) => x as string);
  if (from.k === 'null') return cast(from, to, () => null);
  const fn =
    to.k === 'string' ? toText(from)
    : from.k === 'string' ? fromText(to)
    : isNumeric(from) && isNumeric(to) ? numberToNumber(from, to)
    : from.k === 'boolean' && isNumeric(to) ? cast(from, to, x => (x === true ? (to.k === 'decimal' ? one(to) : 1) : 0))
    : isNumeric(from) && to.k === 'boolean' ? cast(from, to, x => x !== 0)
    : timeToTime(from, to);
  return fn ?? `cannot cast ${typeName(from)} to ${typeName(to)}${instead(from, to)}`;
}

const one = (t: SqlType): number | bigint => (t.s <= 15 ? 10 ** t.s : 10n ** BigInt(t.s));

const isInstant = (t: SqlType): boolean => t.k === 'timestamp' || t.k === 'timestamp_ltz';

function instead(from: SqlType, to: SqlType): string {
  if (isNumeric(from) && isInstant(to)) return ': a number has no unit of time; write TO_TIMESTAMP_LTZ(x, 0) for seconds, TO_TIMESTAMP_LTZ(x, 3) for milliseconds';
  if (isInstant(from) && isNumeric(to)) return ': write EXTRACT(EPOCH FROM x) for seconds since 1970';
  return '';
}
