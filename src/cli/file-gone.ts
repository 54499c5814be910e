import { statSync } from 'node:fs';

/** Why the file that a pipeline came from can no longer be read; null: it can. */
export function fileGone(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  // what stands there is another one in each process
  const ofProcess = /^\/(dev|proc)\//.test(file);
  if (found?.isFile() === true && !ofProcess) return null;
  return found === undefined && !ofProcess ? `its file ${file} is gone` : `it came from ${file}, which gives it only once`;
}
