import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether there is something at a path. Throws where that cannot be seen (no rights, a loop of links): existsSync says that there is nothing. */
export function present(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // below a file there is nothing
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false;
    throw error;
  }
}

/**
 * Makes a folder with those above it (mode 0700, or another one) where they are missing. Throws what mkdir throws. One at a time: mkdirSync's own `recursive`
 * never ends below /proc, where a folder cannot be made although the one above is there.
 */
export function makeFolders(path: string, mode = 0o700): void {
  const above = dirname(path);
  if (above !== path && !present(above)) makeFolders(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (!present(path) || !statSync(path).isDirectory()) throw error;
  }
}
