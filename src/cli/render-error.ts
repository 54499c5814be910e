import type { PipeError, Span } from '../errors.ts';

/** More are counted, not shown. */
const MAX_SHOWN = 20;
/** Characters of a source line that a frame shows. */
const WIDTH = 140;

interface Paint {
  (style: 'error' | 'warning' | 'dim' | 'bold', text: string): string;
}

const STYLES = { error: '31;1', warning: '33;1', dim: '2', bold: '1' } as const;
const colors: Paint = (style, text) => `\u001b[${STYLES[style]}m${text}\u001b[0m`;
const plain: Paint = (_, text) => text;

/** Problems as text for a person, blank lines between them; each ends with a newline. */
export function renderProblems(problems: readonly PipeError[], o: { readonly color: boolean }): string {
  const shown = problems.slice(0, MAX_SHOWN).map(p => renderProblem(p, o));
  const left = problems.length - shown.length;
  return [...shown, ...(left > 0 ? [`and ${left} more\n`] : [])].join('\n');
}

/** `file:line:col error[code]: text`, the frame with a caret, the hint. */
export function renderProblem(p: PipeError, { color }: { readonly color: boolean }): string {
  const paint = color ? colors : plain;
  const at = p.span?.source.position(p.span.start);
  const place = p.span === undefined || at === undefined ? '' : `${visible(p.span.source.name)}:${at.line}:${at.col} `;
  const head = `${paint('bold', place)}${paint(p.severity, `${p.severity}[${p.code}]:`)} ${safe(p.message)}`;
  const lines = [head, ...(p.span === undefined ? [] : frame(p.span, p.label, p.severity, color))];
  if (p.hint !== undefined) lines.push(`  ${paint('bold', 'hint:')} ${safe(p.hint)}`);
  return `${lines.join('\n')}\n`;
}

/** The same as data. `col` and `endCol` count UTF-16 units from 1; `endCol` is one past the end, on the first line of the place. */
export function problemJson(p: PipeError): {
  code: string; severity: 'error' | 'warning'; file: string | null; line: number | null; col: number | null; endCol: number | null; message: string; hint: string | null;
} {
  const at = p.span?.source.position(p.span.start);
  const length = p.span === undefined ? 0 : firstLineLength(p.span);
  return {
    code: p.code, severity: p.severity, file: p.span?.source.name ?? null, line: at?.line ?? null, col: at?.col ?? null,
    endCol: at === undefined ? null : at.col + length, message: p.message, hint: p.hint ?? null,
  };
}

/** Length of a span on its first line. */
function firstLineLength({ source, start, end }: Span): number {
  const stop = source.text.indexOf('\n', start);
  const line = source.text.slice(start, Math.min(end, stop < 0 ? source.text.length : stop));
  return line.replace(/\r$/, '').length;
}

/** The line of the problem, one line before and one after. */
export function frame(span: Span, label: string | undefined, severity: 'error' | 'warning', color: boolean): string[] {
  const paint = color ? colors : plain;
  const lines = span.source.text.split(/\r?\n/);
  const { line, col } = span.source.position(span.start);
  // the offsets count what a byte order mark takes; the screen does not
  const window = cut(lines[line - 1] ?? '', col - 1);
  const width = Math.max(3, String(line + 1).length);
  const out: string[] = [];
  for (let n = Math.max(1, line - 1); n <= Math.min(lines.length, line + 1); n++) {
    const text = n === line ? window.text : cut(lines[n - 1] as string, 0, window.from).text;
    if (n !== line && text.trim() === '') continue;
    out.push(`${n === line ? paint(severity, '  > ') : '    '}${paint('dim', `${String(n).padStart(width)} |`)}${text === '' ? '' : ` ${text}`}`);
    if (n === line) out.push(`    ${' '.repeat(width)} ${paint('dim', '|')} ${caret(lines[line - 1] ?? '', col - 1, firstLineLength(span), window, label, severity, paint)}`);
  }
  return out;
}

function caret(line: string, col: number, length: number, window: Window, label: string | undefined, severity: 'error' | 'warning', paint: Paint): string {
  const before = columns(visible(line.slice(window.from, col))) + (window.from > 0 ? 3 : 0);
  const marked = visible(line.slice(col, Math.min(col + length, window.from + WIDTH)));
  return `${' '.repeat(before)}${paint(severity, `${'^'.repeat(Math.max(1, columns(marked)))}${label === undefined ? '' : ` ${safe(label)}`}`)}`;
}

interface Window {
  readonly text: string;
  /** First character of the line that is shown. */
  readonly from: number;
}

/** A long line is cut around `col`. */
function cut(line: string, col: number, from = col < WIDTH - 40 ? 0 : col - 60): Window {
  const end = from + WIDTH;
  const text = visible(line.slice(from, end));
  return { text: `${from > 0 && line.length > from ? '...' : ''}${text}${end < line.length ? '...' : ''}`, from };
}

/** As it is shown: tabs are two blanks, control characters and direction marks cannot act on the terminal. */
const visible = (text: string): string => text.replaceAll('\t', '  ').replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd').replaceAll('\ufeff', '');

/** A message or hint, which may quote data. */
const safe = (text: string): string => text.split('\n').map(visible).join('\n');

/** Columns on a terminal: combining marks take none, wide characters two. */
function columns(text: string): number {
  let n = 0;
  for (const c of text) n += /\p{M}/u.test(c) ? 0 : /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}]/u.test(c) ? 2 : 1;
  return n;
}
