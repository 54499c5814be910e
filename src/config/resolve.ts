import { relative } from 'node:path';
import { typeName } from '../sql/types.ts';
import type { Env } from './environment.ts';
import { Origins, type Secrecy } from './origins.ts';
import type { CreateSpec, EventTimeSpec, OnError, PipelineSpec, SinkSpec, SourceSpec } from './spec.ts';
import type { Node } from './tree.ts';
import { durationText, sizeText } from './values.ts';
import type { Branch, Leaf, Origin, Written } from './write-yaml.ts';

/** Values that win over those of the file. */
export interface Overrides {
  /** null: the embedded log. */
  readonly brokers: { readonly value: readonly string[] | null; readonly origin: Origin | null };
  readonly workers: { readonly value: number | 'auto'; readonly origin: Origin } | null;
  readonly onError: { readonly value: OnError; readonly origin: Origin } | null;
  /** Bytes, where the file names none. */
  readonly memory: number;
}

type Entries = readonly (readonly [string, Written] | null)[];
const map = (...entries: Entries): Branch => ({ k: 'map', entries: entries.filter(e => e !== null) });
const list = (items: readonly Written[]): Branch => ({ k: 'list', entries: items.map((v, i) => [String(i), v]) });
const fixed = (value: Leaf['value'], origin: Origin): Leaf => ({ k: 'leaf', value, origin });

/**
 * The whole pipeline file as it is in force: variables replaced, defaults filled in, short forms written out. Secrets are masked: all of
 * ssl and sasl but for their words, and free texts that come from variables.
 */
export function resolvePipeline(spec: PipelineSpec, { env, root, overrides }: { readonly env: Env; readonly root: string; readonly overrides: Overrides }): Branch {
  const o = new Origins(spec, env, root);
  const named = <T extends { readonly name: string }>(key: string, all: readonly T[], one: (item: T, path: readonly string[]) => Branch | Leaf): [string, Branch] =>
    [key, map(...all.map(x => [x.name, one(x, [key, x.name])] as const))];
  return map(
    ['name', o.leaf(spec.name, ['name'])],
    spec.description === null ? null : ['description', o.leaf(spec.description, ['description'], 'variable')],
    named('sources', spec.sources, (s, path) => source(o, s, path, spec.dir, overrides)),
    spec.steps.length === 0 ? null : named('steps', spec.steps, (s, path) => o.leaf(s.sql.text, path)),
    named('sinks', spec.sinks, (s, path) => sink(o, s, path, overrides)),
    ['settings', settings(o, spec, overrides)],
    o.has(['tests']) ? ['tests', asWritten(o, ['tests'], () => 'variable')] : null,
  );
}

function source(o: Origins, s: SourceSpec, path: readonly string[], dir: string, overrides: Overrides): Branch {
  const at = (...more: string[]): readonly string[] => [...path, ...more];
  const schema = o.node(at('schema'))?.k === 'map' ? (name: string) => at('schema', name) : () => at('schema');
  return map(
    ['topic', o.leaf(s.topic, at('topic'))],
    ['format', map(['type', o.leaf(s.format, formatPath(o, at('format')))])],
    ['schema', map(...s.columns.map(c => [c.field.name, o.leaf(`${typeName(c.field.type)}${c.required ? ' NOT NULL' : ''}`, schema(c.field.name))] as const))],
    s.key === null ? null : ['key', o.leaf(s.key, at('key'))],
    s.eventTime === null ? null : ['event_time', eventTime(o, s.eventTime, at('event_time'))],
    ['start', o.leaf(s.start, at('start'))],
    s.sample === null ? null : ['sample', o.leaf(relative(dir, s.sample), at('sample'))],
    create(o, s.create, at('create')),
    ['on_error', onError(o, s.onError, at('on_error'), overrides)],
    ['on_data_loss', o.leaf(s.onDataLoss, at('on_data_loss'))],
  );
}

function eventTime(o: Origins, e: EventTimeSpec, path: readonly string[]): Branch {
  const span = (key: string, ms: number): readonly [string, Leaf] => [key, o.leaf(durationText(ms), [...path, key])];
  return map(
    ['from', o.leaf(e.from, [...path, 'from'])],
    e.unit === null ? null : ['unit', o.leaf(e.unit, [...path, 'unit'])],
    e.unit === null ? null : ['as', o.leaf(e.as, [...path, 'as'])],
    span('delay', e.delay), span('idle', e.idle), span('max_future', e.maxFuture),
  );
}

function sink(o: Origins, s: SinkSpec, path: readonly string[], overrides: Overrides): Branch {
  const at = (...more: string[]): readonly string[] => [...path, ...more];
  const keys = o.node(at('key'))?.k === 'list';
  return map(
    ['topic', o.leaf(s.topic, at('topic'))],
    ['format', map(
      ['type', o.leaf(s.format.type, formatPath(o, at('format')))],
      ['timestamps', o.leaf(s.format.timestamps === 'iso' ? 'iso' : 'epoch-ms', at('format', 'timestamps'))],
      ['decimals', o.leaf(s.format.decimals, at('format', 'decimals'))],
    )],
    s.key.length === 0 ? null : ['key', list(s.key.map((k, i) => o.leaf(k.name, keys ? at('key', String(i)) : at('key'))))],
    ['emit', o.leaf(s.emit, at('emit'))],
    create(o, s.create, at('create')),
    s.sql === null ? null : ['sql', o.leaf(s.sql.text, at('sql'))],
    s.from === null ? null : ['from', o.leaf(s.from.name, at('from'))],
    ['on_error', onError(o, s.onError, at('on_error'), overrides)],
  );
}

