import { statSync } from 'node:fs';
import { bytes, grouped, plural } from '../numbers.ts';
import { Snapshot } from '../state/backup.ts';

/** What goes with a state file that is deleted. */
export interface Held {
  readonly epoch: number;
  readonly letters: number;
  /** Records that dlq replay has sent. */
  readonly replayed: number;
}

/** Null for a file that cannot be read. */
export function look(path: string): Held | null {
  try {
    const state = new Snapshot(path);
    try {
      const [epoch, letters, replayed] = ["SELECT value FROM meta WHERE key = 'epoch'", 'SELECT count(*) FROM dead_letters', "SELECT coalesce(max(value), 0) FROM counters WHERE name = 'replayed'"]
        .map(sql => state.value(sql) as number) as [number, number, number];
      return { epoch, letters, replayed };
    } finally {
      state.close();
    }
  } catch {
    return null;
  }
}

/** Nothing is lost with it. */
export const isEmpty = (found: Held | null): boolean => found !== null && found.epoch === 0 && found.letters === 0;

/** "1.2 MB, epoch 70, 15 dead letters"; and that whoever reads the topics from their start counts twice what was replayed. */
export function heldText(path: string, found: Held | null): string {
  const size = bytes(statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  if (found === null) return `${size}, cannot be read`;
  const copies = found.replayed === 0 ? '' : `; ${plural(found.replayed, 'record')} that dlq replay has sent will count beside the original where both can be read`;
  return `${size}, epoch ${grouped(found.epoch)}, ${plural(found.letters, 'dead letter')}${copies}`;
}
