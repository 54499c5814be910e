import { duration, grouped, plural } from '../../numbers.ts';
import { ALIVE, type JobReport } from '../../observe/job.ts';
import { ago, behind, perSecond, short, time } from '../format.ts';
import { jobId, jobs } from '../live.ts';
import { Empty, Loading, Metric } from '../parts/notes.tsx';
import { useRoving } from '../parts/roving.ts';
import { Sparkline } from '../parts/sparkline.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { to } from '../route.ts';

const sum = (all: readonly JobReport[], of: (j: JobReport) => number): number => all.reduce((n, j) => n + of(j), 0);

/** Those that need somebody first, then by name. */
const urgency = (j: JobReport): number => (j.state === 'failed' || j.state === 'crashed' ? 0 : j.away ? 1 : j.state === 'done' || j.state === 'stopped' ? 3 : 2);

export function JobsPage() {
  const list = useRoving<HTMLUListElement>();
  const all = jobs.value;
  if (all === null) return <><h1>Jobs</h1><Loading /></>;
  if (all.length === 0) return <><h1>Jobs</h1><Empty title="No pipeline has run here yet" command="pipe run pipelines/ --follow">Start one in a terminal. It appears here at once, and stays when it stops.</Empty></>;
  const active = all.filter(j => j.state === 'running' || j.state === 'starting' || j.state === 'draining');
  const sorted = [...all].sort((a, b) => urgency(a) - urgency(b) || jobId(a).localeCompare(jobId(b)));
  return <>
    <div class="title">
      <h1>Jobs</h1>
      <p class="sum">{active.length} of {plural(all.length, 'job')} running · {perSecond(sum(active, j => j.rate.in))} in/s · {perSecond(sum(active, j => j.rate.out))} out/s · lag {short(sum(active, j => j.lag))}</p>
    </div>
    <ul class="jobs" ref={list}>{sorted.map(j => <Job key={jobId(j)} job={j} />)}</ul>
    <Problems all={all} />
  </>;
}

/** What its times are compared with: a job that has ended stays where it was while the clock goes on. */
export const nowOf = (job: JobReport): number => (ALIVE.includes(job.state) ? job.at : Date.now());

/** The delay of the slowest source that has one. */
export function watermarkDelay(job: JobReport): string {
  const marks = job.sources.flatMap(s => (s.watermark === null ? [] : [s.watermark]));
  return marks.length === 0 ? '-' : behind(Math.min(...marks), nowOf(job));
}

export const deadCount = (job: JobReport): number => job.run.undecodable + job.run.future + job.run.failed;

function Job({ job }: { readonly job: JobReport }) {
  const full = 600_000 / job.history.every_ms;
  const dead = deadCount(job);
  return <li class="card job">
    <div class="who">
      <h2><a data-row href={to(['jobs', jobId(job)])}>{job.pipeline}</a></h2>
      <StateBadge job={job} />
      <p class="dim">{job.log.label}</p>
      <p class="dim">{job.state === 'running' ? `up ${duration(job.at - job.started_at)} · pid ${job.pid}` : `since ${time(job.at, Date.now())}`}</p>
    </div>
    <Rate name="in" value={job.rate.in} job={job} full={full} />
    <Rate name="out" value={job.rate.out} job={job} full={full} />
    <dl class="metrics">
      <Metric name="Lag" value={short(job.lag)} tone={job.lag > 1000 ? 'warn' : undefined} title={job.backlog_s === null ? undefined : `worked off in about ${duration(job.backlog_s * 1000)}`} />
      <Metric name="Watermark" value={watermarkDelay(job)} title="How far it is behind the clock" />
      <Metric name="Late" value={short(job.run.late)} tone={job.run.late > 0 ? 'warn' : undefined} />
      <Metric name="Bad records" value={short(dead)} tone={dead > 0 ? 'bad' : undefined} />
      <Metric name="Restarts" value={grouped(job.restarts)} />
      <Metric name="Last commit" value={job.last_commit_at === null ? '-' : ago(job.last_commit_at, nowOf(job))} title={`epoch ${job.epoch}`} />
    </dl>
    {job.error === null ? null : <p class="failure"><code>{job.error.code}</code> {job.error.message}</p>}
  </li>;
}

function Rate({ name, value, job, full }: { readonly name: 'in' | 'out'; readonly value: number; readonly job: JobReport; readonly full: number }) {
  const values = job.history[name];
  const total = name === 'in' ? job.run.records_in : job.run.rows_out;
  return <div class="rate">
    <p><span class="name">{name === 'in' ? 'Records in' : 'Rows out'}</span> <b>{perSecond(value)}</b><span class="unit">/s</span><span class="total">{short(total)} in this run</span></p>
    <Sparkline values={values} full={full} tone={name} label={`${name === 'in' ? 'Records in' : 'Rows out'} a second, last ten minutes: now ${perSecond(value)}, at most ${perSecond(Math.max(0, ...values))}`} />
  </div>;
}

function Problems({ all }: { readonly all: readonly JobReport[] }) {
  const now = Date.now();
  const recent = all.flatMap(j => j.problems.map(p => ({ ...p, job: j }))).sort((a, b) => b.at - a.at).slice(0, 20);
  return <section aria-labelledby="problems">
    <h2 id="problems">Last errors</h2>
    {recent.length === 0 ? <p class="dim">None. Bad records and failures appear here, newest first.</p> : <ol class="problems card">
      {recent.map((p, i) => <li key={`${p.at}/${i}`}>
        <time dateTime={new Date(p.at).toISOString()}>{time(p.at, now)}</time>
        <a href={to(['jobs', jobId(p.job)])}>{p.job.pipeline}</a>
        <code>{p.code}</code>
        <span class="words">{p.message}{p.where === null ? null : <span class="dim"> · {p.where}</span>}</span>
      </li>)}
    </ol>}
  </section>;
}
