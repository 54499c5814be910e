import type { Slot } from '../slot.ts';
import type { TextCells } from './text-cells.ts';

/** Where a column's values go. */
export interface Target {
  readonly slot: Slot;
  /** Set: its texts stay bytes. */
  readonly text: TextCells | null;
  /** Ends the names of its variables. */
  readonly name: number;
}

/** The flag of a key and the word that it is in. */
export interface Flag {
  readonly word: string;
  readonly bit: number;
}
