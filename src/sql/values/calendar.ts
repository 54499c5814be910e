/**
 * Proleptic Gregorian calendar in UTC: epoch ms and days since 1970-01-01, right before 1970 too.
 * Day arithmetic after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (days_from_civil, civil_from_days).
 */
export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** 0001-01-01 00:00:00.000 and 9999-12-31 23:59:59.999, the range of SQL timestamps. */
export const MIN_TIMESTAMP = -62_135_596_800_000;
export const MAX_TIMESTAMP = 253_402_300_799_999;

export interface Civil {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  /** 1..31 */
  readonly day: number;
}

export const floorDiv = (a: number, b: number): number => Math.floor(a / b);
export const floorMod = (a: number, b: number): number => a - Math.floor(a / b) * b;

/** Days since 1970-01-01; `month` 1..12, `day` may lie outside its month. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = floorDiv(y, 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = floorDiv(153 * (month + (month > 2 ? -3 : 9)) + 2, 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + floorDiv(yearOfEra, 4) - floorDiv(yearOfEra, 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function civilFromDays(days: number): Civil {
  const z = days + 719_468;
  const era = floorDiv(z, 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = floorDiv(dayOfEra - floorDiv(dayOfEra, 1460) + floorDiv(dayOfEra, 36_524) - floorDiv(dayOfEra, 146_096), 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + floorDiv(yearOfEra, 4) - floorDiv(yearOfEra, 100));
  const shifted = floorDiv(5 * dayOfYear + 2, 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - floorDiv(153 * shifted + 2, 5) + 1 };
}

export const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

export const daysInMonth = (year: number, month: number): number => (month === 2 ? (isLeap(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);

export const dayOf = (ms: number): number => floorDiv(ms, DAY);
export const timeOfDay = (ms: number): number => floorMod(ms, DAY);

/** `months` later, the day clamped to the month's last: 2024-01-31 + 1 = 2024-02-29. */
export function addMonthsToDays(days: number, months: number): number {
  const { year, month, day } = civilFromDays(days);
  const total = year * 12 + month - 1 + months;
  const y = floorDiv(total, 12);
  const m = floorMod(total, 12) + 1;
  return daysFromCivil(y, m, Math.min(day, daysInMonth(y, m)));
}

export const addMonths = (ms: number, months: number): number => addMonthsToDays(dayOf(ms), months) * DAY + timeOfDay(ms);

/** Whole months from `a` to `b`, towards zero: the largest n with a + n months <= b (mirrored when b < a). */
export function monthsBetween(a: number, b: number): number {
  if (b < a) return 0 - monthsBetween(b, a);
  const from = civilFromDays(dayOf(a));
  const to = civilFromDays(dayOf(b));
  const n = (to.year - from.year) * 12 + to.month - from.month;
  return addMonths(a, n) > b ? n - 1 : n;
}

/** Sunday 1 .. Saturday 7. */
const dayOfWeek = (days: number): number => floorMod(days + 4, 7) + 1;
/** Monday 1 .. Sunday 7. */
export const isoDayOfWeek = (days: number): number => floorMod(days + 3, 7) + 1;
export const dayOfYear = (days: number): number => days - daysFromCivil(civilFromDays(days).year, 1, 1) + 1;

/** ISO 8601: weeks begin on Monday, week 1 holds the year's first Thursday. */
function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days + 4 - isoDayOfWeek(days);
  const { year } = civilFromDays(thursday);
  return { year, week: floorDiv(thursday - daysFromCivil(year, 1, 1), 7) + 1 };
}

/** Units of a date, from days since 1970. */
export const dateFields: Readonly<Record<string, (days: number) => number>> = {
  MILLENNIUM: d => Math.ceil(civilFromDays(d).year / 1000),
  CENTURY: d => Math.ceil(civilFromDays(d).year / 100),
  DECADE: d => floorDiv(civilFromDays(d).year, 10),
  YEAR: d => civilFromDays(d).year,
  ISOYEAR: d => isoWeek(d).year,
  QUARTER: d => floorDiv(civilFromDays(d).month + 2, 3),
  MONTH: d => civilFromDays(d).month,
  WEEK: d => isoWeek(d).week,
  DAY: d => civilFromDays(d).day,
  DOY: dayOfYear,
  DOW: dayOfWeek,
  ISODOW: isoDayOfWeek,
};

/** Units of a time of day or an instant, from ms. MILLISECOND and finer are of the second, as in Flink. */
export const timeFields: Readonly<Record<string, (ms: number) => number>> = {
  HOUR: t => floorDiv(timeOfDay(t), HOUR),
  MINUTE: t => floorDiv(floorMod(t, HOUR), MINUTE),
  SECOND: t => floorDiv(floorMod(t, MINUTE), SECOND),
  MILLISECOND: t => floorMod(t, SECOND),
  MICROSECOND: t => floorMod(t, SECOND) * 1000,
  NANOSECOND: t => floorMod(t, SECOND) * 1_000_000,
};

/** Length in ms of the units that have one. */
export const unitMs: Readonly<Record<string, number>> = { MILLISECOND: 1, SECOND, MINUTE, HOUR, DAY, WEEK: 7 * DAY };
/** Length in months of the others. */
export const unitMonths: Readonly<Record<string, number>> = { MONTH: 1, QUARTER: 3, YEAR: 12, DECADE: 120, CENTURY: 1200, MILLENNIUM: 12_000 };

/** Start of the unit that holds day `days`. Weeks begin on Sunday here, as Flink's FLOOR(.. TO WEEK); centuries in year 1. */
export function floorDays(days: number, unit: string): number {
  if (unit === 'DAY') return days;
  if (unit === 'WEEK') return days - (dayOfWeek(days) - 1);
  const months = unitMonths[unit] as number;
  const { year, month } = civilFromDays(days);
  const first = unit === 'CENTURY' || unit === 'MILLENNIUM' ? 12 : 0;
  const start = floorDiv(year * 12 + month - 1 - first, months) * months + first;
  return daysFromCivil(floorDiv(start, 12), floorMod(start, 12) + 1, 1);
}

/** Start of the unit after the one that starts at day `start`. */
export const nextDays = (start: number, unit: string): number =>
  unit === 'DAY' ? start + 1 : unit === 'WEEK' ? start + 7 : addMonthsToDays(start, unitMonths[unit] as number);
