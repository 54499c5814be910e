import { PipeError, type Span } from '../errors.ts';
import type { RelColumn } from '../sql/bound.ts';
import { typeName, type SqlType } from '../sql/types.ts';
import { closest, didYouMean } from '../suggest.ts';
import type { SinkSpec } from './spec.ts';

/** A column of a sink's output; its type is null where only the names are known, because the SQL has a problem. */
export interface OutputColumn {
  readonly name: string;
  readonly type: SqlType | null;
  /** The name is that of a column which does not exist: a slip perhaps, and what differs a little from it may be right. */
  readonly doubtful?: boolean;
}

export const isColumn = (name: string, columns: readonly OutputColumn[]): boolean => columns.some(c => c.name === name || (c.doubtful === true && closest(name, [c.name]) !== undefined));


/** For a name that is none of the columns. */
export const columnHint = (name: string, columns: readonly OutputColumn[]): string =>
  didYouMean(name, columns.map(c => c.name)) ?? `columns: ${columns.map(c => (c.type === null ? c.name : `${c.name} ${typeName(c.type)}`)).join(', ')}`;

export const keyProblems = (sink: SinkSpec, columns: readonly OutputColumn[]): PipeError[] =>
  sink.key.filter(key => !isColumn(key.name, columns)).map(key => new PipeError('user.sql.unknown_column', `key column "${key.name}" is not in the output`, {
    span: key.span, label: 'no such column', hint: columnHint(key.name, columns),
  }));

/** What a sink cannot write. */
export function outputProblems(sink: SinkSpec, columns: readonly RelColumn[]): PipeError[] {
  const problems: PipeError[] = [];
  const seen = new Set<string>();
  for (const c of columns) {
    const span = placeOf(sink, c);
    if (seen.has(c.name)) problems.push(new PipeError('user.sql.duplicate_column', `two columns of the output are named "${c.name}"`, { span, hint: 'give one of them another name with AS' }));
    seen.add(c.name);
    if (c.type.k === 'null') problems.push(new PipeError('user.sql.type', `column "${c.name}" has no type`, { span, hint: 'write CAST(NULL AS STRING)' }));
    if (c.type.k === 'interval' || c.type.k === 'interval_month') problems.push(new PipeError('user.sql.type', `column "${c.name}" is an interval, which has no JSON form`, { span }));
  }
  if (sink.emit === 'changes') problems.push(new PipeError('user.sql.unsupported', 'not supported yet: emit: changes', { span: sink.emitSpan ?? sink.nameSpan, hint: 'emit: final gives one row per window' }));
  return problems;
}

const placeOf = ({ sql, from, nameSpan }: SinkSpec, { at }: RelColumn): Span => (sql === null || at === undefined ? from?.span ?? nameSpan : sql.span(...at));
