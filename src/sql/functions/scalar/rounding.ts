import { RowError } from '../../../errors.ts';
import { DATE, DOUBLE, INT, decimal, isApproximate, isInteger, isTimestamp, reprOf, typeName, type SqlType, type Wide } from '../../types.ts';
import { DAY, dayOf, floorDays, floorDiv, nextDays, unitMonths, unitMs } from '../../values/calendar.ts';
import { fitsBigint, floorScale, fitsDigits, neg, rescale, truncateScale } from '../../values/wide.ts';
import type { ArgInfo, ScalarDef, ScalarFn } from '../define.ts';
import { intRange } from '../numeric-types.ts';
import { finite } from '../operators/arithmetic.ts';
import { strict, whole } from '../overload.ts';
import { numberType } from './math.ts';

/** How digits are dropped from a scaled integer. */
type Drop = (v: Wide, from: number, to: number) => Wide;

/**
 * A double at `digits` fraction digits by its shortest decimal text, as Java's BigDecimal.valueOf: 2.675 at 2 is 2.68.
 * 17 significant digits are all that a double has, so beyond them it stays as it is.
 */
function atDigits(x: number, digits: number, drop: Drop): number {
  const [mantissa, e] = x.toExponential().split('e') as [string, string];
  const point = mantissa.indexOf('.');
  const scale = (point < 0 ? 0 : mantissa.length - mantissa.indexOf('.') - 1) - Number(e);
  if (digits >= scale) return x;
  if (scale - digits > 20) return 0;
  const kept = drop(BigInt(mantissa.replace('.', '')), scale - digits, 0);
  return finite(Number(`${kept}e${-digits}`));
}

function overflowing(v: Wide, t: SqlType): Wide {
  const fits = t.k === 'decimal' ? fitsDigits(v, t.p) : t.k === 'bigint' ? fitsBigint(v) : v >= intRange(t)[0] && v <= intRange(t)[1];
  if (!fits) throw new RowError('user.data.overflow', `the result does not fit ${typeName(t)}`);
  return v;
}

/** ROUND and TRUNCATE. `extra`: rounding may add a digit before the point. */
const dropping = (name: string, drop: Drop, extra: 0 | 1) => (args: readonly ArgInfo[]): ScalarFn | string => {
  const [x, n] = args;
  const t = x === undefined || args.length > 2 ? null : numberType(x);
  if (t === null || (n !== undefined && whole.accept(n.type) === null)) return 'expects (number [, INT])';
  const types = n === undefined ? [t] : [t, INT];
  if (isApproximate(t)) return strict(name, n === undefined ? [DOUBLE] : [DOUBLE, INT], DOUBLE, (v: number, digits = 0) => (Number.isFinite(v) ? atDigits(v, digits, drop) : finite(v)));
  if (isInteger(t)) return strict(name, types, t, (v: Wide, digits = 0) => (digits >= 0 ? v : overflowing(rescale(drop(v, Math.min(-digits, 40), 0), 0, Math.min(-digits, 40)), t)));
  const literal = n === undefined ? 0 : n.literal;
  const returns = typeof literal === 'number' ? droppedType(t, literal, extra) : decimal(Math.min(38, t.p + extra), t.s);
  return strict(name, types, returns, (v: Wide, digits = 0) => {
    if (digits >= t.s) return v;
    const to = Math.max(digits, t.s - 77);
    return overflowing(rescale(drop(v, t.s, to), to, returns.s), returns);
  });
};

/** Flink's findRoundDecimalType. */
function droppedType(t: SqlType, digits: number, extra: 0 | 1): SqlType {
  if (digits >= t.s) return t;
  const s = Math.max(0, digits);
  return decimal(Math.min(38, Math.max(1, extra + t.p - t.s + s)), s);
}

const floored: Drop = (v, from) => floorScale(v, from);
const ceiled: Drop = (v, from) => neg(floorScale(neg(v), from));

/** CEIL and FLOOR of a number: same type, a DECIMAL without fraction digits. */
function wholeNumber(name: string, a: ArgInfo, drop: Drop, ofDouble: (x: number) => number): ScalarFn | string {
  const t = numberType(a);
  if (t === null) return 'expects (number) or (time TO unit)';
  if (isApproximate(t)) return strict(name, [t], t, ofDouble, { js: ([x]) => `Math.${name}(${x})` });
  if (isInteger(t)) return strict(name, [t], t, (x: Wide) => x, { js: ([x]) => x as string });
  const returns = decimal(t.p, 0);
  return strict(name, [t], returns, reprOf(t) === 'f64' ? (v: number) => Number(drop(v, t.s, 0)) : (v: Wide) => drop(v, t.s, 0));
}

