import { commonFrom } from './common.ts';

export interface ChangedLine {
  readonly sign: '-' | '+';
  /** In the text that has it, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Lines that two texts do not share: the longest series of shared ones stays. */
export function lineDiff(before: string, after: string): ChangedLine[] {
  const [a, b] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [n, m] = [a.length - tail - head, b.length - tail - head];
  const same = (i: number, j: number): boolean => a[head + i] === b[head + j];
  const at = commonFrom(n, m, same);
  const out: ChangedLine[] = [];
  for (let i = 0, j = 0; i < n || j < m;) {
    if (i < n && j < m && same(i, j)) { i++; j++; }
    else if (i < n && (j === m || at(i + 1, j) >= at(i, j + 1))) out.push({ sign: '-', line: head + ++i, text: a[head + i - 1] as string });
    else out.push({ sign: '+', line: head + ++j, text: b[head + j - 1] as string });
  }
  return out;
}
