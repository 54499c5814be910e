import { NARROW_DECIMAL, decimal, isApproximate, reprOf, type SqlType, type Value, type Wide } from '../../types.ts';
import { decimalToDouble, parseDecimal, printDecimal } from '../../values/decimal.ts';
import { canonical, fitsBigint, fitsDigits, fromInteger, pow10, rescale, truncateScale } from '../../values/wide.ts';
import type { ScalarFn } from '../define.ts';
import { asDecimal, intRange, widens } from '../numeric-types.ts';
import { cast, doesNotFit } from './make.ts';

/** Between number types: to an integer towards zero, to a DECIMAL half away from zero; what does not fit is a RowError. */
export function numberToNumber(from: SqlType, to: SqlType): ScalarFn {
  if (isApproximate(to)) return toApproximate(from, to);
  if (isApproximate(from)) return to.k === 'decimal' ? doubleToDecimal(from, to) : doubleToInteger(from, to);
  if (to.k === 'decimal') return toDecimal(from, to);
  return exactToInteger(from, to);
}

const identity = (from: SqlType, to: SqlType): ScalarFn => cast(from, to, (x: Value) => x, ([x]) => x as string);

function toApproximate(from: SqlType, to: SqlType): ScalarFn {
  if (to.k === 'double' && reprOf(from) === 'f64' && from.k !== 'decimal') return identity(from, to);
  const read = from.k === 'decimal' ? (v: Wide): number => decimalToDouble(v, from.s) : (v: Wide): number => Number(v);
  if (to.k === 'double') return cast(from, to, read, reprOf(from) === 'f64' ? ([x]) => `(${x} / ${pow10(from.s)})` : undefined);
  return cast(from, to, (v: Wide) => {
    const x = Math.fround(read(v));
    if (!Number.isFinite(x)) throw doesNotFit(v, to);
    return x;
  });
}

const fitsInteger = (to: SqlType): ((v: Wide) => boolean) => {
  if (to.k === 'bigint') return fitsBigint;
  const [min, max] = intRange(to);
  return v => v >= min && v <= max;
};

function doubleToInteger(from: SqlType, to: SqlType): ScalarFn {
  const fits = fitsInteger(to);
  return cast(from, to, (x: number) => {
    if (!Number.isFinite(x)) throw doesNotFit(x, to);
    const v = fromInteger(Math.trunc(x));
    const c = typeof v === 'bigint' ? canonical(v) : v;
    if (!fits(c)) throw doesNotFit(x, to);
    return c;
  });
}

/** By the double's shortest digits, as Java's BigDecimal.valueOf: 0.1 is 0.1. */
function doubleToDecimal(from: SqlType, to: SqlType): ScalarFn {
  return cast(from, to, (x: number) => {
    const v = parseDecimal(String(x), to.p, to.s);
    if (typeof v === 'string') throw doesNotFit(x, to);
    return v;
  });
}

function exactToInteger(from: SqlType, to: SqlType): ScalarFn {
  if (widens(from, to)) return identity(from, to);
  const fits = fitsInteger(to);
  const { s } = from;
  return cast(from, to, (v: Wide) => {
    const whole = s === 0 ? v : truncateScale(v, s, 0);
    if (!fits(whole)) throw doesNotFit(printDecimal(v, s), to);
    return whole;
  });
}

function toDecimal(from: SqlType, to: SqlType): ScalarFn {
  const d = asDecimal(from);
  const up = to.s - d.s;
  if (widens(from, to)) {
    if (up === 0) return identity(from, to);
    if (reprOf(d) === 'f64' && d.p + up <= NARROW_DECIMAL) return cast(from, to, (x: number) => x * pow10(up), ([x]) => `(${x} * ${pow10(up)})`);
    return cast(from, to, (v: Wide) => rescale(v, d.s, to.s));
  }
  return cast(from, to, (v: Wide) => {
    const r = rescale(v, d.s, to.s);
    if (!fitsDigits(r, to.p)) throw doesNotFit(printDecimal(v, d.s), decimal(to.p, to.s));
    return r;
  });
}

