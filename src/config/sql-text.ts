import type { SourceText, Span, SqlText } from '../errors.ts';
import type { ScalarNode } from './tree.ts';

/** SQL inside the pipeline file: its own text, and spans that point into the file. Works for | blocks, plain and quoted scalars. */
export function sqlText(node: ScalarNode): SqlText {
  const { source } = node.span;
  const text = node.text;
  let map: Int32Array | null = null;
  return {
    text,
    span(start: number, end: number): Span {
      map ??= offsets(source, node);
      const from = Math.max(0, Math.min(start, text.length));
      const to = Math.max(from, Math.min(end, text.length));
      // the end is one past the last character, which may stand at the end of an earlier line
      const last = to > from ? (map[to - 1] as number) + 1 : (map[from] as number);
      // a block at the end of a file without a line break has one in its value
      return { source, start: Math.min(map[from] as number, source.text.length), end: Math.min(last, source.text.length) };
    },
  };
}

export const isFolded = (node: ScalarNode): boolean => node.scalar.type === 'BLOCK_FOLDED';

/** File offset of each character of the value, and of its end. */
function offsets(source: SourceText, node: ScalarNode): Int32Array {
  const start = node.span.start;
  const file = source.text;
  if (node.scalar.type === 'BLOCK_LITERAL') return blockOffsets(file, node);
  const quote = file[start] === '"' || file[start] === "'" ? (file[start] as string) : '';
  return flowOffsets(file, start, node.text, quote);
}

/** A | block: every line of the value is a line of the file without its indent. */
function blockOffsets(file: string, node: ScalarNode): Int32Array {
  const value = node.text;
  const { start, end } = node.span;
  const map = new Int32Array(value.length + 1);
  const first = file.indexOf('\n', start) + 1;
  const token = node.scalar.srcToken;
  const indent = blockIndent(file.slice(start, first), file.slice(first, end), token?.type === 'block-scalar' ? token.indent : 0);
  let line = first;
  let i = 0;
  for (const text of value.split('\n')) {
    const stop = file.indexOf('\n', line);
    const next = stop < 0 ? file.length : stop;
    // blank lines may be shorter than the indent
    const begin = Math.min(line + indent, next - (file[next - 1] === '\r' ? 1 : 0));
    for (let k = 0; k <= text.length && i <= value.length; k++) map[i++] = Math.max(line, begin) + k;
    line = Math.min(next + 1, file.length);
  }
  return map;
}

/** Blanks that YAML cuts from each line: those of the first line with text, or what the indicator (`|2`) says beyond the parent's indent. */
function blockIndent(header: string, body: string, parent: number): number {
  const explicit = /^[|][+-]?([1-9])/.exec(header);
  if (explicit !== null) return Math.max(0, parent) + Number(explicit[1]);
  const line = body.split('\n').find(l => !/^ *\r?$/.test(l)) ?? '';
  return /^ */.exec(line)?.[0].length ?? 0;
}

const ESCAPES: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };

/** Plain and quoted scalars: character by character; line breaks fold, '' is one quote, \ escapes are one character. */
function flowOffsets(file: string, start: number, value: string, quote: string): Int32Array {
  const map = new Int32Array(value.length + 1);
  let p = start + quote.length;
  for (let i = 0; i < value.length;) {
    if (quote === "'" && file.startsWith("''", p)) { map[i++] = p; p += 2; continue; }
    if (quote === '"' && file[p] === '\\') {
      if (/[\r\n]/.test(file[p + 1] as string)) { p = skipBlank(file, p + 1); continue; }
      const length = ESCAPES[file[p + 1] as string] ?? 2;
      const units = file[p + 1] === 'U' && /[\uD800-\uDBFF]/.test(value[i] as string) ? 2 : 1;
      for (let k = 0; k < units; k++) map[i++] = p;
      p += length;
      continue;
    }
    const folded = lineBreakAt(file, p);
    if (folded !== null && /\s/.test(value[i] as string)) {
      const at = p;
      p = folded;
      for (let first = true; i < value.length && (first || value[i] === '\n'); first = false) map[i++] = at;
      continue;
    }
    map[i++] = p++;
  }
  map[value.length] = p;
  return map;
}

/** Where the text goes on after the line break at `p` and the blanks before it; null when there is none. */
function lineBreakAt(file: string, p: number): number | null {
  let q = p;
  while (file[q] === ' ' || file[q] === '\t') q++;
  if (file[q] === '\r') q++;
  return file[q] === '\n' ? skipBlank(file, q) : null;
}

function skipBlank(file: string, p: number): number {
  let q = p;
  while (/[ \t\r\n]/.test(file[q] ?? '')) q++;
  return q;
}
