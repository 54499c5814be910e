import { duration, groupCount, grouped, plural } from '../numbers.ts';
import type { JobReport } from '../observe/job.ts';
import type { ExplainedOperator, PlanReport } from '../observe/plan.ts';
import { time } from './format.ts';

export interface Why {
  readonly title: string;
  readonly text: string;
  /** For a terminal. */
  readonly command?: string | undefined;
}

/** Why there is output, or why there is none yet, from the figures of a job: the first cause that holds. */
export function why(job: JobReport, plan: PlanReport | null): Why {
  const { run } = job;
  const topics = [...new Set(job.sources.map(s => s.topic))];
  const bad = run.undecodable + run.future;
  if (job.state === 'failed') return { title: 'It has failed.', text: job.error === null ? 'The last errors are on the page of all jobs.' : `${job.error.message} (${job.error.code})`, command: `pipe run ${job.pipeline}` };
  if (job.state === 'crashed') return { title: 'Its process is gone.', text: 'It ended without a last word. Nothing is lost: the next run goes on from the last commit.', command: `pipe run ${job.pipeline}` };
  if (job.state === 'paused') return { title: 'It is paused.', text: 'It reads nothing until it goes on.' };
  if (job.state === 'done') return { title: run.rows_out > 0 ? `It is done: ${plural(run.rows_out, 'row')} went out.` : 'It is done, and no row came out.', text: run.rows_out > 0 ? 'It has read its input to the end.' : none(job, plan) };
  if (job.state === 'stopped') return { title: 'It was stopped before its end.', text: `${plural(run.records_in, 'record')} came and ${plural(run.rows_out, 'row')} went out. Nothing is lost: the next run goes on from there.`, command: `pipe run ${job.pipeline}` };
  if (job.away) return { title: 'Its broker does not answer.', text: 'It tries again without end, and goes on by itself.', command: 'pipe doctor' };
  if (run.records_in === 0 && job.lag === 0) {
    return { title: 'No record has come yet.', text: `It waits for new records in ${topics.join(', ')}.`, command: `pipe topics tail ${topics[0] ?? 'TOPIC'} -n 5` };
  }
  if (bad > 0 && bad === run.records_in) return { title: 'Every record was refused.', text: `${plural(bad, 'record')} came and none could be used${job.dead[0] === undefined ? '' : `, most for ${job.dead[0].code}`}.`, command: `pipe dlq show ${job.pipeline}` };
  const waits = waiting(job, plan);
  if (run.rows_out > 0) return { title: `Output flows: ${plural(run.rows_out, 'row')} in this run.`, text: waits ?? (job.lag > 0 ? backlog(job) : 'It is up to date.') };
  if (waits !== null) return { title: 'A window has to close first.', text: waits };
  if (job.lag > 0) return { title: 'It is catching up.', text: backlog(job) };
  return { title: 'Nothing came through.', text: none(job, plan) };
}

const backlog = (job: JobReport): string => `${plural(job.lag, 'record')} lie before it${job.backlog_s === null ? '' : `, about ${duration(job.backlog_s * 1000)} at the present rate`}.`;

function none({ run, operators }: JobReport, plan: PlanReport | null): string {
  // records that WHERE left out are counted; of groups there is what came in and what went out
  const groups = (plan?.operators ?? []).filter(p => p.kind === 'select' && overGroups(p, plan)).map(p => {
    const o = operators.find(x => x.id === p.id);
    const clauses = ['HAVING', 'WHERE'].filter(c => p.does.some(d => d.startsWith(`${c} `))).join(' and ');
    return { clauses, n: o === undefined || clauses === '' ? 0 : (o.rows_in ?? 0) - (o.rows_out ?? 0) - o.failed };
  });
  const left = (clauses: string): number => groups.filter(g => g.clauses === clauses).reduce((sum, g) => sum + g.n, 0);
  const causes = [
    [run.filtered + left('WHERE'), 'did not meet WHERE'], [left('HAVING'), 'did not meet HAVING'], [left('HAVING and WHERE'), 'did not meet HAVING and WHERE'],
    [run.late, 'came late'], [run.undecodable + run.future, 'could not be used'], [run.failed, 'failed in an expression'],
  ] as const;
  const said = causes.filter(c => c[0] > 0).map(([n, what]) => `${grouped(n)} ${what}`);
  return said.length === 0 ? `${plural(run.records_in, 'record')} came, and made no row.` : `Of ${plural(run.records_in, 'record')} and the rows made of them, ${said.join(', ')}.`;
}

/** Whether what an operator reads comes of a grouping. */
function overGroups(p: ExplainedOperator, plan: PlanReport | null): boolean {
  const input = plan?.operators.find(o => o.id === p.input);
  return input !== undefined && (input.kind === 'aggregate' || overGroups(input, plan));
}

/** When the next window closes and what it waits for; null: none is open. */
function waiting(job: JobReport, plan: PlanReport | null): string | null {
  const open = job.operators.flatMap(o => o.windows.map(w => ({ ...w, watermark: o.watermark, disk: o.disk_bytes }))).sort((a, b) => a.end - b.end)[0];
  if (open === undefined) return null;
  const name = `The next window, ${time(open.start, job.at)} to ${time(open.end, job.at)}, holds ${groupCount(open.keys, open.disk)} ${open.keys === 1 ? 'group' : 'groups'}`;
  if (open.watermark === null) return `${name} and waits for a first watermark.`;
  const missing = open.end - 1 - open.watermark;
  if (missing <= 0) return `${name} and closes with the next commit.`;
  const source = job.sources.filter(s => s.event_time && s.holder !== null).sort((a, b) => (a.watermark ?? -Infinity) - (b.watermark ?? -Infinity))[0];
  const holder = source?.partitions.find(p => p.partition === source.holder);
  const held = source === undefined || holder === undefined ? '' : ` Partition ${holder.partition} of ${source.topic} holds it: its last event is of ${time(holder.max_event_time, job.at)}.`;
  const timing = plan?.sources.find(s => s.id === source?.id)?.event_time ?? null;
  const idle = !job.following ? ' It closes at the end of the input.' : timing === null ? '' : ` Newer events there close it, or ${duration(timing.idle_ms)} of silence.`;
  return `${name}. It closes when the watermark passes ${time(open.end - 1, job.at, true)}; the watermark is ${time(open.watermark, job.at)}, ${duration(missing)} before that.${held}${idle}`;
}
