import { RowError } from '../../../errors.ts';
import { BIGINT, INTERVAL, INTERVAL_MONTH, TIMESTAMP, TIMESTAMP_LTZ, isInteger, isNumeric, isTimestamp, type SqlType, type Wide } from '../../types.ts';
import { monthsBetween, unitMonths, unitMs } from '../../values/calendar.ts';
import { parseTimestamp } from '../../values/time.ts';
import { rescale, truncateScale } from '../../values/wide.ts';
import type { ArgInfo, ScalarDef, ScalarFn } from '../define.ts';
import { temporalOperator, inRange } from '../operators/temporal.ts';
import { strict } from '../overload.ts';

const UNITS = 'units are MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR';
const known = (unit: string): boolean => unitMs[unit] !== undefined || unitMonths[unit] !== undefined;

/** A DATE stays one where the unit is a day or longer. */
function timestampAdd(args: readonly ArgInfo[], unit: string | null): ScalarFn | string {
  const [n, t] = args;
  if (args.length !== 2 || unit === null || n === undefined || t === undefined || !(isInteger(n.type) || n.type.k === 'null')) return 'expects (unit, INT, time)';
  if (!known(unit)) return `cannot add ${unit}; ${UNITS}`;
  const ms = unitMs[unit];
  const size = ms ?? (unitMonths[unit] as number);
  const type = t.type.k === 'null' ? TIMESTAMP : t.type;
  // a literal of one unit stands for the interval: whole days keep a DATE a DATE
  const plus = temporalOperator('+', { type, literal: undefined }, { type: ms === undefined ? INTERVAL_MONTH : INTERVAL, literal: size });
  if (plus === null) return 'expects (unit, INT, time)';
  return strict(`timestampadd ${unit}`, [BIGINT, plus.args[0] as SqlType], plus.returns, (count: Wide, time: number) => {
    const by = Number(count) * size;
    if (!(Math.abs(by) < 1e15)) throw new RowError('user.data.overflow', 'the result is outside of the years 0001 to 9999');
    return plus.fn(time, by);
  });
}

function timestampDiff(args: readonly ArgInfo[], unit: string | null): ScalarFn | string {
  const times = args.map(a => (isTimestamp(a.type) ? a.type : a.type.k === 'date' || a.type.k === 'null' ? TIMESTAMP : null));
  if (times.length !== 2 || times.includes(null) || unit === null) return 'expects (unit, time, time)';
  if (!known(unit)) return `cannot count ${unit}; ${UNITS}`;
  const ms = unitMs[unit];
  const months = unitMonths[unit] as number;
  return strict(`timestampdiff ${unit}`, times as SqlType[], BIGINT, ms === undefined
    ? (a: number, b: number) => Math.trunc(monthsBetween(a, b) / months) + 0
    : (a: number, b: number) => Math.trunc((b - a) / ms) + 0);
}

/** Seconds (0) or milliseconds (3) since 1970; fractions of a ms are cut. */
function toTimestampLtz(args: readonly ArgInfo[]): ScalarFn | string {
  const [x, unit] = args;
  const expects = 'expects (number, 0) for seconds or (number, 3) for milliseconds since 1970';
  if (x === undefined || args.length > 2) return expects;
  if (args.length === 1 && x.type.k === 'string') return strict('to_timestamp_ltz', [x.type], TIMESTAMP_LTZ, (text: string) => {
    const ms = parseTimestamp(text.trim());
    if (ms === null) throw new RowError('user.data.cast', `'${text.slice(0, 40)}' is no timestamp`);
    return ms;
  });
  if (unit !== undefined && unit.literal !== 0 && unit.literal !== 3) return expects;
  const type = x.type.k === 'null' ? BIGINT : x.type;
  if (!isNumeric(type)) return `${expects}; a text needs CAST(.. AS BIGINT)`;
  const factor = unit?.literal === 0 ? 1000 : 1;
  // through the scaled integer: 1704110400.9 times 1000 is not whole in doubles
  const read = type.k === 'decimal' ? (v: Wide) => Number(toScale(v, type.s, factor === 1 ? 0 : 3)) : (v: Wide) => Math.trunc(Number(v) * factor);
  return strict('to_timestamp_ltz', unit === undefined ? [type] : [type, unit.type], TIMESTAMP_LTZ, (v: Wide) => inRange(read(v)));
}

/** Digits beyond the scale are cut. */
const toScale = (v: Wide, from: number, to: number): Wide => (to >= from ? rescale(v, from, to) : truncateScale(v, from, to));

export const timeArithmeticFunctions: readonly ScalarDef[] = [
  {
    name: 'timestampadd', summary: 'A time plus a number of units; the day of a month is clamped to its last.', syntax: 'TIMESTAMPADD(unit, count, time)', resolve: timestampAdd,
    examples: [{ sql: "TIMESTAMPADD(MONTH, 1, TIMESTAMP '2024-01-31 10:00:00')", result: '2024-02-29 10:00:00.000' }, { sql: "TIMESTAMPADD(DAY, -1, DATE '2024-03-01')", result: '2024-02-29' }, { sql: "TIMESTAMPADD(HOUR, 1, DATE '2024-03-01')", result: '2024-03-01 01:00:00.000' }],
  },
  {
    name: 'timestampdiff', summary: 'Whole elapsed units from the first time to the second, towards zero.', syntax: 'TIMESTAMPDIFF(unit, from, to)', resolve: timestampDiff,
    examples: [
      { sql: "TIMESTAMPDIFF(MINUTE, TIMESTAMP '2024-02-28 23:59:30.250', TIMESTAMP '2024-02-29 00:01:00')", result: '1' }, { sql: "TIMESTAMPDIFF(DAY, TIMESTAMP '2024-03-10 12:00:00', TIMESTAMP '2024-03-09 13:00:00')", result: '0' },
      { sql: "TIMESTAMPDIFF(MONTH, DATE '2024-01-31', DATE '2024-02-29')", result: '1' }, { sql: "TIMESTAMPDIFF(YEAR, DATE '2024-02-29', DATE '2022-03-01')", result: '-1' },
    ],
  },
  {
    name: 'to_timestamp_ltz', summary: 'The instant of a number of seconds (0) or milliseconds (3) since 1970; or of a text.', syntax: 'TO_TIMESTAMP_LTZ(number, 0 | 3) or TO_TIMESTAMP_LTZ(text)', resolve: toTimestampLtz,
    examples: [{ sql: 'TO_TIMESTAMP_LTZ(1704110400, 0)', result: '2024-01-01 12:00:00.000' }, { sql: 'TO_TIMESTAMP_LTZ(1704110400123, 3)', result: '2024-01-01 12:00:00.123' }, { sql: 'TO_TIMESTAMP_LTZ(1704110400.9, 0)', result: '2024-01-01 12:00:00.900' }, { sql: 'TO_TIMESTAMP_LTZ(NULL, 0)', result: 'NULL' }],
  },
];
