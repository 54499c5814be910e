import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Io, Parsed } from './command.ts';

export { statePath } from '../observe/state-places.ts';

/** The nearest folder upward that holds `pipelines/`; the folder itself when there is none. */
export function projectRoot(cwd: string): string {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'pipelines'))) return dir;
    if (dir === dirname(dir)) return resolve(cwd);
  }
}

/** Folder of topics and state: `--data-dir`, PIPE_DATA_DIR, or `.pipe/` of the project. */
export function dataDir(p: Parsed, io: Io): string {
  const given = p.text('data-dir') ?? (io.env['PIPE_DATA_DIR'] || undefined);
  return given === undefined ? join(projectRoot(io.cwd), '.pipe') : resolve(io.cwd, given);
}
