import { statSync } from 'node:fs';

/** Why the file that a pipeline came from can no longer be read; null: it can. */
export function fileGone(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  // what stands there is another one in each process
  const ofProcess = /^\/(dev|proc)\//.test(file);
  if (found?.isFile() === true && !ofProcess) return null;
  return found === undefined && !ofProcess ? `its file ${file} is gone` : `it came from ${file}, which gives it only once`;
}

/** How a hint calls a pipeline for commands that take its file: as it is shown, or, where that can be read only once, by what does for any file. */
export const askFor = (file: string, shown: string): string => (fileGone(file) === null ? shown : '- < FILE');
