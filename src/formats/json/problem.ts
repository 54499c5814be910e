import type { Code } from '../../errors.ts';
import { typeName } from '../../sql/types.ts';
import type { DecodeColumn } from '../format.ts';

/** Why a record is no row. */
export interface Problem {
  readonly code: Code;
  readonly message: string;
}

/** Characters of a value that a message shows. */
const SHOWN = 40;

const decode = (message: string): Problem => ({ code: 'user.data.decode', message });

export const tombstone: Problem = { code: 'user.data.tombstone', message: 'a null value (tombstone) is no row' };
export const empty: Problem = decode('an empty value is not JSON');
export const notUtf8: Problem = decode('not UTF-8');
export const tooDeep = (depth: number): Problem => decode(`nested deeper than ${depth} levels`);
export const tooLarge = (size: number, max: number): Problem => ({ code: 'user.data.too_large', message: `${size} bytes, more than settings.max_record_bytes (${max})` });

/** Bytes [s, e) are no JSON object, found at `at`. */
export function notJson(b: Buffer, s: number, e: number, at: number): Problem {
  if (at >= e) return decode(`not JSON: ends early, after ${e - s} bytes`);
  if (at === s && b[s] === 0xef && b[s + 1] === 0xbb && b[s + 2] === 0xbf) return decode('not JSON: begins with a byte order mark');
  return decode(`not JSON: unexpected ${byteName(b[at] as number)} at byte ${at - s}`);
}

const byteName = (c: number): string => (c > 32 && c < 127 ? `"${String.fromCharCode(c)}"` : `byte 0x${c.toString(16).padStart(2, '0')}`);

export const trailing = (b: Buffer, s: number, at: number): Problem => decode(`not JSON: ${byteName(b[at] as number)} at byte ${at - s}, after the end of the object`);

/** Valid JSON, but not an object. */
export function notObject(b: Buffer, p: number): Problem {
  const c = b[p] as number;
  const what = c === 91 ? 'an array' : c === 34 ? 'a string' : c === 116 || c === 102 ? 'a boolean' : c === 110 ? 'null' : 'a number';
  return decode(`${what} is no row: a record is a JSON object`);
}

/** The value at [p, end) is not of the column's type. */
export function misfit(column: DecodeColumn, b: Buffer, p: number, end: number): Problem {
  const value = `${path(column.key)}: ${shown(b, p, end)}`;
  if (column.time !== null) return { code: 'user.data.event_time', message: `${value} is no event time (unit: ${column.time})` };
  return { code: 'user.data.type', message: `${value} is not ${typeName(column.field.type)}` };
}

/** NULL or absent where the column needs a value. */
export function missing(column: DecodeColumn): Problem {
  if (column.time !== null || column.attribute === true) return { code: 'user.data.event_time', message: `${path(column.key)}: missing, so the record has no event time` };
  return { code: 'user.data.missing', message: `${path(column.key)}: missing, but the column is NOT NULL` };
}

const path = (key: string): string => (/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key) ? key : JSON.stringify(key));

/** The value as written, shortened. Bytes that end in the middle of a character lose it. */
function shown(b: Buffer, p: number, end: number): string {
  const text = [...b.utf8Slice(p, Math.min(end, p + 4 * (SHOWN + 1)))];
  return text.length <= SHOWN ? text.join('') : `${text.slice(0, SHOWN).join('')}...`;
}
