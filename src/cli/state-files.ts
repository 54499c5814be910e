import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { PipeError } from '../errors.ts';
import type { Flag, Io, Parsed } from './command.ts';
import { dataDir, statePath } from './places.ts';

export const logFlag: Flag = { name: 'log', value: 'ID', summary: 'which state, where the pipeline has run on several logs: embedded, or a Kafka cluster id' };

export interface StateFile {
  readonly log: string;
  readonly path: string;
}

/** State files of a pipeline, one for each log that it ran on. Throws system.source.unreachable. */
export function stateFiles(p: Parsed, io: Io, { spec }: CompiledPipeline): readonly StateFile[] {
  const folder = dirname(statePath(dataDir(p, io), spec, 'x'));
  const found = list(folder).filter(f => f.startsWith(`${spec.name}@`) && f.endsWith('.db')).map(f => f.slice(spec.name.length + 1, -3)).sort();
  return found.map(log => ({ log, path: statePath(dataDir(p, io), spec, log) }));
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

/** The one that is meant. Throws user.usage.bad_value. */
export function stateFile(p: Parsed, io: Io, c: CompiledPipeline): StateFile {
  const all = stateFiles(p, io, c);
  const wanted = p.text('log');
  const chosen = wanted === undefined ? all : all.filter(f => f.log === wanted);
  const [first] = chosen;
  if (first !== undefined && chosen.length === 1) return first;
  if (all.length === 0) throw new PipeError('user.usage.bad_value', `pipeline "${c.spec.name}" has no state in ${dataDir(p, io)}`, { hint: 'it has some once it has run: pipe run' });
  throw new PipeError('user.usage.bad_value', wanted === undefined ? `pipeline "${c.spec.name}" has state of ${all.length} logs` : `pipeline "${c.spec.name}" has no state of log "${wanted}"`, { hint: `--log takes ${all.map(f => f.log).join(', ')}` });
}
