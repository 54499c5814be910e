import type { CompiledPipeline } from '../config/compile.ts';
import { PipeError } from '../errors.ts';
import { stateFilesOf, type StateFile } from '../observe/state-places.ts';
import type { Flag, Io, Parsed } from './command.ts';
import { dataDir } from './places.ts';

export const logFlag: Flag = { name: 'log', value: 'ID', summary: 'which state, where the pipeline has run on several logs: embedded, or a Kafka cluster id, as pipe state ls shows it; no broker is asked' };

/** State files of a pipeline, one for each log that it ran on. Throws system.source.unreachable. */
export const stateFiles = (p: Parsed, io: Io, { spec }: CompiledPipeline): readonly StateFile[] => stateFilesOf(dataDir(p, io), spec);

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
