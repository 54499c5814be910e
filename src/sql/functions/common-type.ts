import { STRING, TIMESTAMP, TIMESTAMP_LTZ, isNumeric, isTimestamp, sameType, type SqlType, type Value } from '../types.ts';
import { commonNumber, widens } from './numeric-types.ts';
import { castFn } from './cast.ts';
import { RowError } from '../../errors.ts';

/** The type that two values meet in (CASE, COALESCE, IN, =, UNION), or null: nothing but NULL meets STRING. */
export function commonType(a: SqlType, b: SqlType): SqlType | null {
  if (sameType(a, b) || b.k === 'null') return a;
  if (a.k === 'null') return b;
  if (isNumeric(a) && isNumeric(b)) return commonNumber(a, b);
  if (isTimestamp(a) && isTimestamp(b)) {
    const base = a.k === 'timestamp' && b.k === 'timestamp' ? TIMESTAMP : TIMESTAMP_LTZ;
    return { ...base, p: Math.max(a.p, b.p) };
  }
  if (isTimestamp(a) && b.k === 'date') return a;
  if (a.k === 'date' && isTimestamp(b)) return b;
  return a.k === b.k ? a : null;
}

/** Whether a value may become another type without CAST: numbers that widen, DATE to TIMESTAMP, the two TIMESTAMPs. */
export function implicitlyCastable(from: SqlType, to: SqlType): boolean {
  if (sameType(from, to) || from.k === 'null') return true;
  if (isNumeric(from)) return widens(from, to);
  if (isTimestamp(to)) return from.k === 'date' || (isTimestamp(from) && from.p <= to.p);
  return from.k === to.k && from.k !== 'decimal';
}

/** A text literal as a value of the type it stands beside, or null when it is none: '9999' beside a number must be all of one. */
export function literalAs(text: string, type: SqlType): Value | null {
  if (type.k === 'null' || type.k === 'bytes') return null;
  // '12.7' beside an INT is no INT; CAST would cut it
  const whole = type.k === 'tinyint' || type.k === 'smallint' || type.k === 'int' || type.k === 'bigint';
  if (whole && !/^\s*[+-]?\d+\s*$/.test(text)) return null;
  // digits beyond the scale would be rounded away
  const scale = type.k === 'decimal' ? (/\.(\d*?)0*\s*$/.exec(text)?.[1]?.length ?? 0) : 0;
  if (scale > type.s && type.k === 'decimal') return null;
  const cast = castFn(STRING, type);
  if (typeof cast === 'string') return null;
  try {
    return cast.fn(text);
  } catch (error) {
    if (error instanceof RowError) return null;
    throw error;
  }
}

