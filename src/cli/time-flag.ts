import { PipeError } from '../errors.ts';
import { durationFlag } from './args.ts';

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** Epoch ms of an ISO time or day, UTC where it has no zone, as everywhere in pipe; null for other texts. */
export function isoTime(text: string): number | null {
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const ms = ISO.test(text) && isDay(text.slice(0, 10)) ? Date.parse(zoned) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** Date.parse takes February 30 for March 1. */
function isDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}

/** An ISO time, or a duration before `now`; epoch ms. Throws user.usage.bad_value. */
export function timeFlag(flag: string, text: string, now: number): number {
  const ms = isoTime(text);
  if (ms !== null) return ms;
  try {
    return now - durationFlag(flag, text);
  } catch {
    throw new PipeError('user.usage.bad_value', `${flag} takes an ISO time such as 2024-01-01T12:00:00Z, or how long ago, such as 30m or 24h, not "${text}"`);
  }
}
