import { printDuration } from '../plan/print.ts';
import type { Explained, ExplainedOperator } from '../observe/plan.ts';

const CIRCLED = ['①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨'];
const number = (i: number): string => CIRCLED[i] ?? `(${i + 1})`;
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** A line of each part of a pipeline, by id of source and operator and by name of sink. */
export interface Live {
  readonly head: string;
  readonly parts: ReadonlyMap<string, string>;
}

/** With `live`, how each part goes. */
export function explainText(x: Explained, live: Live | null = null): string {
  const lines = [`${x.file} · ${plural(x.sources.length, 'source')} · ${plural(x.operators.length, 'operator')} · ${plural(x.sinks.length, 'sink')} · ${x.delivery}, a commit each ${printDuration(x.checkpoint_ms)}`, ...(live === null ? [] : [live.head])];
  const part = (id: string): string[] => { const line = live?.parts.get(id); return line === undefined ? [] : [`  ▸ ${line}`]; };
  for (const s of x.sources) {
    lines.push(`SOURCE ${s.name}  topic ${s.topic}, ${s.format}, on_error ${s.on_error}`);
    const derived = s.event_time !== null && s.event_time.unit !== null ? s.event_time : null;
    lines.push(`  ${s.columns.map(c => `${c.name} ${c.type}${derived !== null && c.name === derived.column ? ` = ${derived.from} in ${derived.unit}` : ''}`).join(' · ')}`);
    lines.push(...part(s.id));
    const unread = s.columns.filter(c => !c.read).map(c => c.name);
    if (unread.length > 0) lines.push(`  not read: ${unread.join(', ')}`);
    const t = s.event_time;
    lines.push(t === null || s.watermark === null ? '  no event time in use' : `  watermark ${s.watermark} · idle after ${printDuration(t.idle_ms)} · max_future ${printDuration(t.max_future_ms)}`);
  }
  const label = new Map(x.operators.map((o, i) => [o.id, number(i)]));
  const from = (input: string): string => label.get(input) ?? x.sources.find(s => s.id === input)?.name ?? input;
  x.operators.forEach((o, i) => lines.push(...operatorText(o, number(i), from(o.input)), ...part(o.id).map(l => `   ${l}`)));
  for (const s of x.sinks) {
    lines.push(`SINK ${s.name}  from ${from(s.input)}, topic ${s.topic}, ${s.format}, ${s.key.length === 0 ? 'no key' : `key ${s.key.join(', ')}`}`);
    lines.push(`  ${s.columns.join(' · ')}`, ...part(sinkPart(s.name)));
  }
  for (const n of x.notes) lines.push(`note: ${n}`);
  lines.push(...(x.warnings.length === 0 ? ['no warnings'] : x.warnings.map(w => `warning: ${w}`)));
  return `${lines.join('\n')}\n`;
}

/** Key of a sink among the parts. */
export const sinkPart = (sink: string): string => `> ${sink}`;

function operatorText(o: ExplainedOperator, mark: string, from: string): string[] {
  return [
    `${mark} ${o.kind.toUpperCase()} ${o.id}  from ${from}`,
    ...o.does.map(d => `     ${d}`),
    ...(o.state === null ? [] : [`     state: ${o.state.row_per}, about ${o.state.bytes_per_row} bytes each, in table ${o.state.table}`]),
    `     emits: ${o.emits}`,
  ];
}

/** A flowchart that renders on GitHub; text is quoted and its quotes are escaped. */
export function explainMermaid(x: Explained): string {
  const nodes = new Map<string, string>();
  const node = (id: string): string => {
    let n = nodes.get(id);
    if (n === undefined) nodes.set(id, (n = `n${nodes.size}`));
    return n;
  };
  const text = (lines: readonly string[]): string => `"${lines.join('<br/>').replaceAll('"', '#quot;').replaceAll('&', '#amp;').replace(/<(?!br\/>)/g, '#lt;')}"`;
  const out = ['flowchart TD'];
  for (const s of x.sources) out.push(`  ${node(s.id)}[(${text([`SOURCE ${s.name}`, ...(s.watermark === null ? [] : [`watermark ${s.watermark}`])])})]`);
  for (const o of x.operators) {
    out.push(`  ${node(o.id)}[${text([o.id, ...o.does])}]`);
    out.push(`  ${node(o.input)} --> ${node(o.id)}`);
  }
  for (const s of x.sinks) {
    out.push(`  ${node(`sink ${s.name}`)}[(${text([`SINK ${s.name}`, `topic ${s.topic}`])})]`);
    out.push(`  ${node(s.input)} --> ${node(`sink ${s.name}`)}`);
  }
  return `${out.join('\n')}\n`;
}
