import { DAY, HOUR, MINUTE, SECOND, civilFromDays, dayOf, daysFromCivil, daysInMonth, floorDiv, timeOfDay } from './calendar.ts';

/** Reads digits left to right without allocating; every reader answers -1 when the text does not continue as asked. */
class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) { this.text = text; }

  get done(): boolean { return this.at === this.text.length; }

  /** Exactly `n` digits. */
  digits(n: number): number {
    let v = 0;
    for (let i = 0; i < n; i++) {
      const d = this.text.charCodeAt(this.at + i) - 48;
      if (!(d >= 0 && d <= 9)) return -1;
      v = v * 10 + d;
    }
    this.at += n;
    return v;
  }

  take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  /** `.fff`, 1 to 9 digits, in ms (finer digits are cut); 0 when there is none. */
  fraction(): number {
    if (!this.take('.')) return 0;
    let ms = 0;
    let n = 0;
    for (let d: number; n < 9 && (d = this.text.charCodeAt(this.at) - 48) >= 0 && d <= 9; n++, this.at++) if (n < 3) ms = ms * 10 + d;
    return n === 0 ? -1 : n === 1 ? ms * 100 : n === 2 ? ms * 10 : ms;
  }
}

/** YYYY-MM-DD, years 0001 to 9999. */
function date(s: Scanner): number | null {
  const year = s.digits(4);
  if (year < 1 || !s.take('-')) return null;
  const month = s.digits(2);
  if (month < 1 || month > 12 || !s.take('-')) return null;
  const day = s.digits(2);
  if (day < 1 || day > daysInMonth(year, month)) return null;
  return daysFromCivil(year, month, day);
}

/** HH:MM[:SS[.fff]] in ms. */
function time(s: Scanner): number | null {
  const hour = s.digits(2);
  if (hour < 0 || hour > 23 || !s.take(':')) return null;
  const minute = s.digits(2);
  if (minute < 0 || minute > 59) return null;
  let ms = hour * HOUR + minute * MINUTE;
  if (s.take(':')) {
    const second = s.digits(2);
    if (second < 0 || second > 59) return null;
    const fraction = s.fraction();
    if (fraction < 0) return null;
    ms += second * SECOND + fraction;
  }
  return ms;
}

/** Nothing, Z, +HH, +HHMM or +HH:MM, in ms east of UTC. */
function offset(s: Scanner): number | null {
  if (s.done || s.take('Z') || s.take('z')) return 0;
  const sign = s.take('+') ? 1 : s.take('-') ? -1 : 0;
  if (sign === 0) return null;
  const hours = s.digits(2);
  if (hours < 0 || hours > 18) return null;
  if (s.done) return sign * hours * HOUR;
  s.take(':');
  const minutes = s.digits(2);
  return minutes < 0 || minutes > 59 ? null : sign * (hours * HOUR + minutes * MINUTE);
}

/**
 * Epoch ms of `2024-01-01 12:00:00.123`, with T or one blank, seconds and fraction optional, Z or an offset optional (else UTC),
 * or of a date alone (midnight); null when it is none. Digits beyond ms are cut.
 */
export function parseTimestamp(text: string): number | null {
  const s = new Scanner(text);
  const days = date(s);
  if (days === null) return null;
  if (s.done) return days * DAY;
  if (!s.take(' ') && !s.take('T') && !s.take('t')) return null;
  const ms = time(s);
  if (ms === null) return null;
  const east = offset(s);
  return east === null || !s.done ? null : days * DAY + ms - east;
}

/** Days since 1970 of `2024-01-01`, or of the date of a timestamp's text as it is written. */
export function parseDate(text: string): number | null {
  const s = new Scanner(text);
  const days = date(s);
  return days !== null && (s.done || parseTimestamp(text) !== null) ? days : null;
}

/** Ms of the day of `12:34[:56[.789]]`. */
export function parseTime(text: string): number | null {
  const s = new Scanner(text);
  const ms = time(s);
  return s.done ? ms : null;
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));
const three = (n: number): string => (n < 10 ? `00${n}` : n < 100 ? `0${n}` : String(n));

/** Years outside 0..9999 carry their sign, as in ISO 8601. */
const year = (y: number): string => (y < 0 || y > 9999 ? `${y < 0 ? '-' : '+'}${String(Math.abs(y)).padStart(6, '0')}` : String(y).padStart(4, '0'));

export function printDate(days: number): string {
  const c = civilFromDays(days);
  return `${year(c.year)}-${two(c.month)}-${two(c.day)}`;
}

const clock = (ms: number): string => `${two(floorDiv(ms, HOUR))}:${two(floorDiv(ms % HOUR, MINUTE))}:${two(floorDiv(ms % MINUTE, SECOND))}`;

/** `12:34:56`, with ms only when there are some. */
export const printTime = (ms: number): string => (ms % SECOND === 0 ? clock(ms) : `${clock(ms)}.${three(ms % SECOND)}`);

/** `2024-01-01 12:00:00.000`, with `precision` (0..9) fraction digits. */
export function printTimestamp(ms: number, precision = 3): string {
  const rest = timeOfDay(ms);
  const fraction = precision === 0 ? '' : `.${three(rest % SECOND).padEnd(precision, '0').slice(0, precision)}`;
  return `${printDate(dayOf(ms))} ${clock(rest)}${fraction}`;
}

/** `2024-01-01T12:00:00.000Z` */
export function printIso(ms: number): string {
  const rest = timeOfDay(ms);
  return `${printDate(dayOf(ms))}T${clock(rest)}.${three(rest % SECOND)}Z`;
}

/** Flink's text of INTERVAL DAY TO SECOND: `+1 02:03:04.005`. */
export function printInterval(ms: number): string {
  const rest = Math.abs(ms);
  return `${ms < 0 ? '-' : '+'}${floorDiv(rest, DAY)} ${clock(rest % DAY)}.${three(rest % SECOND)}`;
}

/** Flink's text of INTERVAL YEAR TO MONTH: `+1-02`. */
export const printMonths = (months: number): string => `${months < 0 ? '-' : '+'}${floorDiv(Math.abs(months), 12)}-${two(Math.abs(months) % 12)}`;
