import { duration, groupCount, grouped, plural } from '../../numbers.ts';
import type { JobReport, PartitionReport, SourceReport } from '../../observe/job.ts';
import type { PlanReport } from '../../observe/plan.ts';
import { behind, short, time } from '../format.ts';
import { Command } from '../parts/copy.tsx';
import { Empty } from '../parts/notes.tsx';
import { why } from '../why.ts';

export function TimeTab({ job, plan }: { readonly job: JobReport; readonly plan: PlanReport | null }) {
  const cause = why(job, plan);
  const timed = job.sources.filter(s => s.event_time);
  return <>
    <div class={`note why ${job.state === 'failed' || job.state === 'crashed' ? 'bad' : ''}`}>
      <p><strong>{cause.title}</strong> {cause.text}</p>
      {cause.command === undefined ? null : <Command text={cause.command} />}
    </div>
    {job.sources.map(s => <Source key={s.id} job={job} source={s} delay={plan?.sources.find(p => p.id === s.id)?.event_time?.delay_ms ?? null} />)}
    {timed.length === 0 ? null : <Windows job={job} />}
  </>;
}

const STATES = { live: 'good', idle: 'warn', done: 'quiet' } as const;

function Source({ job, source, delay }: { readonly job: JobReport; readonly source: SourceReport; readonly delay: number | null }) {
  const times = source.partitions.flatMap(p => (p.max_event_time === null ? [] : [p.max_event_time]));
  const newest = Math.max(...times);
  return <section class="card" aria-label={`Time of ${source.name}`}>
    <header>
      <h2>{source.name}</h2>
      {source.event_time ? <span class="dim">watermark <b class="ink">{source.watermark === null ? 'none yet' : `${time(source.watermark, job.at)} UTC`}</b>{source.watermark === null ? null : `, ${behind(source.watermark, job.at)} behind the clock`}{delay === null ? null : ` · delay ${duration(delay)}`}</span> : <span class="dim">no event time in use</span>}
    </header>
    <div class="scroll"><table>
      <thead><tr><th>Partition</th><th>State</th>{source.event_time ? <><th>Newest event</th><th class="wide">Lead over the watermark</th></> : null}<th class="num">Position</th><th class="num">End</th><th class="num">Lag</th></tr></thead>
      <tbody>{source.partitions.map(p => <tr key={p.partition}>
        <th scope="row" class="ink">{p.partition}</th>
        <td><span class={`badge ${STATES[p.state] ?? 'quiet'}`}>{p.state}</span>{source.holder === p.partition ? <span class="badge info holder">holds the watermark</span> : null}</td>
        {source.event_time ? <><td class="nowrap">{time(p.max_event_time, job.at)}</td><td class="wide"><Lead p={p} source={source} newest={newest} /></td></> : null}
        <td class="num">{grouped(p.position)}</td><td class="num">{grouped(p.end)}</td><td class="num">{short(Math.max(0, p.end - p.position))}</td>
      </tr>)}</tbody>
    </table></div>
  </section>;
}

/** How far a partition is ahead of the watermark, beside the others. */
function Lead({ p, source, newest }: { readonly p: PartitionReport; readonly source: SourceReport; readonly newest: number }) {
  if (p.max_event_time === null || source.watermark === null) return <span class="dim">-</span>;
  const lead = p.max_event_time - source.watermark;
  const share = Math.max(0, Math.min(1, lead / Math.max(1, newest - source.watermark)));
  return <span class="lead"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="6" /><rect class={source.holder === p.partition ? 'fill holder' : 'fill'} width={100 * share} height="6" /></svg><span>{lead < 0 ? '-' : '+'}{duration(Math.abs(lead))}</span></span>;
}

function Windows({ job }: { readonly job: JobReport }) {
  const all = job.operators.filter(o => o.windows.length > 0);
  if (all.length === 0 && job.operators.some(o => o.open_windows === null)) return <Empty title="Its windows are not listed">Worker threads hold them: {plural(job.keys, 'group')} in all.</Empty>;
  if (all.length === 0) return <Empty title="No window is open">Windows appear here as soon as a row falls into one, and go when they close.</Empty>;
  return <>{all.map(o => <section class="card" key={o.id} aria-label={`Open windows of ${o.id}`}>
    <header><h2>Open windows of {o.id}</h2><span class="dim">{(o.open_windows ?? 0) > o.windows.length ? `the first ${o.windows.length} of ${grouped(o.open_windows as number)} to close` : grouped(o.windows.length)}</span></header>
    <div class="scroll windows" tabIndex={0} role="group" aria-label={`Open windows of ${o.id}, a table`}><table>
      <thead><tr><th>Start</th><th>End</th><th class="num">Groups</th><th>Closes after</th></tr></thead>
      <tbody>{o.windows.map(w => <tr key={`${w.start} ${w.end}`}>
        <td class="nowrap">{time(w.start, job.at, true)}</td><td class="nowrap">{time(w.end, job.at, true)}</td><td class="num">{groupCount(w.keys, o.disk_bytes)}</td>
        <td>{o.watermark === null ? 'the first watermark' : w.end - 1 <= o.watermark ? 'the next commit' : `${duration(w.end - 1 - o.watermark)} of event time`}</td>
      </tr>)}</tbody>
    </table></div>
  </section>)}</>;
}
