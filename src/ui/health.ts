import type { JobReport } from '../observe/job.ts';

/** States in which a pipeline does what it should. */
const WELL: readonly JobReport['state'][] = ['running', 'paused', 'draining', 'done'];

/** What `/readyz` says: 200 when all pipelines do what they should, else 503 with those that do not. */
export function readiness(reports: readonly JobReport[]): { readonly status: 200 | 503; readonly text: string } {
  const ill = reports.filter(r => !WELL.includes(r.state) || r.away);
  return ill.length === 0 ? { status: 200, text: 'ok\n' } : { status: 503, text: ill.map(r => `${r.pipeline} ${r.away ? 'away' : r.state}\n`).join('') };
}
