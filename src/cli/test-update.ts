import { readFileSync, writeFileSync } from 'node:fs';
import type { SourceText } from '../errors.ts';
import { plural } from '../numbers.ts';
import { lineDiff } from '../testing/line-diff.ts';
import type { TestResult } from '../testing/run-test.ts';
import type { Suite } from '../testing/suite.ts';
import { updateOf } from '../testing/update.ts';
import type { Paint } from './test-paint.ts';
import { harmless } from './text-width.ts';

/** Writes the rows that were received to where the tests of a file expect others. Shows each line that it changes, then says what it wrote. */
export function updateFile({ path, file }: Suite, results: readonly TestResult[], say: (line: string) => void, paint: Paint): void {
  const source = results[0]?.test.nameSpan.source;
  if (source === undefined) return;
  const { text, rows, tests, left } = updateOf(source, results);
  for (const name of left) say(`${harmless(file)}: test "${harmless(name)}" is left as it is: its rows stand elsewhere (an anchor or a variable)`);
  if (rows === 0) return;
  if (!isAsRead(path, source)) return say(`${harmless(file)} has changed meanwhile: nothing is written`);
  say(paint('bold', harmless(file)));
  for (const { sign, line, text: changed } of lineDiff(source.text, text)) say(paint(sign === '-' ? 'expected' : 'received', `${String(line).padStart(5)} ${sign} ${harmless(changed)}`));
  writeFileSync(path, text);
  say(`wrote ${harmless(file)}: ${plural(rows, 'row')} of ${plural(tests, 'test')}`);
}

function isAsRead(path: string, source: SourceText): boolean {
  return readFileSync(path, 'utf8') === source.text;
}
