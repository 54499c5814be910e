import { stripVTControlCharacters } from 'node:util';

/** Code points that terminals draw two columns wide (Unicode East Asian Width W and F, without the rare planes). */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], [0x231a, 0x231b], [0x2329, 0x232a], [0x23e9, 0x23ec], [0x25fd, 0x25fe], [0x2614, 0x2615], [0x2648, 0x2653], [0x26a1, 0x26a1],
  [0x26bd, 0x26be], [0x26c4, 0x26c5], [0x2705, 0x2705], [0x270a, 0x270b], [0x2728, 0x2728], [0x274c, 0x274c], [0x2753, 0x2755], [0x2795, 0x2797],
  [0x2b50, 0x2b50], [0x2e80, 0x303e], [0x3041, 0x33ff], [0x3400, 0x4dbf], [0x4e00, 0x9fff], [0xa000, 0xa4cf], [0xa960, 0xa97f], [0xac00, 0xd7a3],
  [0xf900, 0xfaff], [0xfe30, 0xfe6f], [0xff00, 0xff60], [0xffe0, 0xffe6], [0x1f300, 0x1f64f], [0x1f680, 0x1f6ff], [0x1f900, 0x1faff], [0x20000, 0x3fffd],
];

const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function charWidth(ch: string): number {
  const c = ch.codePointAt(0) as number;
  if (c < 0x300) return 1;
  if (ZERO.test(ch)) return 0;
  return WIDE.some(([from, to]) => c >= from && c <= to) ? 2 : 1;
}

/** Columns that a text takes on a terminal; it holds no control characters. */
export function width(text: string): number {
  let n = 0;
  for (const ch of text) n += charWidth(ch);
  return n;
}

/** Text of data made harmless for a terminal: escape sequences are gone, other control characters are shown as �. */
export const harmless = (text: string): string => stripVTControlCharacters(text).replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');

/** Control characters and those that turn the direction of text, but for tabs and line ends. */
const ACTING = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const escaped = (ch: string): string => `\\u${(ch.codePointAt(0) as number).toString(16).padStart(4, '0')}`;

/** Text of data, whole lines of it, in which what could act on a terminal is written as `\u001b`. */
export const visible = (text: string): string => text.replace(ACTING, ch => (ch === '\n' || ch === '\t' ? ch : escaped(ch)));

/** JSON for a line of stdout: the same value, in which nothing can act on a terminal. */
export const safeJson = (value: unknown): string => JSON.stringify(value).replace(ACTING, escaped);

/** `text` in exactly `columns` columns; too long a text is cut and ends in `…`. */
export function fit(text: string, columns: number, right = false): string {
  const w = width(text);
  if (w <= columns) return right ? ' '.repeat(columns - w) + text : text + ' '.repeat(columns - w);
  let cut = '';
  let n = 0;
  for (const ch of text) {
    const cw = charWidth(ch);
    if (n + cw > columns - 1) break;
    cut += ch;
    n += cw;
  }
  return `${cut}…${' '.repeat(Math.max(0, columns - 1 - n))}`;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  /** Numbers stand on the right. */
  readonly right: boolean;
  /** Numbers and times are shown as a whole or not at all. */
  readonly whole: boolean;
}
