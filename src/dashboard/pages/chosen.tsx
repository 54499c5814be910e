import type { ComponentChildren } from 'preact';
import { bytes, duration, groupCount, grouped } from '../../numbers.ts';
import type { JobReport } from '../../observe/job.ts';
import type { ExplainedOperator, ExplainedSink, ExplainedSource, PlanReport } from '../../observe/plan.ts';
import { percent, time } from '../format.ts';
import { sinkId } from '../layout.ts';
import { Icon } from '../parts/icon.tsx';
import { Sql } from '../parts/sql.tsx';
import { to } from '../route.ts';

type Facts = readonly (readonly [name: string, value: ComponentChildren])[];

/** All about one box of the graph: its figures, and its part of the SQL. */
export function Chosen({ job, plan, id }: { readonly job: JobReport; readonly plan: PlanReport; readonly id: string }) {
  const operator = plan.operators.find(o => o.id === id);
  const source = plan.sources.find(s => s.id === id);
  const sink = plan.sinks.find(s => sinkId(s.name) === id);
  const part = plan.parts[id];
  const query = plan.sql.find(q => q.query === (part?.query ?? sink?.name));
  const facts = operator !== undefined ? ofOperator(job, operator) : source !== undefined ? ofSource(job, source) : sink !== undefined ? ofSink(job, sink) : [];
  const columns = operator?.output ?? sink?.columns ?? source?.columns.map(c => `${c.name} ${c.type}`) ?? [];
  return <section class="card chosen" aria-live="off" aria-label={`About ${id}`}>
    <header><h2>{source?.name ?? sink?.name ?? id}</h2><span class="badge quiet">{operator?.kind ?? (source === undefined ? 'sink' : 'source')}</span></header>
    <div class="body">
      <div class="about">
        {operator === undefined ? null : <ul class="does">{operator.does.map(d => <li key={d}><code>{d}</code></li>)}</ul>}
        <dl class="facts">{facts.map(([k, v]) => <div class="fact" key={k}><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
        <h3>Columns</h3>
        <p class="columns">{columns.map(c => <code key={c} class="chip">{c}</code>)}</p>
      </div>
      {query === undefined ? null : <div class="fragment">
        <h3>{operator === undefined ? `SQL of ${query.query}` : `Its part of the SQL of ${query.query}`} <span class="dim">line {query.line}</span></h3>
        <Sql text={query.text} ranges={part?.ranges ?? []} label={`SQL of ${query.query}`} />
      </div>}
    </div>
  </section>;
}

const count = (n: number | null | undefined): string => (typeof n === 'number' ? grouped(n) : '-');

function ofOperator(job: JobReport, o: ExplainedOperator): Facts {
  const r = job.operators.find(x => x.id === o.id);
  if (r === undefined) return [['Emits', o.emits]];
  const passed = r.rows_in !== null && r.rows_out !== null && r.rows_in > 0 ? ` (${Number(((100 * r.rows_out) / r.rows_in).toPrecision(3))} %)` : '';
  return [
    ['Rows in', count(r.rows_in)], ['Rows out', `${count(r.rows_out)}${passed}`],
    ...(r.filtered > 0 ? [['Filtered', count(r.filtered)] as const] : []), ...(r.late > 0 ? [['Late', count(r.late)] as const] : []), ...(r.failed > 0 ? [['Failed', count(r.failed)] as const] : []),
    ['Busy', `${percent(r.busy)}${r.busy_ms === null ? '' : `, ${duration(r.busy_ms)} in this run`}`],
    ...(r.watermark === null ? [] : [['Watermark', `${time(r.watermark, job.at, true)} UTC`] as const]),
    ...(r.keys === null ? [] : [['State', `${groupCount(r.keys, r.disk_bytes)} groups, ${bytes(r.memory_bytes)} in memory${r.disk_bytes > 0 ? `, ${bytes(r.disk_bytes)} on disk` : ''}`] as const, ['Open windows', count(r.open_windows)] as const]),
    ...(o.state === null ? [] : [['State table', <code>{o.state.table}</code>] as const, ['Keeps', o.state.row_per] as const]),
    ['Emits', o.emits],
  ];
}

function ofSource(job: JobReport, s: ExplainedSource): Facts {
  const r = job.sources.find(x => x.id === s.id);
  return [
    ['Topic', <a href={to(['topics', job.log.id, s.topic])}>{s.topic} <Icon name="next" /></a>], ['Format', s.format], ['Records', count(r?.records)], ['Bytes', r === undefined ? '-' : bytes(r.bytes)], ['Lag', count(r?.lag)],
    ['Busy decoding', percent(r?.busy ?? null)], ['Watermark', s.watermark ?? 'no event time in use'], ['Bad records', s.on_error.replace('_', ' ')],
  ];
}

function ofSink(job: JobReport, s: ExplainedSink): Facts {
  const r = job.sinks.find(x => x.name === s.name);
  return [
    ['Topic', <a href={to(['topics', job.log.id, s.topic])}>{s.topic} <Icon name="next" /></a>], ['Format', s.format], ['Key', s.key.length === 0 ? 'none' : s.key.join(', ')], ['Rows', count(r?.rows)], ['Bytes', r === undefined ? '-' : bytes(r.bytes)], ['Busy encoding', percent(r?.busy ?? null)],
  ];
}
