import type { CompiledPipeline } from '../config/compile.ts';
import { PipeError } from '../errors.ts';
import { clockTime, grouped } from '../numbers.ts';
import { explainModel } from '../observe/explained.ts';
import type { JobReport } from '../observe/job.ts';
import { readJobs } from '../observe/live-files.ts';
import { explainText, sinkPart } from './explain-format.ts';
import { ageLine, isOver, operatorLive, sinkLive, sourceLive } from './job-lines.ts';

/** A plan with how each part of the job goes: the running one, else the last one. Throws user.usage.bad_value where it never ran. */
export function explainLive(c: CompiledPipeline, data: string, logId: string | null, format: 'text' | 'json', now: number): string {
  const report = newest(readJobs(data).filter(r => r.pipeline === c.spec.name && (logId === null || r.log.id === logId)));
  if (report === null) {
    throw new PipeError('user.usage.bad_value', `pipeline "${c.spec.name}" has not run on the data folder ${data}`, { hint: `start it: pipe run ${c.spec.file.name} --follow` });
  }
  const model = explainModel(c);
  if (format === 'json') return `${JSON.stringify({ ...model, live: { ...report, history: undefined } })}\n`;
  const known = new Set(report.operators.map(o => o.id));
  const other = model.operators.some(o => !known.has(o.id)) ? ' · it runs an older version of this file' : '';
  return explainText(model, {
    head: `▸ ${report.state} on ${report.log.label} · epoch ${grouped(report.epoch)} · since ${clockTime(report.started_at, now)}${isOver(report) ? ` · ${ageLine(report, now)}` : ''}${other}`,
    parts: new Map([
      ...report.sources.map(s => [s.id, sourceLive(s, report.at)] as const),
      ...report.operators.map(o => [o.id, operatorLive(o)] as const),
      ...report.sinks.map(s => [sinkPart(s.name), sinkLive(s)] as const),
    ]),
  });
}

/** One that runs comes before one that does not. */
function newest(reports: readonly JobReport[]): JobReport | null {
  const rank = (r: JobReport): number => (isOver(r) ? 0 : 1e15) + r.at;
  return reports.reduce<JobReport | null>((best, r) => (best === null || rank(r) > rank(best) ? r : best), null);
}
