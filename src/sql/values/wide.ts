import type { Wide } from '../types.ts';

/**
 * Integers of any size in canonical form: a JS number when Number.isSafeInteger (never -0), else a bigint.
 * Each operation computes in doubles while the result is safe, and only then in bigint.
 */
export const canonical = (b: bigint): Wide => (b >= -9007199254740991n && b <= 9007199254740991n ? Number(b) : b);

/** Canonical form of an integral double of any magnitude. */
export const fromInteger = (x: number): Wide => (Number.isSafeInteger(x) ? x + 0 : BigInt(x));

export function add(a: Wide, b: Wide): Wide {
  if (typeof a === 'number' && typeof b === 'number') {
    const r = a + b;
    if (Number.isSafeInteger(r)) return r;
  }
  return canonical(BigInt(a) + BigInt(b));
}

export function sub(a: Wide, b: Wide): Wide {
  if (typeof a === 'number' && typeof b === 'number') {
    const r = a - b;
    if (Number.isSafeInteger(r)) return r;
  }
  return canonical(BigInt(a) - BigInt(b));
}

export function mul(a: Wide, b: Wide): Wide {
  if (typeof a === 'number' && typeof b === 'number') {
    const r = a * b;
    if (Number.isSafeInteger(r)) return r + 0;
  }
  return canonical(BigInt(a) * BigInt(b));
}

export const neg = (a: Wide): Wide => (typeof a === 'number' ? 0 - a : canonical(-a));

export const abs = (a: Wide): Wide => (a < 0 ? neg(a) : a);

/** JavaScript compares numbers with bigints exactly. */
export const cmp = (a: Wide, b: Wide): number => (a < b ? -1 : a > b ? 1 : 0);

/** Quotient truncated towards zero; `b` is not 0. */
export function divTrunc(a: Wide, b: Wide): Wide {
  // a / b rounds; a - a % b is an exact multiple of b
  if (typeof a === 'number' && typeof b === 'number') return (a - (a % b)) / b + 0;
  return canonical(BigInt(a) / BigInt(b));
}

/** Remainder with the sign of `a`; `b` is not 0. */
export function rem(a: Wide, b: Wide): Wide {
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return canonical(BigInt(a) % BigInt(b));
}

/** Quotient rounded half away from zero; `d` is positive. */
export function divHalfUp(n: bigint, d: bigint): bigint {
  const q = n / d;
  const r = n % d;
  const twice = r < 0n ? -2n * r : 2n * r;
  return twice < d ? q : n < 0n ? q - 1n : q + 1n;
}

const bigPowers: readonly bigint[] = Array.from({ length: 80 }, (_, n) => 10n ** BigInt(n));
const powers: readonly number[] = Array.from({ length: 23 }, (_, n) => Number(`1e${n}`));

/** 10^n for n <= 79; beyond, computed. */
export const bigPow10 = (n: number): bigint => bigPowers[n] ?? 10n ** BigInt(n);

/** 10^n as a double: exact, n <= 22. */
export const pow10 = (n: number): number => powers[n] as number;

/** A scaled integer of scale `from` at scale `to`, rounded half away from zero. */
export function rescale(v: Wide, from: number, to: number): Wide {
  if (from === to) return v;
  const n = to - from;
  if (n > 0) return n <= 15 ? mul(v, pow10(n)) : canonical(BigInt(v) * bigPow10(n));
  if (typeof v === 'number' && n >= -15) return roundAt(v, pow10(-n));
  return canonical(divHalfUp(BigInt(v), bigPow10(-n)));
}

/** v / d rounded half away from zero; `v` is safe, `d` a power of ten up to 10^15. */
function roundAt(v: number, d: number): number {
  const r = v % d;
  const q = (v - r) / d;
  const up = 2 * Math.abs(r) >= d;
  return (up ? (v < 0 ? q - 1 : q + 1) : q) + 0;
}

/** A scaled integer of scale `from` at a smaller scale, towards zero. */
export const truncateScale = (v: Wide, from: number, to: number): Wide => divTrunc(v, canonical(bigPow10(from - to)));

/** Largest integer <= v / 10^scale. */
export function floorScale(v: Wide, scale: number): Wide {
  const q = truncateScale(v, scale, 0);
  return v < 0 && cmp(rescale(q, 0, scale), v) !== 0 ? sub(q, 1) : q;
}

/** Whether |v| has at most `p` decimal digits. */
export const fitsDigits = (v: Wide, p: number): boolean => {
  const limit = p <= 15 ? pow10(p) : bigPow10(p);
  return typeof v === 'number' ? v < limit && v > -limit : v < limit && v > -limit;
};

const MIN_BIGINT = -(2n ** 63n);
const MAX_BIGINT = 2n ** 63n - 1n;

export const fitsBigint = (v: Wide): boolean => typeof v === 'number' || (v >= MIN_BIGINT && v <= MAX_BIGINT);
