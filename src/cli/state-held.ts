import { statSync } from 'node:fs';
import { bytes, grouped, plural } from '../numbers.ts';
import { Snapshot } from '../state/backup.ts';

/** What goes with a state file that is deleted. */
export interface Held {
  readonly epoch: number;
  readonly letters: number;
}

/** Null for a file that cannot be read. */
export function look(path: string): Held | null {
  try {
    const state = new Snapshot(path);
    try {
      const [epoch, letters] = ["SELECT value FROM meta WHERE key = 'epoch'", 'SELECT count(*) FROM dead_letters'].map(sql => state.value(sql) as number) as [number, number];
      return { epoch, letters };
    } finally {
      state.close();
    }
  } catch {
    return null;
  }
}

/** Nothing is lost with it. */
export const isEmpty = (found: Held | null): boolean => found !== null && found.epoch === 0 && found.letters === 0;

/** "1.2 MB, epoch 70, 15 dead letters" */
export function heldText(path: string, found: Held | null): string {
  const size = bytes(statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  return `${size}, ${found === null ? 'cannot be read' : `epoch ${grouped(found.epoch)}, ${plural(found.letters, 'dead letter')}`}`;
}
