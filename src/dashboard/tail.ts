import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProblemAnswer, TopicRecord } from '../ui/answers.ts';
import { ApiError, url } from './api.ts';
import { bind } from './keys.ts';
import { listen, type Connection } from './stream.ts';

/** So many rows are kept; older ones leave. */
const KEPT = 10_000;
/** Rows that come in between are shown together. */
const SHOW_MS = 200;

export interface Tail {
  readonly rows: readonly TopicRecord[];
  /** Came and were not shown: too many, or while it was frozen. */
  readonly skipped: number;
  readonly state: Connection;
  readonly error: unknown;
  readonly clear: () => void;
  /** Frozen, what comes is counted only. */
  readonly frozen: boolean;
  /** Freezes or goes on. */
  readonly freeze: () => void;
}

/** Records of a topic as they come, oldest first; null: none is followed. The key f freezes. */
export function useTail(topic: { readonly log: string; readonly name: string; readonly partition?: string | undefined; readonly filter?: string | undefined } | null): Tail {
  const [shown, setShown] = useState<{ readonly rows: readonly TopicRecord[]; readonly skipped: number }>({ rows: [], skipped: 0 });
  const [state, setState] = useState<Connection>('connecting');
  const [error, setError] = useState<unknown>(null);
  const [frozen, setFrozen] = useState(false);
  const stopped = useRef(frozen);
  stopped.current = frozen;
  const freeze = (): void => setFrozen(f => !f);
  useEffect(() => bind('f', freeze), []);
  const path = topic === null ? null : url(['topics', topic.name, 'tail'], { log: topic.log, partition: topic.partition, filter: topic.filter });
  useEffect(() => {
    setShown({ rows: [], skipped: 0 });
    setError(null);
    if (path === null) return;
    let [fresh, skipped]: [TopicRecord[], number] = [[], 0];
    const end = listen(path, {
      event: (name, data) => {
        if (name === 'skipped') skipped += (data as { n: number }).n;
        else if (name === 'problem') { setError(ApiError.of(400, data as ProblemAnswer)); end(); }
        else if (name === 'records' && stopped.current) skipped += (data as TopicRecord[]).length;
        else if (name === 'records') fresh.push(...data as TopicRecord[]);
      },
      state: setState,
      refused: setError,
    });
    const timer = setInterval(() => {
      if (fresh.length === 0 && skipped === 0) return;
      const [rows, n] = [fresh, skipped];
      [fresh, skipped] = [[], 0];
      setShown(old => ({ rows: rows.length === 0 ? old.rows : [...old.rows, ...rows].slice(-KEPT), skipped: old.skipped + n }));
    }, SHOW_MS);
    return () => { end(); clearInterval(timer); };
  }, [path]);
  return { ...shown, state, error, clear: () => setShown({ rows: [], skipped: 0 }), frozen, freeze };
}
