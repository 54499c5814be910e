import type { CompiledPipeline } from '../config/compile.ts';
import { plural } from '../numbers.ts';
import { explainModel } from '../observe/explained.ts';
import type { Io } from './command.ts';
import { explainText } from './explain-format.ts';
import type { Looked } from './lookers.ts';
import { LiveView } from './live.ts';
import type { Board, Messages } from './messages.ts';
import { ProgressLog } from './progress-log.ts';
import { harmless } from './text-width.ts';

export interface BoardOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly logs: boolean;
  readonly rows: () => readonly string[];
  /** Drains all jobs. */
  readonly drain: () => void;
}

/** What shows how a run goes: the live view on a terminal, with its keys, else lines of JSON; null where nobody wants either. */
export function makeBoard(io: Io, messages: Messages, jobs: readonly Looked[], o: BoardOptions): Board | null {
  const following = jobs.some(j => j.following);
  const shown = jobs.map(j => ({ progress: () => j.runtime.progress(), away: () => j.log.away() }));
  if (o.quiet || (o.json && !following)) return null;
  if (!io.err.isTTY || o.json || o.logs) return new ProgressLog(io.err, shown);
  const { label } = (jobs[0] as Looked).log;
  const keys = io.keys === null ? 'Ctrl-C drains' : 'q quit  p pause  e explain';
  const view = new LiveView(io.err, shown, { title: `${plural(jobs.length, 'job')} · ${label} · ${following ? 'following' : 'until-end'} · ${keys}`, following, rows: o.rows });
  const stopKeys = io.keys?.(key => pressed(key, jobs, view, () => messages.above(() => io.err.write(plans(jobs.map(j => j.compiled)))), o.drain));
  return { above: print => view.above(print), stop: () => { stopKeys?.(); view.stop(); } };
}

function pressed(key: string, jobs: readonly Looked[], view: LiveView, explain: () => void, drain: () => void): void {
  switch (key) {
    case 'q': drain(); break;
    case 'p': {
      const paused = jobs.some(j => j.runtime.state === 'paused');
      for (const { runtime } of jobs) if (paused) runtime.resume(); else runtime.pause();
      break;
    }
    case 'e': explain(); break;
    default: return;
  }
  view.draw();
}

const plans = (compiled: readonly CompiledPipeline[]): string => compiled.map(c => explainText(explainModel(c)).split('\n').map(harmless).join('\n')).join('\n');