/** FLOOR(t TO unit) and CEIL(t TO unit). */
function toUnit(name: string, a: ArgInfo, unit: string, up: boolean): ScalarFn | string {
  const t = a.type;
  const ms = unit === 'WEEK' ? undefined : unitMs[unit];
  if (ms === undefined && unit !== 'WEEK' && unitMonths[unit] === undefined) return `cannot round to ${unit}; units are MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR`;
  const days = (d: number): number => { const start = floorDays(d, unit); return up && start < d ? nextDays(start, unit) : start; };
  if (t.k === 'date') return ms !== undefined && ms < DAY ? strict(name, [t], DATE, (d: number) => d) : strict(name, [t], DATE, days);
  const step = (length: number) => (x: number): number => (up ? 0 - floorDiv(-x, length) * length : floorDiv(x, length) * length) + 0;
  if (t.k === 'time') return ms !== undefined && ms < DAY ? strict(name, [t], t, (x: number) => step(ms)(x) % DAY) : `cannot round TIME to ${unit}`;
  if (!isTimestamp(t)) return 'expects (number) or (time TO unit)';
  if (ms !== undefined) return strict(name, [t], t, step(ms));
  return strict(name, [t], t, (x: number) => {
    const start = floorDays(dayOf(x), unit);
    return (up && start * DAY < x ? nextDays(start, unit) : start) * DAY;
  });
}

const directed = (name: string, drop: Drop, ofDouble: (x: number) => number, up: boolean) => (args: readonly ArgInfo[], unit: string | null): ScalarFn | string => {
  const [a] = args;
  if (a === undefined || args.length > 1) return 'expects (number) or (time TO unit)';
  return unit === null ? wholeNumber(name, a, drop, ofDouble) : toUnit(name, a, unit, up);
};

export const roundingFunctions: readonly ScalarDef[] = [
  {
    name: 'round', summary: 'Rounded half away from zero, to 0 or the given fraction digits.', syntax: 'ROUND(number [, digits])', resolve: dropping('round', rescale, 1),
    examples: [{ sql: 'ROUND(2.5)', result: '3' }, { sql: 'ROUND(-2.5)', result: '-3' }, { sql: 'ROUND(1.255, 2)', result: '1.26' }, { sql: 'ROUND(2.5e0)', result: '3.0' }, { sql: 'ROUND(125, -1)', result: '130' }, { sql: 'ROUND(0.00, 1)', result: '0.0' }],
  },
  {
    name: 'truncate', aliases: ['trunc'], summary: 'Cut towards zero, to 0 or the given fraction digits.', syntax: 'TRUNCATE(number [, digits])', resolve: dropping('truncate', truncateScale, 0),
    examples: [{ sql: 'TRUNCATE(1.259, 2)', result: '1.25' }, { sql: 'TRUNCATE(-1.9)', result: '-1' }, { sql: 'TRUNCATE(129, -1)', result: '120' }],
  },
  {
    name: 'floor', summary: 'The largest whole number that is not larger; or the start of the unit of time (weeks start on Sunday).', syntax: 'FLOOR(number) or FLOOR(time TO unit)', resolve: directed('floor', floored, Math.floor, false),
    examples: [{ sql: 'FLOOR(-2.5)', result: '-3' }, { sql: 'FLOOR(2.5e0)', result: '2.0' }, { sql: "FLOOR(TIMESTAMP '1965-02-03 04:05:06' TO MONTH)", result: '1965-02-01 00:00:00.000' }, { sql: "FLOOR(DATE '2024-01-03' TO WEEK)", result: '2023-12-31' }],
  },
  {
    name: 'ceil', aliases: ['ceiling'], summary: 'The smallest whole number that is not smaller; or the next start of the unit of time.', syntax: 'CEIL(number) or CEIL(time TO unit)', resolve: directed('ceil', ceiled, Math.ceil, true),
    examples: [{ sql: 'CEIL(2.01)', result: '3' }, { sql: 'CEIL(-2.5)', result: '-2' }, { sql: "CEIL(TIMESTAMP '2024-02-03 04:05:06' TO HOUR)", result: '2024-02-03 05:00:00.000' }, { sql: "CEIL(TIMESTAMP '2024-02-01 00:00:00' TO MONTH)", result: '2024-02-01 00:00:00.000' }],
  },
];

