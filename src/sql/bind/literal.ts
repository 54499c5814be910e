import type { BindContext } from './context.ts';
import type { At, Expr as Ast } from '../ast.ts';
import type { Expr } from '../bound.ts';
import { BIGINT, BOOLEAN, DATE, DOUBLE, INT, INTERVAL, INTERVAL_MONTH, NULL, STRING, TIME, TIMESTAMP, decimal, type SqlType, type Value } from '../types.ts';
import { parseDate, parseTime, parseTimestamp } from '../values/time.ts';
import { canonical } from '../values/wide.ts';

const lit = (value: Value | null, type: SqlType): Expr => ({ k: 'lit', value, type });

/** 7500.00 is DECIMAL(6,2), 5 is INT, 1e3 is DOUBLE: a number keeps the digits that were written. */
function numberLiteral(text: string, at: At, context: BindContext): Expr {
  if (/e/i.test(text)) {
    const x = Number(text);
    if (!Number.isFinite(x)) throw context.error('user.sql.literal', `${text} is out of the range of DOUBLE`, at);
    return lit(x, DOUBLE);
  }
  const [whole = '', fraction = ''] = text.split('.');
  const digits = BigInt(`${whole}${fraction}` || '0');
  if (!text.includes('.')) {
    if (digits <= 2147483647n) return lit(Number(digits), INT);
    if (digits < 1n << 63n) return lit(canonical(digits), BIGINT);
  }
  const precision = Math.max(1, whole.replace(/^0+(?=\d)/, '').length + fraction.length);
  if (precision > 38) throw context.error('user.sql.literal', 'a number has at most 38 digits', at);
  return lit(canonical(digits), decimal(precision, fraction.length));
}

export function literal(e: Ast & { k: 'literal' }, context: BindContext): Expr {
  const bad = (what: string, example: string): Error => context.error('user.sql.literal', `'${e.text}' is no ${what}`, e.at, { hint: `such as ${example}` });
  switch (e.kind) {
    case 'number': return numberLiteral(e.text, e.at, context);
    case 'text': return lit(e.text, STRING);
    case 'boolean': return lit(e.text.toUpperCase() === 'TRUE', BOOLEAN);
    case 'null': return lit(null, NULL);
    case 'date': { const v = parseDate(e.text); if (v === null) throw bad('date', "DATE '2024-01-01'"); return lit(v, DATE); }
    case 'time': { const v = parseTime(e.text); if (v === null) throw bad('time', "TIME '12:00:00'"); return lit(v, TIME); }
    case 'timestamp': { const v = parseTimestamp(e.text); if (v === null) throw bad('timestamp', "TIMESTAMP '2024-01-01 12:00:00'"); return lit(v, TIMESTAMP); }
  }
}

const MS: Readonly<Record<string, number>> = { WEEK: 604_800_000, DAY: 86_400_000, HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1000, MILLISECOND: 1 };
const MONTHS: Readonly<Record<string, number>> = { YEAR: 12, QUARTER: 3, MONTH: 1 };
/** Fields of a compound interval after its first: '1:30' MINUTE TO SECOND. */
const FIELDS = ['DAY', 'HOUR', 'MINUTE', 'SECOND'];

/** INTERVAL '10' SECOND in ms; INTERVAL '3' MONTH in months. */
export function interval(e: Ast & { k: 'interval' }, context: BindContext): Expr {
  const bad = (): Error => context.error('user.sql.literal', `INTERVAL '${e.value}' ${e.unit}${e.to === null ? '' : ` TO ${e.to}`} is no interval`, e.at, { hint: "such as INTERVAL '10' SECOND" });
  const sign = e.value.trim().startsWith('-') ? -1 : 1;
  const text = e.value.trim().replace(/^[-+]/, '');
  if (e.to === null) {
    const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    const months = MONTHS[e.unit];
    if (months !== undefined) { if (!Number.isInteger(number)) throw bad(); return lit(sign * number * months, INTERVAL_MONTH); }
    const ms = Math.round(number * (MS[e.unit] ?? NaN));
    if (!Number.isSafeInteger(ms)) throw bad();
    return lit(sign * ms, INTERVAL);
  }
  const parts = text.split(/[ :-]/);
  if (e.unit === 'YEAR' && e.to === 'MONTH') {
    if (parts.length !== 2 || !parts.every(p => /^\d+$/.test(p))) throw bad();
    return lit(sign * (Number(parts[0]) * 12 + Number(parts[1])), INTERVAL_MONTH);
  }
  const from = FIELDS.indexOf(e.unit);
  const to = FIELDS.indexOf(e.to);
  if (from < 0 || to <= from || parts.length !== to - from + 1 || !parts.every((p, i) => (i === parts.length - 1 ? /^\d+(\.\d+)?$/ : /^\d+$/).test(p))) throw bad();
  return lit(sign * Math.round(parts.reduce((ms, p, i) => ms + Number(p) * (MS[FIELDS[from + i] as string] as number), 0)), INTERVAL);
}
