import { DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ, type SqlType } from '../../types.ts';
import { dayOf, timeOfDay } from '../../values/calendar.ts';
import type { ScalarDef } from '../define.ts';
import { simple } from '../overload.ts';

/** Another value at another time: evaluated for each row, never folded; no examples for the same reason. Given a time (epoch ms), it is that of the clock. */
const clock = (name: string, summary: string, returns: SqlType, of: (ms: number) => number, aliases: readonly string[] = [], call = ''): ScalarDef =>
  simple({ name, aliases, summary, syntax: `${name.toUpperCase()}${call}`, params: [], returns, volatile: true, fn: (now = Date.now()) => of(now), examples: [] });

const same = (ms: number): number => ms;

export const clockFunctions: readonly ScalarDef[] = [
  clock('current_timestamp', 'The time of the clock when the row is computed.', TIMESTAMP_LTZ, same, ['now', 'current_row_timestamp']),
  clock('proctime', 'The time of the clock when the row is computed.', TIMESTAMP_LTZ, same, [], '()'),
  clock('localtimestamp', 'The time of the clock as a TIMESTAMP (UTC).', TIMESTAMP, same),
  clock('current_date', 'The date of the clock (UTC).', DATE, dayOf),
  clock('current_time', 'The time of day of the clock (UTC).', TIME, timeOfDay, ['localtime']),
];
