import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether there is something at a path. Throws where that cannot be seen (no rights, a loop of links): existsSync says that there is nothing. */
export const present = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * Makes a folder with those above it (0700) where they are missing. Throws what mkdir throws. One at a time: mkdirSync's own `recursive`
 * never ends below /proc, where a folder cannot be made although the one above is there.
 */
export function makeFolders(path: string): void {
  const above = dirname(path);
  if (above !== path && !present(above)) makeFolders(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}
