import { typeName } from '../sql/types.ts';
import type { CreateSpec, EventTimeSpec, FormatSpec, OnError, PipelineSpec } from './spec.ts';
import { entry, parseYaml } from './tree.ts';

/** What a pipeline file comes to, defaults filled in; times in ms, sizes in bytes. Append-only. */
export interface ResolvedConfig {
  readonly name: string;
  readonly file: string;
  /** As it is in the file: what a variable would put there is left out. */
  readonly description: string | null;
  readonly sources: readonly Readonly<Record<string, unknown>>[];
  readonly steps: readonly { readonly name: string; readonly sql: string }[];
  readonly sinks: readonly Readonly<Record<string, unknown>>[];
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Secrets are `***`: all text of the client's settings but the mechanism. */
export function resolvedConfig(spec: PipelineSpec): ResolvedConfig {
  const { settings } = spec;
  return {
    name: spec.name, file: spec.path, description: description(spec),
    sources: spec.sources.map(s => ({
      name: s.name, topic: s.topic, format: s.format, schema: s.columns.map(c => ({ name: c.field.name, type: typeName(c.field.type), required: c.required })), key: s.key, event_time: s.eventTime === null ? null : time(s.eventTime),
      start: s.start, sample: s.sample, create: create(s.create), on_error: onError(s.onError), on_data_loss: s.onDataLoss,
    })),
    steps: spec.steps.map(s => ({ name: s.name, sql: s.sql.text })),
    sinks: spec.sinks.map(s => ({
      name: s.name, topic: s.topic, format: format(s.format), key: s.key.map(k => k.name), emit: s.emit, create: create(s.create), from: s.from?.name ?? null, sql: s.sql?.text ?? null, on_error: onError(s.onError),
    })),
    settings: {
      kafka: { brokers: settings.kafka.brokers, id_prefix: settings.kafka.idPrefix, ...masked(settings.kafka.client) as object },
      state: settings.state, time_zone: settings.timeZone, checkpoint: settings.checkpoint, delivery: settings.delivery, memory: settings.memory, workers: settings.workers, max_bad: settings.maxBad, max_record_bytes: settings.maxRecordBytes,
    },
  };
}

/** Free text of the user, so a variable in it may be a secret. */
function description(spec: PipelineSpec): string | null {
  const { root } = parseYaml(spec.file);
  const node = entry(root ?? undefined, 'description')?.value;
  return node?.k === 'scalar' ? node.text : null;
}

const MECHANISMS: readonly unknown[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === 'mechanism' && MECHANISMS.includes(v) ? v : masked(v)]));
  return typeof value === 'boolean' || value === null || value === undefined ? value : '***';
}

const time = (t: EventTimeSpec): unknown => ({ from: t.from, unit: t.unit, as: t.as, delay: t.delay, idle: t.idle, max_future: t.maxFuture });
const create = (c: CreateSpec | null): unknown => (c === null ? null : { partitions: c.partitions, retention: c.retention, config: c.config });
const format = (f: FormatSpec): unknown => ({ type: f.type, timestamps: f.timestamps, decimals: f.decimals });
const onError = (e: OnError | null): unknown => e ?? 'dead_letters';
