import { statSync } from 'node:fs';
import { PipeError } from '../../errors.ts';
import { Database } from '../../state/database.ts';
import { CHECKED_BYTES } from '../../state/open.ts';
import { inspectLog, isLog, logError } from './file.ts';

export interface LogFinding {
  readonly topics: number;
  readonly bytes: number;
  /** Read as a whole; larger files are not. */
  readonly whole: boolean;
}

/** Looks at the file of an embedded log; null when there is none. Throws system.state.* and system.source.unreachable. */
export function examineLog(path: string): LogFinding | null {
  if (!isLog(path)) return null;
  try {
    inspectLog(path);
    const bytes = statSync(path).size;
    const whole = bytes <= CHECKED_BYTES;
    const db = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const found = whole ? db.pragma('quick_check(1)', { simple: true }) as string : 'ok';
      if (found !== 'ok') throw new PipeError('system.state.corrupt', `the embedded log ${path} is damaged: ${found.split('\n')[0]}`, { hint: 'restore a copy of it (pipe state restore --with-topics), or move it away and start again with --reset-state' });
      return { topics: db.prepare('SELECT count(*) FROM topics').pluck().get() as number, bytes, whole };
    } finally {
      db.close();
    }
  } catch (error) {
    throw logError(path, error);
  }
}
