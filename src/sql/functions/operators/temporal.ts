import { RowError } from '../../../errors.ts';
import { BIGINT, DATE, INTERVAL, INTERVAL_MONTH, TIMESTAMP, isInteger, isTimestamp, type SqlType, type Wide } from '../../types.ts';
import { DAY, MAX_TIMESTAMP, MIN_TIMESTAMP, addMonths, addMonthsToDays, floorMod } from '../../values/calendar.ts';
import type { ArgInfo, ScalarFn } from '../define.ts';
import { strict } from '../overload.ts';

/** Epoch ms within years 0001 to 9999. */
export function inRange(ms: number): number {
  if (!(ms >= MIN_TIMESTAMP && ms <= MAX_TIMESTAMP)) throw new RowError('user.data.overflow', 'the result is outside of the years 0001 to 9999');
  return ms;
}
const dayInRange = (days: number): number => inRange(days * DAY) / DAY;

function interval(v: number): number {
  if (!Number.isSafeInteger(v)) throw new RowError('user.data.overflow', 'the result does not fit an INTERVAL');
  return v + 0;
}

const isInterval = (t: SqlType): boolean => t.k === 'interval' || t.k === 'interval_month';

/** + - * / where an operand is a time or an interval; null where there is no such operation. */
export function temporalOperator(op: string, a: ArgInfo, b: ArgInfo): ScalarFn | null {
  const [x, y] = [a.type, b.type];
  if (op === '+' && isInterval(x) && !isInterval(y)) {
    const flipped = shift(1, b, a);
    return flipped === null ? null : { ...flipped, args: [x, y], fn: (m, n) => flipped.fn(n as number, m as number) };
  }
  if (op === '+' || op === '-') {
    if (isInterval(x) && x.k === y.k) return strict(op, [x, x], x, op === '+' ? (m: number, n: number) => interval(m + n) : (m: number, n: number) => interval(m - n));
    if (isInterval(y)) return shift(op === '+' ? 1 : -1, a, b);
    return op === '-' ? difference(x, y) : null;
  }
  if (op === '*' && isInterval(x) && isInteger(y)) return strict(op, [x, BIGINT], x, (m: number, n: Wide) => interval(m * Number(n)));
  if (op === '*' && isInteger(x) && isInterval(y)) return strict(op, [BIGINT, y], y, (m: Wide, n: number) => interval(Number(m) * n));
  if (op === '/' && isInterval(x) && isInteger(y))
    return strict(op, [x, BIGINT], x, (m: number, n: Wide) => {
      if (n === 0) throw new RowError('user.data.division_by_zero', 'division by zero');
      return interval(Math.trunc(m / Number(n)));
    });
  return null;
}

/** A time plus or minus an interval. A DATE stays one for months and for a literal of whole days, else it becomes a TIMESTAMP: no hours are lost. */
function shift(sign: 1 | -1, time: ArgInfo, by: ArgInfo): ScalarFn | null {
  const name = sign === 1 ? '+' : '-';
  const t = time.type;
  const months = by.type.k === 'interval_month';
  if (isTimestamp(t)) return strict(name, [t, by.type], t, months ? (ms: number, n: number) => inRange(addMonths(ms, sign * n)) : (ms: number, n: number) => inRange(ms + sign * n));
  if (t.k === 'time') return months ? null : strict(name, [t, INTERVAL], t, (ms: number, n: number) => floorMod(ms + sign * n, DAY));
  if (t.k !== 'date') return null;
  if (months) return strict(name, [DATE, INTERVAL_MONTH], DATE, (days: number, n: number) => dayInRange(addMonthsToDays(days, sign * n)));
  if (typeof by.literal === 'number' && by.literal % DAY === 0) return strict(name, [DATE, INTERVAL], DATE, (days: number, n: number) => dayInRange(days + (sign * n) / DAY));
  return strict(name, [TIMESTAMP, INTERVAL], TIMESTAMP, (ms: number, n: number) => inRange(ms + sign * n));
}

/** The INTERVAL (ms) between two times; a DATE beside a TIMESTAMP is its midnight. */
function difference(x: SqlType, y: SqlType): ScalarFn | null {
  const minus = (m: number, n: number): number => m - n;
  if (isTimestamp(x) && isTimestamp(y)) return strict('-', [x, y], INTERVAL, minus);
  if (x.k === 'date' && y.k === 'date') return strict('-', [DATE, DATE], INTERVAL, (m: number, n: number) => (m - n) * DAY);
  if (x.k === 'time' && y.k === 'time') return strict('-', [x, y], INTERVAL, minus);
  if ((isTimestamp(x) && y.k === 'date') || (x.k === 'date' && isTimestamp(y))) return strict('-', [TIMESTAMP, TIMESTAMP], INTERVAL, minus);
  return null;
}
