import { PipeError, PipeErrors, type Span, type SqlText } from '../errors.ts';
import { parseSchema, type SchemaColumn } from '../sql/parse/schema.ts';
import { resolveType } from '../sql/bind/type-name.ts';
import { isNumeric, isTimestamp, typeName, type SqlType } from '../sql/types.ts';
import { didYouMean } from '../suggest.ts';
import { samplePath, type Folders } from './paths.ts';
import { isText, valueSpan, type Reader } from './reader.ts';
import type { ColumnSpec, EventTimeSpec, SourceSpec } from './spec.ts';
import { sqlText } from './sql-text.ts';
import { entry, type Entry, type Node, type ScalarNode } from './tree.ts';

const DELAY = 5_000;
const IDLE = 10_000;
const MAX_FUTURE = 3_600_000;

/** One source, with defaults filled in. Problems go to the reader, and its name where its columns are not known. */
export function readSource(r: Reader, e: Entry, folders: Folders): SourceSpec {
  const node = e.value;
  r.broken = false;
  const columns = readColumns(r, e);
  const key = r.scalar(node, 'key');
  if (key !== undefined && !r.broken && !columns.some(c => c.field.name === key.text)) {
    r.problem('user.config.unknown_name', `key column "${key.text}" is not in the schema`, { span: key.span, label: 'no such column', hint: unknownColumn(key.text, columns) });
  }
  const eventTime = readEventTime(r, node, columns);
  if (r.broken) r.unknown.add(e.key);
  const format = entry(node, 'format')?.value;
  const sample = r.scalar(node, 'sample');
  return {
    name: e.key, nameSpan: e.keySpan, ...r.topic(node, e),
    format: (isText(format) ? format.text : r.text(format, 'type')) ?? 'json',
    columns, key: key?.text ?? null,
    eventTime,
    start: r.oneOf(node, 'start', ['earliest', 'latest'] as const, 'earliest'),
    sample: sample === undefined ? null : samplePath(r, sample, folders), sampleSpan: sample?.span ?? null,
    create: r.create(node), onError: r.onError(node),
    onDataLoss: r.oneOf(node, 'on_data_loss', ['stop', 'earliest'] as const, 'stop'),
  };
}

const unknownColumn = (name: string, columns: readonly ColumnSpec[]): string =>
  didYouMean(name, columns.map(c => c.field.name)) ?? `columns: ${columns.map(c => `${c.field.name} ${typeName(c.field.type)}`).join(', ')}`;

function readColumns(r: Reader, source: Entry): ColumnSpec[] {
  const schema = entry(source.value, 'schema')?.value;
  const columns: ColumnSpec[] = [];
  if (isText(schema)) {
    const sql = sqlText(schema);
    for (const c of attempt(r, () => parseSchema(sql)) ?? []) add(r, columns, c, sql, sql.span(...c.name.at), c.name.text);
  } else if (schema?.k === 'map') {
    for (const e of schema.entries) columnOfMap(r, columns, e);
  }
  if (columns.length === 0) r.broken = true;
  return columns;
}

function add(r: Reader, columns: ColumnSpec[], c: SchemaColumn, sql: SqlText, span: Span, name: string): void {
  if (columns.some(o => o.field.name === name)) r.problem('user.config.duplicate', `column "${name}" stands here a second time`, { span, hint: 'keep one of the two' });
  const type = attempt(r, () => resolveType(c.type, sql));
  if (type !== null) columns.push({ field: { name, type, nullable: !c.notNull }, required: c.notNull, span });
}

/** `amount: DECIMAL(12,2) NOT NULL`: the key is the name, whatever it holds. */
function columnOfMap(r: Reader, columns: ColumnSpec[], e: Entry): void {
  const broken = /\([^)]*$/.test(e.value.k === 'scalar' ? e.value.text : '');
  if (broken) {
    r.broken = true;
    r.problem('user.config.schema', `the type of column "${e.key}" ends in its brackets`, {
      span: valueSpan(e), hint: 'in {..} the comma of DECIMAL(12,2) ends the value; write a column a line, or one text: account STRING, amount DECIMAL(12,2)',
    });
    return;
  }
  if (!isText(e.value)) {
    r.broken = true;
    return;
  }
  const sql = typeText(e.value);
  const parsed = attempt(r, () => parseSchema(sql));
  const [column, more] = parsed ?? [];
  if (more !== undefined) r.problem('user.config.schema', `column "${e.key}" has one type`, { span: sql.span(...more.name.at), hint: 'write each column as name: type' });
  if (column !== undefined) add(r, columns, column, sql, e.keySpan, e.key);
}

