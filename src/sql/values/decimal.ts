import type { Wide } from '../types.ts';
import { canonical, fitsDigits, pow10 } from './wide.ts';

/** Why a text is no DECIMAL(p,s). */
export type DecimalProblem = 'syntax' | 'range';

interface Digits {
  readonly negative: boolean;
  /** No leading zeros; '' for zero. */
  readonly digits: string;
  /** Value = 0.digits x 10^point. */
  readonly point: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

function digitsOf(text: string): Digits | null {
  const m = NUMBER.exec(text);
  if (m === null) return null;
  const whole = m[2] as string;
  const fraction = m[3] ?? '';
  if (whole === '' && fraction === '') return null;
  const all = whole + fraction;
  let zeros = 0;
  while (zeros < all.length && all.charCodeAt(zeros) === 48) zeros++;
  return { negative: m[1] === '-', digits: all.slice(zeros), point: whole.length - zeros + Number(m[4] ?? 0) };
}

/**
 * The scaled integer of DECIMAL(p,s) for a number's text (`-12.345`, `1.2e3`; no blanks), exactly from its digits;
 * more fraction digits than s are rounded half away from zero. Time is linear in the length, whatever the exponent.
 */
export function parseDecimal(text: string, p: number, s: number): Wide | DecimalProblem {
  const d = digitsOf(text);
  if (d === null) return 'syntax';
  return scaled(d, p, s, true);
}

/** As parseDecimal, but towards zero: the rule of CAST(text AS INT) with s = 0. */
export function parseTruncated(text: string, p: number, s: number): Wide | DecimalProblem {
  const d = digitsOf(text);
  return d === null ? 'syntax' : scaled(d, p, s, false);
}

function scaled(d: Digits, p: number, s: number, round: boolean): Wide | DecimalProblem {
  const { digits } = d;
  if (digits === '') return 0;
  const keep = d.point + s;
  if (keep > p) return 'range';
  if (keep < 0) return 0;
  const head = digits.slice(0, keep).padEnd(keep, '0');
  let v = keep <= 15 ? Number(head) : canonical(BigInt(head));
  if (round && keep < digits.length && digits.charCodeAt(keep) >= 53) v = typeof v === 'number' && v < 9007199254740991 ? v + 1 : canonical(BigInt(v) + 1n);
  if (!fitsDigits(v, p)) return 'range';
  return d.negative && v !== 0 ? -v : v;
}

/** A scaled integer with exactly its scale: 25000 of scale 2 is `250.00`. */
export function printDecimal(v: Wide, s: number): string {
  if (s === 0) return String(v);
  const negative = v < 0;
  const digits = String(negative ? -v : v).padStart(s + 1, '0');
  const point = digits.length - s;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Whether a scaled integer fits the precision p. */
export const fits = (v: Wide, p: number): boolean => fitsDigits(v, p);

/** The double nearest to a scaled integer. */
export function decimalToDouble(v: Wide, s: number): number {
  // numerator and power of ten are exact doubles, so the one division rounds once
  if (typeof v === 'number' && s <= 22) return v / pow10(s);
  return Number(printDecimal(v, s));
}

