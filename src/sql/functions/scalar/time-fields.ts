import { BIGINT, isTimestamp, typeName, type SqlType } from '../../types.ts';
import { DAY, HOUR, MINUTE, SECOND, dateFields, dayOf, floorDiv, timeFields } from '../../values/calendar.ts';
import type { ArgInfo, ScalarDef, ScalarFn } from '../define.ts';
import { strict } from '../overload.ts';

type Field = (v: number) => number;

/** Parts of INTERVAL DAY TO SECOND, towards zero: EXTRACT(HOUR FROM INTERVAL '26' HOUR) is 2. */
const intervalFields: Readonly<Record<string, Field>> = {
  DAY: v => Math.trunc(v / DAY),
  HOUR: v => Math.trunc((v % DAY) / HOUR),
  MINUTE: v => Math.trunc((v % HOUR) / MINUTE),
  SECOND: v => Math.trunc((v % MINUTE) / SECOND),
  MILLISECOND: v => v % SECOND,
  EPOCH: v => Math.trunc(v / SECOND),
};
const monthFields: Readonly<Record<string, Field>> = { YEAR: v => Math.trunc(v / 12), MONTH: v => v % 12 };

function fieldOf(t: SqlType, unit: string): Field | undefined {
  const ofDate = dateFields[unit];
  if (isTimestamp(t) || t.k === 'null') {
    if (unit === 'EPOCH') return ms => floorDiv(ms, SECOND);
    return ofDate === undefined ? timeFields[unit] : ms => ofDate(dayOf(ms));
  }
  switch (t.k) {
    case 'date': return unit === 'EPOCH' ? days => days * (DAY / SECOND) : ofDate ?? (timeFields[unit] === undefined ? undefined : () => 0);
    case 'time': return unit === 'EPOCH' ? ms => floorDiv(ms, SECOND) : timeFields[unit];
    case 'interval': return intervalFields[unit];
    case 'interval_month': return monthFields[unit];
    default: return undefined;
  }
}

function extract(name: string, args: readonly ArgInfo[], unit: string | null): ScalarFn | string {
  const [a] = args;
  if (a === undefined || args.length !== 1 || unit === null) return 'expects (unit FROM time)';
  const field = fieldOf(a.type, unit);
  if (field === undefined) return `cannot take ${unit} from ${typeName(a.type)}${a.type.k === 'string' ? '; write CAST(.. AS TIMESTAMP)' : ''}`;
  return strict(`${name} ${unit}`, [a.type], BIGINT, (v: number) => field(v) + 0);
}

/** YEAR(t) is EXTRACT(YEAR FROM t). */
const short = (name: string, unit: string, summary: string, sql: string, result: string, aliases: readonly string[] = []): ScalarDef => ({
  name, aliases, summary, syntax: `${name.toUpperCase()}(time)`, examples: [{ sql, result }],
  resolve: args => extract('extract', args, unit),
});

const ts = (fn: string): string => `${fn}(TIMESTAMP '2024-12-30 17:45:59.123')`;

export const timeFieldFunctions: readonly ScalarDef[] = [
  {
    name: 'extract', summary: 'A part of a time: YEAR QUARTER MONTH WEEK (ISO) DAY DOY DOW (Sunday is 1) ISODOW HOUR MINUTE SECOND MILLISECOND EPOCH (seconds since 1970) and more.', syntax: 'EXTRACT(unit FROM time)',
    resolve: (args, unit) => extract('extract', args, unit),
    examples: [
      { sql: "EXTRACT(YEAR FROM TIMESTAMP '1965-02-03 04:05:06.789')", result: '1965' }, { sql: "EXTRACT(SECOND FROM TIMESTAMP '1969-12-31 23:59:58.500')", result: '58' },
      { sql: "EXTRACT(WEEK FROM TIMESTAMP '2024-12-30 00:00:00')", result: '1' }, { sql: "EXTRACT(DOW FROM DATE '2024-01-01')", result: '2' }, { sql: "EXTRACT(EPOCH FROM TIMESTAMP '2024-01-01 12:00:00.999')", result: '1704110400' },
    ],
  },
  short('year', 'YEAR', 'The year.', ts('YEAR'), '2024'),
  short('quarter', 'QUARTER', 'The quarter, 1 to 4.', ts('QUARTER'), '4'),
  short('month', 'MONTH', 'The month, 1 to 12.', ts('MONTH'), '12'),
  short('week', 'WEEK', 'The ISO week, 1 to 53.', ts('WEEK'), '1'),
  short('dayofyear', 'DOY', 'The day of the year, 1 to 366.', ts('DAYOFYEAR'), '365'),
  short('dayofmonth', 'DAY', 'The day of the month, 1 to 31.', ts('DAYOFMONTH'), '30', ['day']),
  short('dayofweek', 'DOW', 'The day of the week, Sunday is 1.', ts('DAYOFWEEK'), '2'),
  short('hour', 'HOUR', 'The hour, 0 to 23.', ts('HOUR'), '17'),
  short('minute', 'MINUTE', 'The minute, 0 to 59.', ts('MINUTE'), '45'),
  short('second', 'SECOND', 'The second, 0 to 59.', ts('SECOND'), '59'),
];
