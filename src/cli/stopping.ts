import type { Log } from '../connectors/connector.ts';

/** ms of a drain that nobody needs to hear of. */
const PATIENCE_MS = 1000;

/** A job that has not ended yet. */
export interface Draining {
  readonly name: string;
  readonly log: Pick<Log, 'kind' | 'label'>;
  /** The epoch that is on its way, or the last one. */
  readonly epoch: number;
}

/** What a drain waits for, in one line. `byUser`: a signal has begun it, so the next one ends it at once. */
export function stoppingLine(jobs: readonly Draining[], of: number, o: { readonly unread: boolean; readonly drainMs: number; readonly byUser: boolean }): string {
  const [first] = jobs as readonly [Draining];
  const names = of > 1 ? ` ${jobs.map(j => j.name).join(', ')}` : '';
  const epochs = [...new Set(jobs.map(j => j.epoch))];
  const what = o.unread ? 'for stdout to be read' : first.log.kind === 'kafka' ? `for ${first.log.label} to take epoch ${epochs.join(', ')}` : 'for the last epoch to be written';
  return `stopping${names}: waiting ${what} (at most ${Math.round(o.drainMs / 1000)} s)${o.byUser ? '; Ctrl-C again leaves at once' : ''}`;
}

/** Calls `say` when the signal came a second ago; the returned function calls it off. */
export function afterPatience(signal: AbortSignal, say: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const arm = (): void => { timer = setTimeout(say, PATIENCE_MS); };
  if (signal.aborted) arm();
  else signal.addEventListener('abort', arm);
  return () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', arm);
  };
}
