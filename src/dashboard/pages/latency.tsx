import { grouped } from '../../numbers.ts';
import type { HistogramReport, JobReport } from '../../observe/job.ts';
import { seconds } from '../format.ts';
import { Histogram } from '../parts/histogram.tsx';
import { Metric } from '../parts/notes.tsx';
import { quantile } from '../quantile.ts';

const PARTS = [
  ['latency', 'Event to output', 'From the timestamp of a record to the delivery of the commit that counts it. Old records that are read again count with their age.'],
  ['window_close', 'Window end to output', 'From the end of a window to the moment when its rows went out, for each window that closed with rows.'],
  ['commit', 'Commit of the state', 'How long it took to make state, positions and outgoing rows durable.'],
  ['delivery', 'Delivery to the log', 'How long it took to hand the rows of a commit over to the log.'],
] as const;

export function LatencyTab({ job }: { readonly job: JobReport }) {
  return <div class="latency">{PARTS.map(([id, name, text]) => <Part key={id} name={name} text={text} data={job[id]} />)}</div>;
}

function Part({ name, text, data }: { readonly name: string; readonly text: string; readonly data: HistogramReport }) {
  const q = (share: number): string => { const s = quantile(data, share); return s === null ? '-' : s === Infinity ? `> ${seconds(data.le.at(-1) ?? 0)}` : seconds(s); };
  return <section class="card" aria-label={name}>
    <header><h2>{name}</h2><span class="dim">{grouped(data.count)} observed</span></header>
    <div class="body">
      <p class="dim">{text}</p>
      {data.count === 0 ? <p class="nothing">Nothing observed yet.</p> : <>
        <dl class="metrics">
          <Metric name="p50" value={q(0.5)} /><Metric name="p95" value={q(0.95)} /><Metric name="p99" value={q(0.99)} /><Metric name="Mean" value={seconds(data.sum / data.count)} />
        </dl>
        <Histogram data={data} label={name} />
      </>}
    </div>
  </section>;
}
