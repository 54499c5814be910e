import { parseTruncated } from '../../sql/values/decimal.ts';
import { canonical, floorScale } from '../../sql/values/wide.ts';
import type { Wide } from '../../sql/types.ts';

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?)0*(\d{1,9}))?$/;

/** More digits than any integer type has. */
const TOO_LONG = 40;

/** The integer that a number's text stands for: `5`, `5.0` and `1e3` are integers, `5.9` is none. Exact; null for no integer, or one of more than 40 digits. */
export function parseInteger(text: string): Wide | null {
  const m = NUMBER.exec(text);
  if (m === null) return null;
  const whole = m[2] as string;
  const digits = whole + (m[3] ?? '');
  if (digits === '') return null;
  // by hand: /0+$/ looks again from each zero of a million in the middle
  let end = digits.length;
  while (end > 0 && digits.charCodeAt(end - 1) === 48) end--;
  if (end === 0) return 0;
  let from = 0;
  while (digits.charCodeAt(from) === 48) from++;
  const zeros = whole.length + Number(`${m[4] ?? ''}${m[5] ?? 0}`) - end;
  if (zeros < 0 || zeros > TOO_LONG || end - from + zeros > TOO_LONG) return null;
  const v = canonical(BigInt(digits.slice(from, end)) * 10n ** BigInt(zeros));
  return m[1] === '-' ? -v : v;
}

/** Exponents such as 1e0000000001 are legal JSON, but longer than the exact readers take. */
export const shortExponent = (text: string): string => text.replace(/([eE][+-]?)0+(?=\d)/, '$1');

/** A number's text times 10^shift, cut towards the past (floor), exactly; null when it is no number or beyond 2^53. */
export function parseTicks(text: string, shift: number): number | null {
  const v = parseTruncated(text, 38, shift + 9);
  const ticks = typeof v === 'string' ? null : floorScale(v, 9);
  return typeof ticks === 'number' ? ticks : null;
}
