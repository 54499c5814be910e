import { DOT, MINUS, ZERO } from './scan.ts';

/*
 * Numbers as digits, straight into bytes. All writers return the end; the caller has made room. Division goes by small integers, because
 * beyond 2^31 it is dear, and gives two digits at a time.
 */

/** Most bytes of a number that is written here: 16 digits, a sign, a point and a zero before it. */
export const NUMBER_BYTES = 24;

const TENS = Uint8Array.from({ length: 100 }, (_, n) => ZERO + Math.floor(n / 10));
const ONES = Uint8Array.from({ length: 100 }, (_, n) => ZERO + (n % 10));

/** A safe integer. */
export function putInteger(b: Uint8Array, at: number, v: number): number {
  let p = at;
  let rest = v;
  if (rest < 0) {
    b[p++] = MINUS;
    rest = -rest;
  }
  if (rest < 1e9) return putPadded(b, p, rest, countDigits(rest));
  const high = Math.floor(rest / 1e9);
  return putPadded(b, putPadded(b, p, high, countDigits(high)), rest - high * 1e9, 9);
}

/** A safe integer that counts units of 10^-scale, 1 <= scale <= 15, with exactly its scale; `unit` is 10^scale. */
export function putDecimal(b: Uint8Array, at: number, v: number, scale: number, unit: number): number {
  let p = at;
  let rest = v;
  if (rest < 0) {
    b[p++] = MINUS;
    rest = -rest;
  }
  let whole = Math.floor(rest / unit);
  let fraction = rest - whole * unit;
  // the quotient was rounded up
  if (fraction < 0) {
    whole--;
    fraction += unit;
  }
  p = putInteger(b, p, whole);
  b[p++] = DOT;
  if (scale <= 9) return putPadded(b, p, fraction, scale);
  const high = Math.floor(fraction / 1e9);
  return putPadded(b, putPadded(b, p, high, scale - 9), fraction - high * 1e9, 9);
}

/** An integer below 10^length, 1 <= length <= 9, as so many digits. */
function putPadded(b: Uint8Array, at: number, v: number, length: number): number {
  const end = at + length;
  let p = end;
  let rest = v | 0;
  while (p - at > 1) {
    const q = (rest / 100) | 0;
    const two = rest - q * 100;
    b[--p] = ONES[two] as number;
    b[--p] = TENS[two] as number;
    rest = q;
  }
  if (p > at) b[at] = ZERO + rest;
  return end;
}

/** Of an integer from 0 to 999,999,999. */
function countDigits(v: number): number {
  if (v < 1e4) return v < 100 ? (v < 10 ? 1 : 2) : v < 1000 ? 3 : 4;
  if (v < 1e7) return v < 1e5 ? 5 : v < 1e6 ? 6 : 7;
  return v < 1e8 ? 8 : 9;
}
