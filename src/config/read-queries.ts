import type { SqlText } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { isText, type Reader } from './reader.ts';
import type { PipelineSpec, SinkSpec, SourceSpec, StepSpec } from './spec.ts';
import { isFolded, sqlText } from './sql-text.ts';
import { firstLine } from './shape.ts';
import { entry, type Entry, type Node } from './tree.ts';

export function readStep(r: Reader, e: Entry, sources: readonly SourceSpec[]): StepSpec | null {
  if (sources.some(s => s.name === e.key)) r.problem('user.config.duplicate', `step "${e.key}" has the name of a source`, { span: e.keySpan, hint: 'SQL could not tell them apart: name it otherwise' });
  const sql = readSql(r, e.value);
  if (sql === null) r.unknown.add(e.key);
  return sql === null ? null : { name: e.key, nameSpan: e.keySpan, sql };
}

export function readSink(r: Reader, e: Entry, names: readonly string[]): SinkSpec | null {
  const node = e.value;
  const given = entry(node, 'sql')?.value;
  const sql = given === undefined ? null : readSql(r, given);
  const from = given === undefined ? r.scalar(node, 'from') : undefined;
  if (from !== undefined && !names.includes(from.text)) {
    r.problem('user.config.unknown_name', `"${from.text}" is no source and no step`, { span: from.span, label: 'no such name', hint: didYouMean(from.text, names) ?? `there are: ${names.join(', ')}` });
  }
  const topic = r.topic(node, e);
  const key = entry(node, 'key')?.value;
  const keys = key?.k === 'list' ? key.items : key === undefined ? [] : [key];
  const emit = r.scalar(node, 'emit');
  const format = entry(node, 'format')?.value;
  const spec: SinkSpec = {
    name: e.key, nameSpan: e.keySpan, ...topic,
    format: {
      type: (isText(format) ? format.text : r.text(format, 'type')) ?? 'json',
      timestamps: r.text(format, 'timestamps') === 'iso' ? 'iso' : 'epoch_ms',
      decimals: r.oneOf(format, 'decimals', ['number', 'string'] as const, 'number'),
    },
    key: keys.filter(isText).map(k => ({ name: k.text, span: k.span })),
    emit: r.oneOf(node, 'emit', ['final', 'changes'] as const, 'final'), emitSpan: emit?.span ?? null,
    create: r.create(node), sql, from: from === undefined ? null : { name: from.text, span: from.span }, onError: r.onError(node),
  };
  for (const [i, k] of spec.key.entries()) if (spec.key.findIndex(o => o.name === k.name) < i) r.problem('user.config.duplicate', `key column "${k.name}" stands here a second time`, { span: k.span });
  const usable = sql !== null || (spec.from !== null && names.includes(spec.from.name));
  return usable ? spec : null;
}

/** A folded block has lost its lines, and with them the places of its problems. */
function readSql(r: Reader, node: Node): SqlText | null {
  if (!isText(node)) return null;
  if (!isFolded(node)) return sqlText(node);
  r.problem('user.config.yaml', 'SQL stands in a | block, not in a > block', { span: firstLine(node.span), hint: 'write sql: |' });
  return null;
}

/** Each topic has one writer, and none of the pipeline's own is read by it. */
export function checkTopics(r: Reader, spec: PipelineSpec): void {
  const written = new Map<string, string>();
  const reads = (topic: string): SourceSpec | undefined => spec.sources.find(s => s.topic === topic);
  for (const s of spec.sinks) {
    const other = written.get(s.topic);
    const source = reads(s.topic);
    if (other !== undefined) r.problem('user.config.sink_topic_twice', `sinks "${other}" and "${s.name}" both write topic "${s.topic}"`, { span: s.topicSpan, hint: 'give each sink a topic of its own' });
    else if (source !== undefined) r.problem('user.config.sink_topic_twice', `sink "${s.name}" writes topic "${s.topic}", which source "${source.name}" reads`, { span: s.topicSpan, hint: 'the pipeline would feed itself: write to another topic' });
    else written.set(s.topic, s.name);
  }
  for (const s of [...spec.sources, ...spec.sinks]) {
    if (s.onError === null || typeof s.onError === 'string') continue;
    const { topic } = s.onError;
    const why = written.has(topic) ? `sink "${written.get(topic)}" writes` : reads(topic) === undefined ? null : `source "${reads(topic)?.name}" reads`;
    if (why !== null) r.problem('user.config.sink_topic_twice', `failed records of "${s.name}" would go to topic "${topic}", which ${why}`, { span: s.topicSpan, hint: `give on_error a topic of its own, such as ${s.topic}-failed` });
  }
}
