import type { PipeError } from '../errors.ts';
import { plural } from '../numbers.ts';
import type { RowDiff } from '../testing/compare.ts';
import type { Columns } from '../testing/received.ts';
import type { Failure } from '../testing/run-test.ts';
import { renderProblem } from './render-error.ts';
import type { Look } from './test-paint.ts';
import { lineOf } from './test-report.ts';
import { fit, harmless, width } from './text-width.ts';

/** Differences of one sink that are shown; more are counted. */
const MAX_SHOWN = 20;
/** A long value is shown from so many characters before the first that differs. */
const BEFORE = 16;

/** What is wrong with one test. */
export function failureLines(failures: readonly Failure[], look: Look): string[] {
  const { paint } = look;
  const lines = failures.flatMap(f => {
    switch (f.k) {
      case 'rows': return rowLines(f, look);
      case 'count': return countLines(f, look);
      case 'error': return errorLines(f, look);
    }
  });
  return failures.some(f => f.k === 'rows') ? [...lines, `${paint('expected', '- expected')}  ${paint('received', '+ received')}`] : lines;
}

const when = (step: number | null): string => (step === null ? '' : `step ${step}: `);

function rowLines(f: Failure & { k: 'rows' }, look: Look): string[] {
  const shown = f.diffs.slice(0, MAX_SHOWN);
  const more = f.diffs.length - shown.length;
  return [
    `${when(f.step)}${harmless(f.sink)}: ${plural(f.expected.length, 'row')} expected, ${f.received.length} received`,
    ...shown.flatMap(d => diffLines(f, d, { ...look, columns: look.columns - 2 }).map(l => `  ${l}`)),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function diffLines({ spec, expected, received }: Failure & { k: 'rows' }, d: RowDiff, look: Look): string[] {
  const { paint, columns } = look;
  const place = (e: number): string => `line ${lineOf((spec.rows[e] as (typeof spec.rows)[number]).node.span)}`;
  switch (d.k) {
    case 'missing': return [`missing, ${place(d.expected)}`, ...oneRow('-', expected[d.expected] as Columns, look)];
    case 'unexpected': return ['unexpected', ...oneRow('+', received[d.received] as Columns, look)];
    case 'differs': {
      const [e, r] = [expected[d.expected] as Columns, received[d.received] as Columns];
      const names = nameWidth(e.keys(), columns);
      const lines = [...e].flatMap(([name, value]) => {
        const other = r.get(name);
        if (other === value) return [paint('dim', column(' ', name, value, names, columns))];
        const [a, b] = apart(value, other ?? '', columns - names - 4);
        return [paint('expected', column('-', name, a, names, columns)), other === undefined ? paint('received', column('+', name, '(no such column)', names, columns)) : paint('received', column('+', name, b, names, columns))];
      });
      return [`differs, ${place(d.expected)}`, ...lines];
    }
  }
}

function oneRow(sign: '-' | '+', row: Columns, { paint, columns }: Look): string[] {
  const names = nameWidth(row.keys(), columns);
  if (row.size === 0) return [paint(sign === '-' ? 'expected' : 'received', `${sign} (no columns)`)];
  return [...row].map(([name, value]) => paint(sign === '-' ? 'expected' : 'received', column(sign, name, value, names, columns)));
}

const nameWidth = (names: Iterable<string>, columns: number): number => Math.min(Math.floor(columns / 2), Math.max(1, ...[...names].map(n => width(harmless(n)))));

const column = (sign: string, name: string, value: string, names: number, columns: number): string =>
  `${sign} ${fit(harmless(name), names)}  ${cut(harmless(value), columns - names - 4)}`;

/** A text that is not longer than `columns`. */
export const cut = (text: string, columns: number): string => (width(text) > columns ? fit(text, Math.max(1, columns)) : text);

/** Two values that differ, so that the first difference is in sight. */
function apart(a: string, b: string, columns: number): readonly [string, string] {
  if (width(a) <= columns && width(b) <= columns) return [a, b];
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const from = same - BEFORE;
  return from <= 0 ? [a, b] : [`…${a.slice(from)}`, `…${b.slice(from)}`];
}

function countLines(f: Failure & { k: 'count' }, { columns }: Look): string[] {
  const what = f.what === 'late' ? 'late rows' : `dead letters ${f.what}`;
  return [`${when(f.step)}${what}: ${f.n} expected, ${f.received} received`, ...f.messages.slice(0, MAX_SHOWN).map(m => `  ${cut(harmless(m), columns - 2)}`)];
}

function errorLines(f: Failure & { k: 'error' }, { color, columns }: Look): string[] {
  const found = (problems: readonly PipeError[]): string[] => problems.flatMap(p => renderProblem(p, { color }).trimEnd().split('\n').map(l => `  ${l}`));
  if (f.problems.length === 0) return [`${f.expected} expected, but the pipeline runs to its end`];
  return [cut(f.expected === null ? 'the pipeline stopped' : `${f.expected} expected, received`, columns), ...found(f.problems)];
}
