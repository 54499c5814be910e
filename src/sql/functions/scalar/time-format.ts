import { RowError } from '../../../errors.ts';
import { BIGINT, DATE, STRING, TIMESTAMP, isInteger, isTimestamp, type SqlType, type Value, type Wide } from '../../types.ts';
import { SECOND, dayOf, floorDiv } from '../../values/calendar.ts';
import { compilePattern, type DatePattern } from '../../values/date-pattern.ts';
import { parseDate, parseTimestamp, printTimestamp } from '../../values/time.ts';
import type { ArgInfo, ScalarDef, ScalarFn } from '../define.ts';
import { inRange } from '../operators/temporal.ts';
import { strict } from '../overload.ts';

type PatternOf = (pattern: string) => DatePattern;

/** A literal pattern is compiled now, one from the data when it differs from the row before. The text says what is wrong with a literal. */
function patterns(arg: ArgInfo): PatternOf | string {
  const compiled = (p: string): DatePattern => {
    const c = compilePattern(p);
    if (typeof c === 'string') throw new RowError('user.data.row', c);
    return c;
  };
  if (typeof arg.literal === 'string') {
    const c = compilePattern(arg.literal);
    return typeof c === 'string' ? c : () => c;
  }
  let last: { readonly text: string; readonly pattern: DatePattern } | null = null;
  return p => {
    if (last === null || last.text !== p) last = { text: p, pattern: compiled(p) };
    return last.pattern;
  };
}

const isText = (a: ArgInfo): boolean => a.type.k === 'string' || a.type.k === 'null';

const orFail = <T>(v: T | null, text: string, what: string): T => {
  if (v === null) throw new RowError('user.data.cast', `'${text.slice(0, 40)}' is no ${what}`);
  return v;
};

/** Text to time, as ISO text or by a pattern; `of` turns epoch ms into the result. */
const reading = (name: string, what: string, returns: SqlType, parse: (text: string) => number | null, of: (ms: number) => Value) => (args: readonly ArgInfo[]): ScalarFn | string => {
  const [text, format] = args;
  if (text === undefined || args.length > 2 || !args.every(isText)) return 'expects (STRING [, pattern])';
  if (format === undefined) return strict(name, [STRING], returns, (s: string) => orFail(parse(s.trim()), s, what));
  const pattern = patterns(format);
  if (typeof pattern === 'string') return pattern;
  return strict(name, [STRING, STRING], returns, (s: string, p: string) => of(orFail(pattern(p).parse(s), s, `${what} of the pattern '${p}'`)));
};

const seconds = (ms: number): number => floorDiv(ms, SECOND);
const secondsOf = (text: string): number | null => { const ms = parseTimestamp(text); return ms === null ? null : seconds(ms); };
const readSeconds = reading('unix_timestamp', 'timestamp', BIGINT, secondsOf, seconds);

function dateFormat(args: readonly ArgInfo[]): ScalarFn | string {
  const [time, format] = args;
  const t = time?.type;
  if (t === undefined || format === undefined || args.length !== 2 || !isText(format)) return 'expects (time, pattern)';
  const pattern = patterns(format);
  if (typeof pattern === 'string') return pattern;
  if (t.k === 'string') return strict('date_format', [STRING, STRING], STRING, (s: string, p: string) => pattern(p).format(orFail(parseTimestamp(s.trim()), s, 'timestamp')));
  if (!isTimestamp(t) && t.k !== 'date' && t.k !== 'null') return 'expects (time, pattern)';
  return strict('date_format', [isTimestamp(t) ? t : TIMESTAMP, STRING], STRING, (ms: number, p: string) => pattern(p).format(ms));
}

function fromUnixtime(args: readonly ArgInfo[]): ScalarFn | string {
  const [n, format] = args;
  if (n === undefined || args.length > 2 || !(isInteger(n.type) || n.type.k === 'null') || (format !== undefined && !isText(format))) return 'expects (BIGINT [, pattern])';
  const ms = (v: Wide): number => inRange(Number(v) * SECOND);
  if (format === undefined) return strict('from_unixtime', [BIGINT], STRING, (v: Wide) => printTimestamp(ms(v), 0));
  const pattern = patterns(format);
  if (typeof pattern === 'string') return pattern;
  return strict('from_unixtime', [BIGINT, STRING], STRING, (v: Wide, p: string) => pattern(p).format(ms(v)));
}

export const timeFormatFunctions: readonly ScalarDef[] = [
  {
    name: 'date_format', summary: 'A time as text by a pattern of Java (yyyy MM dd HH mm ss SSS ..).', syntax: 'DATE_FORMAT(time, pattern)', resolve: dateFormat,
    examples: [{ sql: "DATE_FORMAT(TIMESTAMP '2024-03-05 17:08:09.012', 'yyyy/MM/dd''T''hh:mm:ss.SSS a')", result: '2024/03/05T05:08:09.012 PM' }, { sql: "DATE_FORMAT(DATE '2024-03-05', 'EEE d MMM yy')", result: 'Tue 5 Mar 24' }],
  },
  {
    name: 'to_timestamp', summary: 'A text as TIMESTAMP: ISO text (a blank or T, Z or an offset), or by a pattern.', syntax: 'TO_TIMESTAMP(text [, pattern])',
    resolve: reading('to_timestamp', 'timestamp', TIMESTAMP, parseTimestamp, ms => ms),
    examples: [{ sql: "TO_TIMESTAMP('2024-01-01T12:00:00Z')", result: '2024-01-01 12:00:00.000' }, { sql: "TO_TIMESTAMP('05.03.2024 07', 'dd.MM.yyyy HH')", result: '2024-03-05 07:00:00.000' }],
  },
  {
    name: 'to_date', summary: 'A text as DATE.', syntax: 'TO_DATE(text [, pattern])', resolve: reading('to_date', 'date', DATE, parseDate, dayOf),
    examples: [{ sql: "TO_DATE('2024-02-29')", result: '2024-02-29' }, { sql: "TO_DATE('20240229', 'yyyyMMdd')", result: '2024-02-29' }],
  },
  {
    name: 'unix_timestamp', summary: 'Seconds since 1970: of now, or of a time in text.', syntax: 'UNIX_TIMESTAMP([text [, pattern]])',
    resolve: args => (args.length === 0 ? strict('unix_timestamp', [], BIGINT, (now = Date.now()) => seconds(now), { volatile: true }) : readSeconds(args)),
    examples: [{ sql: "UNIX_TIMESTAMP('2024-01-01 12:00:00')", result: '1704110400' }, { sql: "UNIX_TIMESTAMP('01/01/70', 'dd/MM/yy')", result: '3155760000' }],
  },
  {
    name: 'from_unixtime', summary: 'Seconds since 1970 as text, in UTC.', syntax: 'FROM_UNIXTIME(seconds [, pattern])', resolve: fromUnixtime,
    examples: [{ sql: 'FROM_UNIXTIME(1704110400)', result: '2024-01-01 12:00:00' }, { sql: "FROM_UNIXTIME(-1, 'HH:mm:ss')", result: '23:59:59' }],
  },
];
