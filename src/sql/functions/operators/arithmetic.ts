import { RowError } from '../../../errors.ts';
import { DOUBLE, FLOAT, NARROW_DECIMAL, decimal, isApproximate, isExact, isInteger, reprOf, typeName, type SqlType, type Wide } from '../../types.ts';
import { bigPow10, canonical, divHalfUp, divTrunc, fitsBigint, fitsDigits, add, mul, neg, rem, rescale, sub } from '../../values/wide.ts';
import type { ScalarFn } from '../define.ts';
import { MAX_PRECISION, asDecimal, decimalResult, intRange, widerInteger, type Arithmetic } from '../numeric-types.ts';
import { strict } from '../overload.ts';

const tooLarge = (t: SqlType): RowError => new RowError('user.data.overflow', `the result does not fit ${typeName(t)}`);
const byZero = (): RowError => new RowError('user.data.division_by_zero', 'division by zero');

/** DOUBLE is always finite here: JSON has no Infinity and no NaN. */
export function finite(x: number): number {
  if (!Number.isFinite(x)) throw new RowError('user.data.overflow', Number.isNaN(x) ? 'the result is not a number' : 'the result does not fit DOUBLE');
  return x;
}

/** + - * / % of two numbers, typed by Flink's rules, exact or a row error. */
export function numericOperator(op: Arithmetic, a: SqlType, b: SqlType): ScalarFn {
  if (isApproximate(a) || isApproximate(b)) return approximate(op, a.k === 'float' && b.k === 'float' ? FLOAT : DOUBLE);
  if (isInteger(a) && isInteger(b)) {
    const t = widerInteger(a, b);
    return t.k === 'bigint' ? bigint(op, t) : integer(op, t);
  }
  switch (op) {
    case '+': case '-': return decimalSum(op, asDecimal(a), asDecimal(b));
    case '*': return decimalProduct(a, b);
    case '/': return decimalQuotient(a, b);
    case '%': return decimalRemainder(a, b);
  }
}

function approximate(op: Arithmetic, t: SqlType): ScalarFn {
  const round = t.k === 'float' ? Math.fround : (x: number): number => x;
  const fns: Record<Arithmetic, (a: number, b: number) => number> = {
    '+': (a, b) => finite(round(a + b)),
    '-': (a, b) => finite(round(a - b)),
    '*': (a, b) => finite(round(a * b)),
    '/': (a, b) => { if (b === 0) throw byZero(); return finite(round(a / b)); },
    '%': (a, b) => { if (b === 0) throw byZero(); return finite(round(a % b)); },
  };
  const inline = t.k === 'double' && (op === '+' || op === '-' || op === '*');
  return strict(op, [t, t], t, fns[op], inline ? { js: ([x, y], bind) => `${bind(finite)}(${x} ${op} ${y})` } : {});
}

/** TINYINT, SMALLINT, INT: computed in doubles, which hold every sum, and products far beyond the range that is checked. */
function integer(op: Arithmetic, t: SqlType): ScalarFn {
  const [min, max] = intRange(t);
  const checked = (r: number): number => { if (r < min || r > max) throw tooLarge(t); return r + 0; };
  const fns: Record<Arithmetic, (a: number, b: number) => number> = {
    '+': (a, b) => checked(a + b),
    '-': (a, b) => checked(a - b),
    '*': (a, b) => checked(a * b),
    '/': (a, b) => { if (b === 0) throw byZero(); return checked(Math.trunc(a / b)); },
    '%': (a, b) => { if (b === 0) throw byZero(); return (a % b) + 0; },
  };
  return strict(op, [t, t], t, fns[op]);
}

function bigint(op: Arithmetic, t: SqlType): ScalarFn {
  const checked = (r: Wide): Wide => { if (!fitsBigint(r)) throw tooLarge(t); return r; };
  const fns: Record<Arithmetic, (a: Wide, b: Wide) => Wide> = {
    '+': (a, b) => checked(add(a, b)),
    '-': (a, b) => checked(sub(a, b)),
    '*': (a, b) => checked(mul(a, b)),
    '/': (a, b) => { if (b === 0) throw byZero(); return checked(divTrunc(a, b)); },
    '%': (a, b) => { if (b === 0) throw byZero(); return rem(a, b); },
  };
  return strict(op, [t, t], t, fns[op]);
}