/** `json`, or `{type: json}`. */
const formatPath = (o: Origins, path: readonly string[]): readonly string[] => (o.node(path)?.k === 'map' ? [...path, 'type'] : path);

function create(o: Origins, c: CreateSpec | null, path: readonly string[]): readonly [string, Written] | null {
  if (c === null) return null;
  if (o.node(path)?.k !== 'map') return ['create', o.leaf(true, path)];
  const config = Object.keys(c.config).length === 0 ? null : ['config', asWritten(o, [...path, 'config'], () => 'variable')] as const;
  return ['create', map(
    c.partitions === null ? null : ['partitions', o.leaf(c.partitions, [...path, 'partitions'])],
    c.retention === null ? null : ['retention', o.leaf(durationText(c.retention), [...path, 'retention'])],
    config,
  )];
}

function onError(o: Origins, value: OnError | null, path: readonly string[], { onError: flag }: Overrides): Written {
  const what = flag?.value ?? value ?? 'dead_letters';
  if (flag !== null) return fixed(what as string, flag.origin);
  return typeof what === 'string' ? o.leaf(what, path) : map(['topic', o.leaf(what.topic, [...path, 'topic'])]);
}

function settings(o: Origins, { settings: s, dir }: PipelineSpec, overrides: Overrides): Branch {
  const at = (key: string): readonly string[] => ['settings', key];
  const { workers, memory } = overrides;
  return map(
    ['kafka', kafka(o, s.kafka.idPrefix, s.kafka.client, overrides)],
    s.state === null ? null : ['state', o.leaf(relative(dir, s.state) || '.', at('state'))],
    ['time_zone', o.leaf(s.timeZone, at('time_zone'))],
    ['checkpoint', o.leaf(durationText(s.checkpoint), at('checkpoint'))],
    ['delivery', o.leaf(s.delivery, at('delivery'))],
    ['memory', o.leaf(sizeText(s.memory ?? wholeMegabytes(memory)), at('memory'))],
    ['workers', workers === null ? o.leaf(s.workers ?? 'auto', at('workers')) : fixed(workers.value, workers.origin)],
    s.maxBad === null ? null : ['max_bad', o.leaf(`${Number((s.maxBad * 100).toFixed(6))}%`, at('max_bad'))],
    ['max_record_bytes', o.leaf(sizeText(s.maxRecordBytes), at('max_record_bytes'))],
  );
}

/** Words of ssl and sasl that are no secrets. */
const OPEN: Readonly<Record<string, Secrecy>> = { mechanism: 'never', reject_unauthorized: 'never', servername: 'variable' };

function kafka(o: Origins, idPrefix: string, client: Readonly<Record<string, unknown>>, { brokers: { value: brokers, origin } }: Overrides): Branch {
  const at = (...more: string[]): readonly string[] => ['settings', 'kafka', ...more];
  const lists = o.node(at('brokers'))?.k === 'list';
  const secrecy = (path: readonly string[]): Secrecy => OPEN[path.at(-1) as string] ?? 'always';
  return map(
    brokers === null ? null : ['brokers', list(brokers.map((b, i) => (origin === null ? o.leaf(b, lists && o.has(at('brokers', String(i))) ? at('brokers', String(i)) : at('brokers')) : fixed(b, origin))))],
    ['id_prefix', o.leaf(idPrefix, at('id_prefix'))],
    ['client_id', o.leaf(typeof client['client_id'] === 'string' ? client['client_id'] : 'sqlpipe', at('client_id'), 'variable')],
    ['ssl', o.node(at('ssl'))?.k === 'map' ? asWritten(o, at('ssl'), secrecy) : o.leaf(client['ssl'] === true, at('ssl'))],
    o.has(at('sasl')) ? ['sasl', asWritten(o, at('sasl'), secrecy)] : null,
  );
}

/** A part of the file as it is. */
function asWritten(o: Origins, path: readonly string[], secrecy: (path: readonly string[]) => Secrecy): Written {
  const node = o.node(path) as Node;
  if (node.k === 'map') return map(...node.entries.map(e => [e.key, asWritten(o, [...path, e.key], secrecy)] as const));
  if (node.k === 'list') return list(node.items.map((_, i) => asWritten(o, [...path, String(i)], secrecy)));
  return o.leaf(node.value, path, secrecy(path), typeof node.value === 'number' ? node.text : undefined);
}

const wholeMegabytes = (bytes: number): number => Math.max(1, Math.floor(bytes / 2 ** 20)) * 2 ** 20;
