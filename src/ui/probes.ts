import type { JobReport } from '../observe/job.ts';
import { CONTENT_TYPE, prometheusText } from '../observe/prometheus.ts';

/** What other programs ask of a process; numbers and names only, so without a token. */
export const PROBES = ['/healthz', '/readyz', '/metrics'] as const;

export interface Probe {
  readonly status: 200 | 503;
  readonly type: string;
  readonly text: string;
}

const TEXT = 'text/plain; charset=utf-8';

/** `own`: the pipelines run in this process, so it is ready when they are. */
export function probe(path: (typeof PROBES)[number], reports: () => readonly JobReport[], own: boolean): Probe {
  switch (path) {
    case '/metrics': return { status: 200, type: CONTENT_TYPE, text: prometheusText(reports()) };
    case '/healthz': return { status: 200, type: TEXT, text: 'ok\n' };
    case '/readyz': return { ...readiness(own ? reports() : []), type: TEXT };
  }
}

/** States in which a pipeline does what it should. */
const WELL: readonly JobReport['state'][] = ['running', 'paused', 'draining', 'done', 'stopped'];

/** 200 when all pipelines do what they should, else 503 with those that do not. */
function readiness(reports: readonly JobReport[]): Pick<Probe, 'status' | 'text'> {
  const ill = reports.filter(r => !WELL.includes(r.state) || r.away);
  return ill.length === 0 ? { status: 200, text: 'ok\n' } : { status: 503, text: ill.map(r => `${r.pipeline} ${r.away ? 'away' : r.state}\n`).join('') };
}
