import { isApproximate, isExact, isInteger, isNumeric, type SqlType, BIGINT, DOUBLE, FLOAT, INT, SMALLINT, TINYINT, decimal } from '../types.ts';

/** Widest DECIMAL. */
export const MAX_PRECISION = 38;
/** Fraction digits that a result keeps when its precision is capped, as in Flink's LogicalTypeMerging. */
const MIN_SCALE = 6;

const integers: readonly SqlType[] = [TINYINT, SMALLINT, INT, BIGINT];
const digits: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, int: 10, bigint: 19 };

/** An exact number as DECIMAL: INT is DECIMAL(10,0), BIGINT is DECIMAL(19,0). */
export const asDecimal = (t: SqlType): SqlType => (t.k === 'decimal' ? t : decimal(digits[t.k] as number, 0));

/** Least and greatest value of TINYINT, SMALLINT and INT. */
export const intRange = (t: SqlType): readonly [min: number, max: number] =>
  t.k === 'tinyint' ? [-128, 127] : t.k === 'smallint' ? [-32768, 32767] : [-2147483648, 2147483647];

/** DECIMAL(p,s) with p <= 38: too wide a result gives up fraction digits, but keeps 6 of them. */
function capped(p: number, s: number): SqlType {
  if (p <= MAX_PRECISION) return decimal(p, s);
  return decimal(MAX_PRECISION, Math.max(MAX_PRECISION - (p - s), Math.min(s, MIN_SCALE)));
}

export type Arithmetic = '+' | '-' | '*' | '/' | '%';

/** Flink's type of a DECIMAL operation. */
export function decimalResult(op: Arithmetic, a: SqlType, b: SqlType): SqlType {
  switch (op) {
    case '+': case '-': {
      const s = Math.max(a.s, b.s);
      return capped(Math.max(a.p - a.s, b.p - b.s) + s + 1, s);
    }
    case '*': return capped(a.p + b.p + 1, a.s + b.s);
    case '/': {
      const s = Math.max(6, a.s + b.p + 1);
      return capped(a.p - a.s + b.s + s, s);
    }
    case '%': {
      const s = Math.max(a.s, b.s);
      return capped(Math.max(1, Math.min(a.p - a.s, b.p - b.s) + s), s);
    }
  }
}

/** The larger of two integer types. */
export const widerInteger = (a: SqlType, b: SqlType): SqlType => integers[Math.max(integers.findIndex(t => t.k === a.k), integers.findIndex(t => t.k === b.k))] as SqlType;

/** The type that holds two numbers: the larger integer; a DECIMAL with the digits of both sides of the point; FLOAT only for FLOATs, else DOUBLE. */
export function commonNumber(a: SqlType, b: SqlType): SqlType {
  if (isApproximate(a) || isApproximate(b)) return a.k === 'float' && b.k === 'float' ? FLOAT : DOUBLE;
  if (isInteger(a) && isInteger(b)) return widerInteger(a, b);
  const exact = exactCommon(asDecimal(a), asDecimal(b));
  // past 38 digits the whole part gives way: a value that needs it fails its cast
  return exact.p <= MAX_PRECISION ? exact : decimal(MAX_PRECISION, exact.s);
}

/** The DECIMAL that holds all values of two, maybe beyond 38 digits. */
export function exactCommon(a: SqlType, b: SqlType): SqlType {
  const s = Math.max(a.s, b.s);
  return decimal(Math.max(a.p - a.s, b.p - b.s) + s, s);
}

/** Whether every value of the number type `from` is one of `to`, or its nearest DOUBLE. */
export function widens(from: SqlType, to: SqlType): boolean {
  if (!isNumeric(from) || !isNumeric(to)) return false;
  if (to.k === 'double') return true;
  if (to.k === 'float') return from.k === 'float' || from.k === 'tinyint' || from.k === 'smallint';
  if (!isExact(from)) return false;
  const d = asDecimal(from);
  if (to.k === 'decimal') return to.s >= d.s && to.p - to.s >= d.p - d.s;
  return isInteger(from) && widerInteger(from, to).k === to.k;
}
