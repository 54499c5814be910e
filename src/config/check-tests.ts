import { PipeError } from '../errors.ts';
import { columnHint, isColumn, type OutputColumn } from './check-output.ts';
import type { TestSpec } from './spec.ts';

/** Keys of expected rows that are no columns of their sink; `outputs` has the sinks whose columns are known. */
export function expectProblems(tests: readonly TestSpec[], outputs: ReadonlyMap<string, readonly OutputColumn[]>): PipeError[] {
  const expected = tests.flatMap(t => [...t.steps.flatMap(s => (s.k === 'expect' ? [s.expect] : [])), t.expect]);
  return expected.flatMap(e => [...e.rows]).flatMap(([sink, { rows }]) => {
    const columns = outputs.get(sink);
    if (columns === undefined) return [];
    const unknown = rows.flatMap(r => r.node.entries).filter(({ key }) => !isColumn(key, columns));
    return unknown.map(({ key, keySpan }) => new PipeError('user.sql.unknown_column', `sink "${sink}" has no column "${key}"`, { span: keySpan, label: 'no such column', hint: columnHint(key, columns) }));
  });
}