/** `t` with fraction digits up to scale `s`, where that is still a DECIMAL. */
const atScale = (t: SqlType, s: number): SqlType => (t.p - t.s + s <= MAX_PRECISION ? decimal(t.p - t.s + s, s) : t);

function decimalSum(op: '+' | '-', a: SqlType, b: SqlType): ScalarFn {
  const r = decimalResult(op, a, b);
  const s = Math.max(a.s, b.s);
  const args = [atScale(a, s), atScale(b, s)] as const;
  const [x, y] = args;
  const plain = r.s === s && x.s === s && y.s === s;
  // both below 10^15, so the sum is a safe integer, whatever the precision of the result
  if (plain && x.p <= NARROW_DECIMAL && y.p <= NARROW_DECIMAL)
    return strict(op, args, r, op === '+' ? (m: number, n: number) => m + n : (m: number, n: number) => m - n, { js: ([m, n]) => `(${m} ${op} ${n})` });
  const combine = op === '+' ? add : sub;
  const roomy = Math.max(a.p - a.s, b.p - b.s) + s + 1 <= MAX_PRECISION;
  if (plain && roomy) return strict(op, args, r, combine);
  return strict(op, args, r, (m: Wide, n: Wide) => fitted(rescale(combine(rescale(m, x.s, s), rescale(n, y.s, s)), s, r.s), r));
}

function fitted(v: Wide, t: SqlType): Wide {
  if (!fitsDigits(v, t.p)) throw tooLarge(t);
  return v;
}

function decimalProduct(a: SqlType, b: SqlType): ScalarFn {
  const [x, y] = [asDecimal(a), asDecimal(b)];
  const r = decimalResult('*', x, y);
  const s = x.s + y.s;
  if (x.p + y.p <= NARROW_DECIMAL) return strict('*', [a, b], r, (m: number, n: number) => m * n + 0, { js: ([m, n]) => `(${m} * ${n} + 0)` });
  if (x.p + y.p < MAX_PRECISION) return strict('*', [a, b], r, mul);
  return strict('*', [a, b], r, (m: Wide, n: Wide) => fitted(rescale(mul(m, n), s, r.s), r));
}

function decimalQuotient(a: SqlType, b: SqlType): ScalarFn {
  const [x, y] = [asDecimal(a), asDecimal(b)];
  const r = decimalResult('/', x, y);
  const shift = r.s + y.s - x.s;
  const up = bigPow10(Math.max(0, shift));
  const down = bigPow10(Math.max(0, -shift));
  return strict('/', [a, b], r, (m: Wide, n: Wide) => {
    if (n === 0) throw byZero();
    const top = BigInt(m) * up;
    const bottom = BigInt(n) * down;
    return fitted(canonical(bottom < 0n ? divHalfUp(-top, -bottom) : divHalfUp(top, bottom)), r);
  });
}

function decimalRemainder(a: SqlType, b: SqlType): ScalarFn {
  const [x, y] = [asDecimal(a), asDecimal(b)];
  const r = decimalResult('%', x, y);
  const s = Math.max(x.s, y.s);
  return strict('%', [a, b], r, (m: Wide, n: Wide) => {
    if (n === 0) throw byZero();
    return fitted(rescale(rem(rescale(m, x.s, s), rescale(n, y.s, s)), s, r.s), r);
  });
}

/** -x, of the same type. */
export function negation(t: SqlType): ScalarFn | null {
  if (isApproximate(t)) return strict('neg', [t], t, (x: number) => -x, { js: ([x]) => `(-${x})` });
  if (t.k === 'interval' || t.k === 'interval_month' || (t.k === 'decimal' && reprOf(t) === 'f64')) return strict('neg', [t], t, (x: number) => 0 - x, { js: ([x]) => `(0 - ${x})` });
  if (t.k === 'decimal') return strict('neg', [t], t, neg);
  if (!isExact(t)) return null;
  const fits = t.k === 'bigint' ? fitsBigint : (v: Wide): boolean => v <= intRange(t)[1];
  return strict('neg', [t], t, (x: Wide) => { const r = neg(x); if (!fits(r)) throw tooLarge(t); return r; });
}
