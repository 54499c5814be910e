import { join } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import { examineLog } from '../connectors/log/examine.ts';
import { bytes, plural } from '../numbers.ts';
import { examineState, type StateFinding } from '../state/examine.ts';
import type { Io, Parsed } from './command.ts';
import { failed, ok, type Check } from './doctor-check.ts';
import { stateFiles } from './state-files.ts';

const size = (f: { readonly bytes: number; readonly whole: boolean }): string => `${bytes(f.bytes)}, ${f.whole ? 'whole' : 'too large to be read as a whole here'}`;

/** The embedded log; no check where there is none yet. */
export function checkLog(data: string): Check[] {
  try {
    const found = examineLog(join(data, 'topics.db'));
    return found === null ? [] : [ok('embedded log', `${plural(found.topics, 'topic')}, ${size(found)}`)];
  } catch (error) {
    return [failed('embedded log', error)];
  }
}

/** Each state of a pipeline. */
export function checkState(p: Parsed, io: Io, c: CompiledPipeline): Check[] {
  const check = (log: string): string => `state ${c.spec.name}@${log}`;
  try {
    return stateFiles(p, io, c).map(({ log, path }) => {
      try {
        const found = examineState(path) as StateFinding;
        return ok(check(log), `epoch ${found.epoch}, ${size(found)}; ${!found.lock.held ? 'does not run now' : found.lock.pid === null ? 'runs now' : `process ${found.lock.pid} runs it`}`);
      } catch (error) {
        return failed(check(log), error);
      }
    });
  } catch (error) {
    return [failed(`state ${c.spec.name}`, error)];
  }
}