/** The type as a column list of one, so that NOT NULL is read alike in both forms. */
function typeText(value: ScalarNode): SqlText {
  const inner = sqlText(value);
  const head = 'x ';
  return { text: head + inner.text, span: (start, end) => inner.span(start - head.length, Math.max(end, head.length) - head.length) };
}

/** Null after a problem, which is kept. */
function attempt<T>(r: Reader, work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof PipeErrors) r.problems.push(...error.problems);
    else if (error instanceof PipeError) r.problems.push(error);
    else throw error;
    r.broken = true;
    return null;
  }
}

function readEventTime(r: Reader, source: Node, columns: readonly ColumnSpec[]): EventTimeSpec | null {
  const e = entry(source, 'event_time');
  const node = e?.value;
  if (e === undefined || node?.k !== 'map') return null;
  const from = r.scalar(node, 'from');
  if (from === undefined) {
    r.broken = true;
    return null;
  }
  const column = columns.find(c => c.field.name === from.text);
  if (column === undefined) {
    if (!r.broken) r.problem('user.config.event_time', `event_time.from: there is no column "${from.text}"`, { span: from.span, label: 'no such column', hint: unknownColumn(from.text, columns) });
    r.broken = true;
    return null;
  }
  const own = isTimestamp(column.field.type);
  const unit = own ? null : readUnit(r, node, from, column.field.type);
  if (own) refuseOwn(r, node, from.text);
  if (!own && unit === null) r.broken = true;
  return {
    from: from.text, unit, as: own ? from.text : readAs(r, node, from, columns),
    delay: r.duration(node, 'delay', DELAY), idle: r.duration(node, 'idle', IDLE, 1), maxFuture: r.duration(node, 'max_future', MAX_FUTURE), span: e.keySpan,
  };
}

/** A TIMESTAMP column is the time attribute itself. */
function refuseOwn(r: Reader, node: Node, from: string): void {
  for (const key of ['unit', 'as']) {
    const given = entry(node, key);
    if (given !== undefined) r.problem('user.config.event_time', `column "${from}" is a TIMESTAMP, so it is the time column itself and takes no "${key}"`, { span: valueSpan(given), hint: `leave "${key}" out` });
  }
}

function readUnit(r: Reader, node: Node, from: ScalarNode, type: SqlType): EventTimeSpec['unit'] {
  const given = r.scalar(node, 'unit');
  const unit = r.oneOf(node, 'unit', ['s', 'ms', 'us', 'iso', ''] as const, '');
  if (type.k !== 'string' && !isNumeric(type)) {
    r.problem('user.config.event_time', `column "${from.text}" is ${typeName(type)}, which holds no point in time`, { span: from.span, hint: 'event time comes from a number, a text or a TIMESTAMP column' });
    return null;
  }
  if (entry(node, 'unit') === undefined) {
    const units = type.k === 'string' ? 's, ms or us since 1970, or iso' : 's, ms or us since 1970';
    r.problem('user.config.event_time', `column "${from.text}" is ${typeName(type)}: event_time has to say how it holds time`, { span: from.span, hint: `add unit: ${units}` });
    return null;
  }
  if (given !== undefined && unit === 'iso' && type.k !== 'string') {
    r.problem('user.config.event_time', `column "${from.text}" is ${typeName(type)}, so its unit is not iso`, { span: given.span, hint: 'unit: s, ms or us since 1970' });
    return null;
  }
  return unit === '' ? null : unit;
}

function readAs(r: Reader, node: Node, from: ScalarNode, columns: readonly ColumnSpec[]): string {
  const given = r.scalar(node, 'as');
  const as = given?.text ?? 'ts';
  if (columns.some(c => c.field.name === as)) {
    r.problem('user.config.event_time', `the time column would be named "${as}", as a column of the schema is`, { span: given?.span ?? from.span, hint: 'name it otherwise, such as as: event_ts' });
  }
  return as;
}
