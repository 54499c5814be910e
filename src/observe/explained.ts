import { basename } from 'node:path';
import type { CompiledPipeline } from '../config/compile.ts';
import type { OnError } from '../config/spec.ts';
import type { Aggregate, Filter, PhysicalOperator, Stage } from '../plan/physical.ts';
import { printDuration, printExpr, printWindow } from '../plan/print.ts';
import { groupTable } from '../engine/group-table.ts';
import { onlySink, sourcesOf } from '../engine/scan.ts';
import { splitPlan } from '../engine/parallel/split.ts';
import { typeName, type Schema } from '../sql/types.ts';
import type { Explained, ExplainedOperator } from './plan.ts';

const onErrorText = (e: OnError | null): string => (e === null ? 'dead_letters' : typeof e === 'string' ? e : `topic ${e.topic}`);
const columnsOf = (s: Schema): string[] => s.map(f => `${f.name} ${typeName(f.type)}`);

export function explainModel(c: CompiledPipeline): Explained {
  const { spec, plan } = c;
  const names = new Map<string, readonly string[]>([...plan.scans, ...plan.operators].map(p => [p.id, p.schema.map(f => f.name)]));
  const windowed = plan.operators.some(o => o.k === 'aggregate' && o.window !== null);
  const open = plan.operators.some(o => o.k === 'aggregate' && o.window === null);
  return {
    v: 1, pipeline: spec.name, file: basename(spec.path), delivery: spec.settings.delivery, checkpoint_ms: spec.settings.checkpoint,
    sources: plan.scans.map(scan => {
      const s = spec.sources.find(x => x.name === scan.source) as (typeof spec.sources)[number];
      const t = s.eventTime;
      const read = new Set(scan.columns.map(x => (x.eventTime && t !== null ? t.as : x.name)));
      const declared = s.columns.map(x => ({ name: x.field.name, type: typeName(x.field.type) }));
      const all = t !== null && t.unit !== null ? [...declared, { name: t.as, type: 'TIMESTAMP_LTZ(3)' }] : declared;
      return {
        id: scan.id, name: s.name, topic: s.topic, format: s.format,
        columns: all.map(x => ({ ...x, read: read.has(x.name) })),
        event_time: t === null ? null : { column: t.as, from: t.from, unit: t.unit, delay_ms: t.delay, idle_ms: t.idle, max_future_ms: t.maxFuture },
        watermark: t === null || scan.time === null ? null : `${t.as} - ${printDuration(t.delay)}`,
        on_error: onErrorText(s.onError),
      };
    }),
    operators: plan.operators.map(o => operator(o, names.get(o.input) as readonly string[], lateFate(c, o))),
    sinks: plan.sinks.map(w => {
      const s = spec.sinks.find(x => x.name === w.sink) as (typeof spec.sinks)[number];
      return { name: s.name, input: w.input, topic: s.topic, format: s.format.type, key: s.key.map(k => k.name), columns: columnsOf(w.schema) };
    }),
    warnings: c.warnings.map(w => w.message),
    notes: [
      ...(windowed ? ['the last window closes by newer events, after the idle time of silence, or with --until-end'] : []),
      ...(open ? ['an aggregate without a window gives its rows only with --until-end'] : []),
      ...workerNote(c),
      ...(spec.settings.delivery === 'exactly-once' ? ['on Kafka, readers of the output must use isolation.level=read_committed'] : []),
    ],
  };
}

/** Where threads are asked for: what they share, or why it is one. */
function workerNote({ spec, plan }: CompiledPipeline): string[] {
  const { workers } = spec.settings;
  if (workers === null || workers === 1) return [];
  const split = splitPlan(plan);
  if (typeof split === 'string') return [`one thread, whatever settings.workers says: ${split}`];
  return [`${workers} threads share the work: ${split.keyed === null ? 'each writes what it reads' : 'rows go to the one that holds their key'}`];
}

/** What becomes of late rows by `on_error` of sink and source. */
function lateFate({ spec, plan }: CompiledPipeline, o: PhysicalOperator): string {
  const sink = onlySink(plan, o.id);
  const [source] = sourcesOf(plan, o.input);
  const policy = spec.sinks.find(s => s.name === sink)?.onError ?? spec.sources.find(s => s.name === source)?.onError ?? null;
  return policy === 'skip' ? 'counted and skipped' : policy !== null && typeof policy === 'object' ? `counted and sent to topic ${policy.topic}` : 'counted and kept';
}

const operator = (o: PhysicalOperator, input: readonly string[], late: string): ExplainedOperator => (o.k === 'stage' ? stage(o, input) : aggregate(o, input, late));

/** `WHERE (a) AND (b)`: a line for those that stand behind one word, in the order in which rows meet them. */
function conditions(filters: readonly Filter[]): string[] {
  const lines: { readonly clause: Filter['clause']; readonly texts: string[] }[] = [];
  for (const { clause, text } of filters) {
    const last = lines.at(-1);
    if (last?.clause === clause) last.texts.push(text);
    else lines.push({ clause, texts: [text] });
  }
  return lines.map(({ clause, texts }) => `${clause} ${texts.length === 1 ? texts[0] as string : texts.map(t => `(${t})`).join(' AND ')}`);
}

function stage(s: Stage, input: readonly string[]): ExplainedOperator {
  const window = s.window === null ? [] : [printWindow(s.window, input[s.window.time] as string)];
  return {
    id: s.id, input: s.input, kind: 'select',
    does: [...conditions(s.filters), ...window, `SELECT ${s.project.map((e, i) => { const t = printExpr(e, input); const n = (s.schema[i] as { name: string }).name; return t === n ? n : `${t} AS ${n}`; }).join(', ')}`],
    state: null, emits: 'at once, a row for each row', output: columnsOf(s.schema),
  };
}

function aggregate(a: Aggregate, input: readonly string[], late: string): ExplainedOperator {
  const table = groupTable(a);
  const w = a.window;
  const keys = a.keys.map(k => printExpr(k, input));
  const windowText = w === null ? [] : [('k' in w) ? 'windows of its input' : printWindow(w, input[w.time] as string)];
  return {
    id: a.id, input: a.input, kind: 'aggregate',
    does: [
      ...conditions(a.filters),
      [...windowText, ...(keys.length > 0 ? [`GROUP BY ${keys.join(', ')}`] : []), ...a.calls.map(c => c.text)].join(' · '),
    ],
    state: {
      table: `state_${table.name}`, columns: table.columns.map(c => c.name),
      row_per: w === null ? (keys.length === 0 ? 'one row' : `one row per (${a.keyNames.join(', ')})`) : `one row per open (${['window', ...a.keyNames].join(', ')})`,
      bytes_per_row: 96 + 8 * (table.columns.length - 1),
    },
    emits: w === null ? 'final rows at the end of the input (--until-end)' : `once per window, when window_end - 1 ms <= watermark; later rows for it are late: ${late}`,
    output: columnsOf(a.schema),
  };
}
