import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PipelineSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';
import { jobId } from './job.ts';

/** The state file of a pipeline on one log. */
export const statePath = (data: string, spec: PipelineSpec, logId: string): string => join(spec.settings.state ?? join(data, 'state'), `${jobId(spec.name, logId)}.db`);

export interface StateFile {
  /** As it is in the file's name. */
  readonly log: string;
  readonly path: string;
}

/** State files of a pipeline, one for each log that it ran on. Throws system.source.unreachable. */
export function stateFilesOf(data: string, spec: PipelineSpec): readonly StateFile[] {
  const folder = dirname(statePath(data, spec, 'x'));
  const found = list(folder).filter(f => f.startsWith(`${spec.name}@`) && f.endsWith('.db')).map(f => f.slice(spec.name.length + 1, -3)).sort();
  return found.map(log => ({ log, path: statePath(data, spec, log) }));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (/^(ENOENT|ENOTDIR)$/.test(code)) return [];
    throw new PipeError('system.source.unreachable', `the state folder ${folder} cannot be read: ${message}`, { cause, hint: 'pipe must be able to read and write it and its files; --data-dir or settings.state names another one' });
  }
}
