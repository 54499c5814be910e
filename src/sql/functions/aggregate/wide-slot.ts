import { canonical } from '../../values/wide.ts';
import type { Wide } from '../../types.ts';
import type { StateSlot } from '../define.ts';

/** An integer of any size, or null; TEXT in the state file, where an INTEGER ends at 2^63. */
export const wideSlot = (name: string, init: Wide | null): StateSlot => ({
  name, repr: 'any', column: 'TEXT', init: () => init,
  save: v => (v === null ? null : String(v)),
  load: v => (v === null ? null : canonical(BigInt(v as string))),
});

/** A count that starts at 0. */
export const countSlot = (name: string): StateSlot => ({ name, repr: 'f64', column: 'INTEGER', init: () => 0 });
