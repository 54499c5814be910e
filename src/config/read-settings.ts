import { insidePath, type Folders } from './paths.ts';
import { isText, valueSpan, type Reader } from './reader.ts';
import { plainValue, show } from './shape.ts';
import type { KafkaSettings, Settings } from './spec.ts';
import { entry, type Node } from './tree.ts';

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'];
const CHECKPOINT = 200;
const MAX_RECORD_BYTES = 2 ** 20;

/** Settings with defaults filled in; `node` is undefined when the file has none. */
export function readSettings(r: Reader, node: Node | undefined, folders: Folders): Settings {
  const state = r.scalar(node, 'state');
  const ttl = entry(node, 'state_ttl');
  const workers = entry(node, 'workers');
  if (ttl !== undefined) r.warn('user.config.bad_value', '"state_ttl" has no effect yet: there is no operator that it bounds', { span: ttl.keySpan });
  return {
    kafka: readKafka(r, entry(node, 'kafka')?.value),
    state: state === undefined ? null : insidePath(r, state, folders),
    timeZone: 'UTC',
    checkpoint: r.duration(node, 'checkpoint', CHECKPOINT, 1),
    delivery: r.oneOf(node, 'delivery', ['exactly-once', 'at-least-once'] as const, 'exactly-once'),
    memory: r.size(node, 'memory', null),
    workers: workers?.value.k === 'scalar' && typeof workers.value.value === 'number' ? workers.value.value : null,
    maxBad: r.percent(node, 'max_bad'),
    maxRecordBytes: r.size(node, 'max_record_bytes', MAX_RECORD_BYTES) as number,
  };
}

function readKafka(r: Reader, node: Node | undefined): KafkaSettings {
  const mechanism = r.scalar(entry(node, 'sasl')?.value, 'mechanism');
  if (mechanism !== undefined && !MECHANISMS.includes(mechanism.text.toLowerCase())) {
    r.problem('user.config.bad_value', `"mechanism" is one of ${MECHANISMS.join(', ')}, not ${show(mechanism)}`, { span: mechanism.span });
  }
  const client = node?.k === 'map' ? node.entries.filter(e => e.key !== 'brokers' && e.key !== 'id_prefix') : [];
  return {
    brokers: readBrokers(r, node),
    idPrefix: r.text(node, 'id_prefix') ?? '',
    client: Object.fromEntries(client.map(e => [e.key, plainValue(e.value)])),
  };
}

/** A list, or one text with commas as in PIPE_BROKERS. */
function readBrokers(r: Reader, node: Node | undefined): readonly string[] | null {
  const e = entry(node, 'brokers');
  if (e === undefined) return null;
  const items = e.value.k === 'list' ? e.value.items : [e.value];
  const brokers: string[] = [];
  for (const item of items) {
    if (!isText(item)) continue;
    for (const broker of item.text.split(',').map(b => b.trim()).filter(b => b !== '')) {
      if (/^(\[[0-9a-fA-F:.]+\]|[^\s:/@]+)(:\d{1,5})?$/.test(broker)) brokers.push(/:\d+$/.test(broker) && !broker.endsWith(']') ? broker : `${broker}:9092`);
      else r.problem('user.config.bad_value', `a broker is host:port, not ${show(item)}`, { span: item.k === 'scalar' ? item.span : valueSpan(e) });
    }
  }
  return brokers.length === 0 ? null : brokers;
}
