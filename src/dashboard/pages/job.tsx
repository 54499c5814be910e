import { useState } from 'preact/hooks';
import { post, url } from '../api.ts';
import { ALIVE, type JobReport, type JobState } from '../../observe/job.ts';
import { duration, groupCount, grouped } from '../../numbers.ts';
import type { JobAnswer } from '../../ui/answers.ts';
import { ago, perSecond, short } from '../format.ts';
import { info, jobId, jobs, mayAct } from '../live.ts';
import { Confirm } from '../parts/dialog.tsx';
import { say } from '../parts/copy.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { useLoad } from '../parts/load.ts';
import { Empty, Loading, Metric, Problem } from '../parts/notes.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { to } from '../route.ts';
import { GraphTab } from './graph.tsx';
import { deadCount, nowOf, watermarkDelay } from './jobs.tsx';
import { LatencyTab } from './latency.tsx';
import { OutputTab } from './output.tsx';
import { TimeTab } from './time.tsx';

const TABS = [['graph', 'Graph'], ['time', 'Time'], ['latency', 'Latency'], ['output', 'Output']] as const;

export function JobPage({ id, tab }: { readonly id: string; readonly tab: string }) {
  const live = jobs.value?.find(j => jobId(j) === id);
  // a plan is written once per start
  const loaded = useLoad<JobAnswer>(url(['jobs', id], { start: live?.started_at }));
  const job = live ?? (jobs.value === null ? null : loaded.data?.job) ?? null;
  const crumb = <a class="crumb" href={to(['jobs'])} aria-label="All jobs"><Icon name="back" /></a>;
  if (job === null) {
    return <><div class="title">{crumb}<h1>{id}</h1></div>{loaded.error === null || jobs.value === null ? <Loading /> : <Empty title="No such job" command="pipe run pipelines/ --follow">Nothing of this name has run on this data folder.</Empty>}</>;
  }
  const plan = loaded.data?.plan ?? null;
  return <>
    <div class="title">
      {crumb}
      <h1>{job.pipeline}</h1>
      <StateBadge job={job} />
      <span class="dim">{job.log.label}</span>
      <div class="actions"><Controls job={job} /></div>
    </div>
    {job.error === null ? null : <div class="note bad" role="alert"><p><code>{job.error.code}</code> {job.error.message}</p></div>}
    <Figures job={job} />
    <Tabs label="Of this job" base={['jobs', id]} tabs={TABS} current={tab} />
    {tab === 'time' ? <TimeTab job={job} plan={plan} />
      : tab === 'latency' ? <LatencyTab job={job} />
        : tab === 'output' ? <OutputTab job={job} />
          : plan !== null ? <GraphTab job={job} plan={plan} />
            : loaded.error !== null ? <Problem error={loaded.error} /> : loaded.data === null ? <Loading /> : <Empty title="The plan of this job is not known">It ran with an earlier version of pipe. The next start writes it.</Empty>}
  </>;
}

function Figures({ job }: { readonly job: JobReport }) {
  const dead = deadCount(job);
  return <dl class="metrics figures">
    <Metric name="Records in" value={<>{perSecond(job.rate.in)}<small>/s</small></>} title={`${grouped(job.run.records_in)} in this run`} />
    <Metric name="Rows out" value={<>{perSecond(job.rate.out)}<small>/s</small></>} title={`${grouped(job.run.rows_out)} in this run`} />
    <Metric name="Lag" value={short(job.lag)} tone={job.lag > 1000 ? 'warn' : undefined} />
    {job.backlog_s === null ? null : <Metric name="Caught up in" value={duration(job.backlog_s * 1000)} />}
    <Metric name="Watermark" value={watermarkDelay(job)} title="How far it is behind the clock" />
    <Metric name="Groups" value={groupCount(job.keys, job.disk_bytes, short)} title={job.disk_bytes > 0 ? 'Held by all operators; a group counts in each run on disk that it is in' : 'Held by all operators'} />
    <Metric name="Late" value={short(job.run.late)} tone={job.run.late > 0 ? 'warn' : undefined} />
    <Metric name="Bad records" value={dead === 0 ? '0' : <a href={to(['dead', jobId(job)])}>{short(dead)}</a>} tone={dead > 0 ? 'bad' : undefined} />
    <Metric name="Last commit" value={job.last_commit_at === null ? '-' : ago(job.last_commit_at, nowOf(job))} title={`epoch ${job.epoch}`} />
  </dl>;
}

interface Verb {
  readonly verb: string;
  readonly name: string;
  readonly icon: IconName;
  readonly of: readonly JobState[];
  /** Only the process that runs the job can do it. */
  readonly own: boolean;
}

const VERBS: readonly Verb[] = [
  { verb: 'pause', name: 'Pause', icon: 'pause', of: ['running'], own: true },
  { verb: 'resume', name: 'Go on', icon: 'play', of: ['paused'], own: true },
  { verb: 'drain', name: 'Drain', icon: 'stop', of: ['running', 'paused'], own: false },
];

/** What may be done with a job, where anything may be. */
function Controls({ job }: { readonly job: JobReport }) {
  const [asks, setAsks] = useState(false);
  if (!mayAct.value) return null;
  const others = info.value?.own === true ? [] : (jobs.value ?? []).filter(j => j.pid === job.pid && j !== job && ALIVE.includes(j.state)).map(j => j.pipeline);
  const act = (verb: string): void => void post(url(['jobs', jobId(job), verb])).then(() => say(`${job.pipeline}: ${verb} asked for`), (e: Error) => say(e.message));
  return <>
    {VERBS.filter(v => v.of.includes(job.state) && (!v.own || info.value?.own === true)).map(({ verb, name, icon }) => <button key={verb} type="button" onClick={() => (verb === 'drain' ? setAsks(true) : act(verb))}><Icon name={icon} />{name}</button>)}
    {asks ? <Confirm title={`Drain ${job.pipeline}?`} text={`It finishes what it has read, commits and stops. Its state stays: the next run goes on from there.${others.length === 0 ? '' : ` So ${others.length === 1 ? 'does' : 'do'} ${others.join(', ')}: one process runs them all.`}`} verb="Drain" onYes={() => act('drain')} onClose={() => setAsks(false)} /> : null}
  </>;
}
