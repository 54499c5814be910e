import { isTimestamp, type SqlType } from '../../types.ts';
import { DAY, dayOf, floorDiv, timeOfDay } from '../../values/calendar.ts';
import type { ScalarFn } from '../define.ts';
import { cast } from './make.ts';

/** Cuts an instant to the fraction digits of TIMESTAMP(precision). */
export const floorTo = (precision: number): ((ms: number) => number) => {
  if (precision >= 3) return ms => ms;
  const unit = 10 ** (3 - precision);
  return ms => floorDiv(ms, unit) * unit;
};

/** Between DATE, TIME and the TIMESTAMPs; the session's zone is UTC, so TIMESTAMP and TIMESTAMP_LTZ hold the same number. */
export function timeToTime(from: SqlType, to: SqlType): ScalarFn | null {
  if (isTimestamp(from) && isTimestamp(to)) return to.p >= from.p || to.p >= 3 ? cast(from, to, (ms: number) => ms, ([x]) => x as string) : cast(from, to, floorTo(to.p));
  if (isTimestamp(from) && to.k === 'date') return cast(from, to, dayOf);
  if (isTimestamp(from) && to.k === 'time') return cast(from, to, timeOfDay);
  if (from.k === 'date' && isTimestamp(to)) return cast(from, to, (days: number) => days * DAY);
  return null;
}
