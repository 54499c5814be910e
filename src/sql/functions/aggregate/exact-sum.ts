import { add } from '../../values/wide.ts';
import type { Wide } from '../../types.ts';
import type { Places, StateColumn, StateSlot } from '../define.ts';

/*
 * An exact running sum of integers below 10^15 in two doubles: sum = hi * 2^52 + lo with |lo| < 2^52, so lo + x is never rounded.
 * lo is NaN until the first value: the sum of nothing is NULL.
 */
const CARRY = 4503599627370496;

const orNull = (v: unknown): number | null => (Number.isNaN(v) ? null : (v as number));
const orNaN = (v: unknown): number => (v === null ? NaN : (v as number));

export const sumSlots: readonly StateSlot[] = [
  { name: 'lo', repr: 'f64', column: 'INTEGER', init: () => NaN, save: orNull, load: orNaN },
  { name: 'hi', repr: 'f64', column: 'INTEGER', init: () => 0 },
];

export function addExact(state: readonly StateColumn[], at: number, g: number, x: number): void {
  const low = state[at] as Float64Array;
  const v = low[g] as number;
  let lo = v === v ? v + x : x;
  if (lo >= CARRY || lo <= -CARRY) {
    const high = state[at + 1] as Float64Array;
    const carry = lo > 0 ? 1 : -1;
    lo -= carry * CARRY;
    high[g] = (high[g] as number) + carry;
  }
  low[g] = lo;
}

export const addExactJs = (s: Places, x: string): string =>
  `{ let lo = ${s['lo']} === ${s['lo']} ? ${s['lo']} + ${x} : ${x}; if (lo >= ${CARRY}) { lo -= ${CARRY}; ${s['hi']}++; } else if (lo <= -${CARRY}) { lo += ${CARRY}; ${s['hi']}--; } ${s['lo']} = lo; }`;

export function mergeExact(state: readonly StateColumn[], at: number, g: number, other: readonly StateColumn[], i: number): void {
  const lo = other[at]?.[i] as number;
  if (lo !== lo) return;
  addExact(state, at, g, lo);
  const high = state[at + 1] as Float64Array;
  high[g] = (high[g] as number) + (other[at + 1]?.[i] as number);
}

/** The sum, or null when nothing was added. */
export function exactSum(state: readonly StateColumn[], at: number, g: number): Wide | null {
  const lo = state[at]?.[g] as number;
  const hi = state[at + 1]?.[g] as number;
  if (lo !== lo) return null;
  return hi === 0 ? lo : add(BigInt(hi) * BigInt(CARRY), lo);
}
