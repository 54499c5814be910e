import type { HistogramReport, JobReport } from './job.ts';

type Labels = Readonly<Record<string, string | number>>;
type Kind = 'gauge' | 'counter' | 'histogram';

/** Reports in the text format of Prometheus (version 0.0.4). Names, units and help are stable; `log_id` tells runs of one pipeline on several logs apart. */
export function prometheusText(jobs: readonly JobReport[]): string {
  const labelled = jobs.map((job): Labelled => ({ job, labels: { pipeline: job.pipeline, ...(jobs.some(j => j !== job && j.pipeline === job.pipeline) ? { log_id: job.log.id } : {}) } }));
  return FAMILIES.map(f => family(f, labelled)).join('');
}

interface Labelled {
  readonly job: JobReport;
  readonly labels: Labels;
}

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Family {
  readonly name: string;
  readonly kind: Kind;
  readonly help: string;
  samples(j: JobReport): readonly (readonly [labels: Labels, value: number | HistogramReport | null])[];
}

const define = (name: string, kind: Kind, help: string, samples: Family['samples']): Family => ({ name: `pipe_${name}`, kind, help, samples });
/** One value a pipeline. */
const one = (name: string, kind: Kind, help: string, of: (j: JobReport) => number | HistogramReport | null): Family => define(name, kind, help, j => [[{}, of(j)]]);
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

const STATES = ['starting', 'running', 'paused', 'draining', 'done', 'stopped', 'failed', 'crashed'] as const;

const FAMILIES: readonly Family[] = [
  define('info', 'gauge', 'Version of pipe and the log that a pipeline runs on.', j => [[{ version: j.version, log: j.log.kind }, 1]]),
  define('state', 'gauge', 'State of a pipeline: 1 for the one that it is in.', j => STATES.map(s => [{ state: s }, j.state === s ? 1 : 0])),
  one('start_time_seconds', 'gauge', 'When the run began, since the epoch.', j => seconds(j.started_at)),
  one('restarts_total', 'counter', 'Starts that went on from saved state.', j => j.restarts),
  one('broker_away', 'gauge', '1 while the brokers do not answer.', j => (j.away ? 1 : 0)),
  define('source_records_total', 'counter', 'Records that were read and processed.', j => j.sources.map(s => [{ source: s.name, topic: s.topic }, s.records])),
  define('source_bytes_total', 'counter', 'Bytes of their keys and values.', j => j.sources.map(s => [{ source: s.name, topic: s.topic }, s.bytes])),
  define('source_lag_records', 'gauge', 'Records that are there and not processed yet.', j => j.sources.flatMap(s => s.partitions.map(p => [{ source: s.name, topic: s.topic, partition: p.partition }, Math.max(0, p.end - p.position)] as const))),
  define('source_watermark_seconds', 'gauge', 'Event time up to which a source is complete, since the epoch.', j => j.sources.map(s => [{ source: s.name }, seconds(s.watermark)])),
  define('source_watermark_delay_seconds', 'gauge', 'How far the watermark is behind the clock.', j => j.sources.map(s => [{ source: s.name }, s.watermark === null ? null : seconds(j.at - s.watermark)])),
  define('source_idle_partitions', 'gauge', 'Partitions that are quiet and do not hold the watermark.', j => j.sources.filter(s => s.event_time).map(s => [{ source: s.name }, s.partitions.filter(p => p.state === 'idle').length])),
  define('operator_rows_in_total', 'counter', 'Rows that an operator took.', j => j.operators.map(o => [{ operator: o.id }, o.rows_in])),
  define('operator_rows_out_total', 'counter', 'Rows that an operator gave.', j => j.operators.map(o => [{ operator: o.id }, o.rows_out])),
  define('operator_filtered_total', 'counter', 'Records that a condition left out.', j => j.operators.map(o => [{ operator: o.id }, o.filtered])),
  define('operator_late_total', 'counter', 'Rows whose windows had closed.', j => j.operators.map(o => [{ operator: o.id }, o.late])),
  define('operator_failed_total', 'counter', 'Rows on which an expression failed.', j => j.operators.map(o => [{ operator: o.id }, o.failed])),
  define('operator_busy_seconds_total', 'counter', 'Time spent in an operator, without those behind it.', j => j.operators.map(o => [{ operator: o.id }, seconds(o.busy_ms)])),
  define('operator_state_rows', 'gauge', 'Groups that an operator holds; at most, where it has bytes on disk: one counts in each run on disk that it is in.', j => j.operators.map(o => [{ operator: o.id }, o.keys])),
  define('operator_state_bytes', 'gauge', 'Bytes of its state in memory (by estimate) and on disk only.', j => j.operators.filter(o => o.keys !== null).flatMap(o => [[{ operator: o.id, where: 'memory' }, o.memory_bytes] as const, [{ operator: o.id, where: 'disk' }, o.disk_bytes] as const])),
  define('operator_open_windows', 'gauge', 'Windows that are open.', j => j.operators.filter(o => o.keys !== null).map(o => [{ operator: o.id }, o.open_windows])),
  define('sink_rows_total', 'counter', 'Rows that were written.', j => j.sinks.map(s => [{ sink: s.name, topic: s.topic }, s.rows])),
  define('topic_bytes_written_total', 'counter', 'Bytes written to a topic, before compression.', j => [...new Map(j.sinks.map(s => [s.topic, s.bytes]))].map(([topic, n]) => [{ topic }, n])),
  define('dead_letters_total', 'counter', 'Records and rows that became no result, by cause.', j => j.dead.map(d => [{ code: d.code }, d.n])),
  one('epoch', 'gauge', 'The last committed epoch.', j => j.epoch),
  one('last_commit_time_seconds', 'gauge', 'When it was committed, since the epoch.', j => seconds(j.last_commit_at)),
  one('commit_duration_seconds', 'histogram', 'What the commit of an epoch to the state file took.', j => j.commit),
  one('delivery_duration_seconds', 'histogram', 'What the delivery of an epoch to the log took.', j => j.delivery),
  one('end_to_end_latency_seconds', 'histogram', 'From the timestamp of a record to the delivery of its epoch; of the first record of each slice.', j => j.latency),
  one('window_close_delay_seconds', 'histogram', 'From the end of a window until its rows went out.', j => j.window_close),
];

function family(f: Family, jobs: readonly Labelled[]): string {
  const lines = jobs.flatMap(({ job, labels: own }) => f.samples(job).flatMap(([labels, value]) => (value === null ? [] : sample(f.name, { ...own, ...labels }, value))));
  return lines.length === 0 ? '' : `# HELP ${f.name} ${f.help}\n# TYPE ${f.name} ${f.kind}\n${lines.join('')}`;
}

function sample(name: string, labels: Labels, value: number | HistogramReport): string[] {
  if (typeof value === 'number') return [`${name}${braces(labels)} ${value}\n`];
  let below = 0;
  const buckets = value.counts.map((n, i) => `${name}_bucket${braces({ ...labels, le: i < value.le.length ? String(value.le[i]) : '+Inf' })} ${below += n}\n`);
  return [...buckets, `${name}_sum${braces(labels)} ${value.sum}\n`, `${name}_count${braces(labels)} ${value.count}\n`];
}

const braces = (labels: Labels): string => `{${Object.entries(labels).map(([k, v]) => `${k}="${escaped(String(v))}"`).join(',')}}`;
const escaped = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
