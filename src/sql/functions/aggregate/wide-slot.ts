import { add, canonical } from '../../values/wide.ts';
import type { Wide } from '../../types.ts';
import type { StateColumn, StateSlot } from '../define.ts';

/** An integer of any size, or null; TEXT in the state file, where an INTEGER ends at 2^63. */
export const wideSlot = (name: string, init: Wide | null): StateSlot => ({
  name, repr: 'any', column: 'TEXT', init: () => init,
  save: v => (v === null ? null : String(v)),
  load: v => (v === null ? null : canonical(BigInt(v as string))),
});

/** A count that starts at 0. */
export const countSlot = (name: string): StateSlot => ({ name, repr: 'f64', column: 'INTEGER', init: () => 0 });

/** Adds slot `at` of another group, a sum that is null for no values. */
export function mergeWide(state: readonly StateColumn[], at: number, g: number, other: readonly StateColumn[], i: number): void {
  const x = other[at]?.[i] as Wide | null;
  const column = state[at] as (Wide | null)[];
  if (x !== null) column[g] = add(column[g] ?? 0, x);
}

/** Adds slot `at` of another group, a count. */
export function mergeCount(state: readonly StateColumn[], at: number, g: number, other: readonly StateColumn[], i: number): void {
  (state[at] as Float64Array)[g] = (state[at]?.[g] as number) + (other[at]?.[i] as number);
}
