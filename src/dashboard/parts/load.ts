import { useEffect, useState } from 'preact/hooks';
import { get } from '../api.ts';

export interface Loaded<T> {
  readonly data: T | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** The answer at `path` (null: nothing to ask), asked again when the path changes, when `again` is called, and each `every` ms if given. */
export function useLoad<T>(path: string | null, every?: number): Loaded<T> {
  const [answer, setAnswer] = useState<{ readonly path: string | null; readonly data: T | null; readonly error: unknown }>({ path: null, data: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    const ask = (): void => void get<T>(path, stop.signal).then(
      data => setAnswer({ path, data, error: null }),
      (error: unknown) => { if (!stop.signal.aborted) setAnswer(old => ({ path, data: old.path === path ? old.data : null, error })); },
    );
    ask();
    const timer = every === undefined ? undefined : setInterval(ask, every);
    return () => { stop.abort(); clearInterval(timer); };
  }, [path, turn]);
  const fresh = answer.path === path;
  return { data: fresh ? answer.data : null, error: fresh ? answer.error : null, again: () => setTurn(turn + 1) };
}
