import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { PipelineSpec } from '../config/spec.ts';
import { jobId } from '../observe/live-names.ts';
import type { Io, Parsed } from './command.ts';

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

/** The state file of a pipeline on one log. */
export const statePath = (data: string, spec: PipelineSpec, logId: string): string => join(spec.settings.state ?? join(data, 'state'), `${jobId(spec.name, logId)}.db`);
