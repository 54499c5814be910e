import { useEffect, useMemo, useState } from 'preact/hooks';
import { groupCount } from '../../numbers.ts';
import type { JobReport } from '../../observe/job.ts';
import type { PlanReport } from '../../observe/plan.ts';
import { behind, level, percent, perSecond, px, short } from '../format.ts';
import { NODE, place, sinkId, type Layout } from '../layout.ts';
import { useRoving } from '../parts/roving.ts';
import { Chosen } from './chosen.tsx';

interface Props {
  readonly job: JobReport;
  readonly plan: PlanReport;
}

/** Below this a box cannot be read; the rest is reached by scrolling. */
const SMALLEST = 0.72;
const PADDING = 34;

export function GraphTab({ job, plan }: Props) {
  const frame = useRoving<HTMLDivElement>();
  const [width, setWidth] = useState(innerWidth - PADDING);
  const [chosen, setChosen] = useState<string | null>(null);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (frame.current !== null) watch.observe(frame.current);
    return () => watch.disconnect();
  }, []);
  const across = useMemo(() => place(plan, true), [plan]);
  const down = useMemo(() => place(plan, false), [plan]);
  const layout = across.width * SMALLEST <= width || width > 900 ? across : down;
  const scale = Math.max(SMALLEST, Math.min(1, width / layout.width));
  const id = chosen ?? plan.operators[0]?.id ?? null;
  return <div class="graph-page">
    <div class="card">
      <header><h2>Operators</h2><Legend /></header>
      <div class="graph" ref={frame} role="group" aria-label="Operators, in the order of the flow">
        <Drawing job={job} plan={plan} layout={layout} scale={scale} chosen={id} choose={setChosen} />
      </div>
    </div>
    {id === null ? null : <Chosen job={job} plan={plan} id={id} />}
    {plan.warnings.map(w => <p key={w} class="note warn">{w}</p>)}
    {plan.notes.length === 0 ? null : <div class="note"><ul class="points">{plan.notes.map(n => <li key={n}>{n}</li>)}</ul></div>}
  </div>;
}

const Legend = () => <p class="legend" aria-label="Colours: share of the last second spent working">
  <span class="dot low" />below 33 % busy<span class="dot medium" />below 66 %<span class="dot high" />above
</p>;

interface DrawingProps extends Props {
  readonly layout: Layout;
  readonly scale: number;
  readonly chosen: string | null;
  readonly choose: (id: string) => void;
}

function Drawing({ job, plan, layout, scale, chosen, choose }: DrawingProps) {
  return <div class="canvas" style={{ width: px(layout.width * scale), height: px(layout.height * scale) }}><div class="scaled" style={{ transform: `scale(${scale})` }}>
    <svg width={layout.width} height={layout.height} aria-hidden="true">
      <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5L7 4L0 7.5z" /></marker></defs>
      {layout.edges.map(e => <path key={`${e.from} ${e.to}`} class={flow(job, e.from, e.to) === 0 ? 'edge still' : 'edge'} d={e.path} marker-end="url(#tip)" />)}
    </svg>
    {layout.nodes.map(n => <Node key={n.id} job={job} plan={plan} id={n.id} x={n.x} y={n.y} chosen={n.id === chosen} choose={choose} />)}
    {layout.edges.map(e => <span key={`${e.from} ${e.to}`} class="flow" style={{ left: px(e.label.x), top: px(e.label.y) }}>{perSecond(flow(job, e.from, e.to))}<small>/s</small></span>)}
  </div></div>;
}

/** Rows a second between two boxes; null where threads tell sums only. */
function flow(job: JobReport, from: string, to: string): number | null {
  if (job.state !== 'running' && job.state !== 'draining') return 0;
  const target = job.operators.find(o => o.id === to)?.in_per_s ?? job.sinks.find(s => sinkId(s.name) === to)?.per_s;
  return target ?? job.operators.find(o => o.id === from)?.out_per_s ?? job.sources.find(s => s.id === from)?.per_s ?? null;
}

interface NodeProps extends Props {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly chosen: boolean;
  readonly choose: (id: string) => void;
}

function Node({ job, plan, id, x, y, chosen, choose }: NodeProps) {
  const { kind, name, does, busy, facts } = describe(job, plan, id);
  return <button type="button" data-row class={`node ${kind} ${level(busy)}`} aria-pressed={chosen} style={{ left: px(x), top: px(y), width: px(NODE.width), height: px(NODE.height) }} onClick={() => choose(id)}>
    <span class="top"><span class="kind">{kind}</span>{busy === null ? null : <span class="busy">{percent(busy)}<span class="hidden"> busy</span></span>}</span>
    <span class="name">{name}</span>
    <span class="does">{does}</span>
    <span class="facts-line">{facts.map(([k, v]) => <span key={k}><i>{k}</i> {v}</span>)}</span>
  </button>;
}

interface Described {
  readonly kind: 'source' | 'sink' | 'select' | 'aggregate';
  readonly name: string;
  readonly does: string;
  readonly busy: number | null;
  readonly facts: readonly (readonly [string, string])[];
}

/** What a box says. */
function describe(job: JobReport, plan: PlanReport, id: string): Described {
  const source = plan.sources.find(s => s.id === id);
  if (source !== undefined) {
    const r = job.sources.find(s => s.id === id);
    return { kind: 'source', name: source.name, does: `topic ${source.topic}`, busy: r?.busy ?? null, facts: [['lag', short(r?.lag ?? 0)], ...(r?.event_time === true ? [['watermark', behind(r.watermark, job.at)] as const] : [])] };
  }
  const sink = plan.sinks.find(s => sinkId(s.name) === id);
  if (sink !== undefined) {
    const r = job.sinks.find(s => s.name === sink.name);
    return { kind: 'sink', name: sink.name, does: `topic ${sink.topic}`, busy: r?.busy ?? null, facts: [['rows', short(r?.rows ?? 0)]] };
  }
  const o = plan.operators.find(x => x.id === id);
  const r = job.operators.find(x => x.id === id);
  return {
    kind: o?.kind ?? 'select', name: id, does: o?.does[0] ?? '', busy: r?.busy ?? null,
    facts: [...(r === undefined || r.keys === null ? [] : [['groups', groupCount(r.keys, r.disk_bytes, short)] as const]), ...(r === undefined || r.watermark === null ? [] : [['watermark', behind(r.watermark, job.at)] as const]), ...(r !== undefined && r.late > 0 ? [['late', short(r.late)] as const] : [])],
  };
}
