import { INT, STRING } from '../../types.ts';
import { advance, isFlat, lengthOf, retreat, reverse, slice, splitBy } from '../../values/text.ts';
import type { ScalarDef } from '../define.ts';
import { anyText, limited, simple, text, whole } from '../overload.ts';

/** Flink: position 0 counts as 1, below 0 from the end; a negative length gives NULL. */
function substring(s: string, start: number, length?: number): string | null {
  if (length !== undefined && length < 0) return null;
  const from = start > 0 ? advance(s, 0, start - 1) : start === 0 ? 0 : retreat(s, s.length, -start);
  if (from < 0) return '';
  return s.slice(from, length === undefined ? s.length : advance(s, from, length));
}

/** `n` code points of `fill` repeated. */
function filling(fill: string, n: number): string {
  limited(n * 2);
  const width = lengthOf(fill);
  return slice(fill.repeat(Math.ceil(n / width)), 0, n);
}

function padded(s: string, length: number, fill: string, left: boolean): string | null {
  if (length < 0 || fill === '') return null;
  const missing = length - lengthOf(s);
  if (missing <= 0) return slice(s, 0, length);
  return left ? filling(fill, missing) + s : s + filling(fill, missing);
}

/** Cuts any of the characters `set` off the ends. */
function trimmed(s: string, set: string, left: boolean, right: boolean): string {
  const chars = new Set(set);
  let from = 0;
  let to = s.length;
  while (left && from < to) {
    const next = advance(s, from, 1);
    if (!chars.has(s.slice(from, next))) break;
    from = next;
  }
  while (right && to > from) {
    const before = retreat(s, to, 1);
    if (!chars.has(s.slice(before, to))) break;
    to = before;
  }
  return s.slice(from, to);
}

/** A word is a run of letters and digits. */
const initcap = (s: string): string => s.replace(/[\p{L}\p{N}\p{M}]+/gu, word => {
  const first = advance(word, 0, 1);
  return word.slice(0, first).toUpperCase() + word.slice(first).toLowerCase();
});

/** Each character of `from` becomes the one at the same place of `to`; those beyond it are dropped. */
function translate(s: string, from: string, to: string): string {
  const target = [...to];
  const map = new Map<string, string>();
  [...from].forEach((c, i) => { if (!map.has(c)) map.set(c, target[i] ?? ''); });
  let out = '';
  for (const c of s) out += map.get(c) ?? c;
  return out;
}

function replace(s: string, seek: string, by: string): string {
  const parts = seek === '' ? ['', ...s, ''] : splitBy(s, seek);
  limited(s.length + parts.length * by.length);
  return parts.join(by);
}

function repeat(s: string, n: number): string {
  if (n <= 0) return '';
  limited(s.length * n);
  return s.repeat(n);
}

function overlay(s: string, by: string, start: number, length = lengthOf(by)): string {
  // as in Flink, a place outside of the text leaves it as it is
  if (start <= 0 || start > lengthOf(s)) return s;
  const from = advance(s, 0, start - 1);
  return s.slice(0, from) + by + (length < 0 ? '' : s.slice(advance(s, from, length)));
}

const concatWs = (separator: string | null, ...parts: (string | null)[]): string | null => {
  if (separator === null) return null;
  const joined = parts.filter(p => p !== null).join(separator);
  limited(joined.length);
  return joined;
};

const trim = simple({
  name: 'trim', summary: 'Cuts blanks, or any of the given characters, off both ends.', syntax: "TRIM([BOTH | LEADING | TRAILING] ['chars' FROM] text)",
  params: [text, text], optional: 1, returns: STRING, fn: (s: string, set = ' ') => trimmed(s, set, true, true),
  examples: [{ sql: "TRIM('  a b ')", result: 'a b' }, { sql: "TRIM(BOTH 'xy' FROM 'xyaxy')", result: 'a' }, { sql: "TRIM('')", result: '' }],
});
const ltrim = simple({
  name: 'ltrim', summary: 'Cuts blanks, or any of the given characters, off the start.', syntax: "LTRIM(text [, 'chars'])",
  params: [text, text], optional: 1, returns: STRING, fn: (s: string, set = ' ') => trimmed(s, set, true, false), examples: [{ sql: "LTRIM('  a ')", result: 'a ' }, { sql: "TRIM(LEADING '0' FROM '0070')", result: '70' }],
});
const rtrim = simple({
  name: 'rtrim', summary: 'Cuts blanks, or any of the given characters, off the end.', syntax: "RTRIM(text [, 'chars'])",
  params: [text, text], optional: 1, returns: STRING, fn: (s: string, set = ' ') => trimmed(s, set, false, true), examples: [{ sql: "RTRIM(' a  ')", result: ' a' }, { sql: "TRIM(TRAILING '0' FROM '0070')", result: '007' }],
});

export const textFunctions: readonly ScalarDef[] = [
  simple({
    name: 'upper', aliases: ['ucase'], summary: 'In upper case.', syntax: 'UPPER(text)', params: [text], returns: STRING, fn: (s: string) => s.toUpperCase(),
    js: ([s]) => `${s}.toUpperCase()`, examples: [{ sql: "UPPER('straße')", result: 'STRASSE' }, { sql: "UPPER('')", result: '' }],
  }),
  simple({
    name: 'lower', aliases: ['lcase'], summary: 'In lower case.', syntax: 'LOWER(text)', params: [text], returns: STRING, fn: (s: string) => s.toLowerCase(),
    js: ([s]) => `${s}.toLowerCase()`, examples: [{ sql: "LOWER('ÉA')", result: 'éa' }],
  }),
  simple({ name: 'initcap', summary: 'Each word with a capital, the rest in lower case.', syntax: 'INITCAP(text)', params: [text], returns: STRING, fn: initcap, examples: [{ sql: "INITCAP('hELLO big-world 2nd')", result: 'Hello Big-World 2nd' }] }),
  // TRIM(LEADING ..) and TRIM(TRAILING ..) arrive with their mode as unit
  { ...trim, resolve: (args, mode) => (mode === 'LEADING' ? ltrim : mode === 'TRAILING' ? rtrim : trim).resolve(args, null) },
  ltrim,
  rtrim,
  simple({
    name: 'lpad', summary: 'Filled up on the left to a length, or cut to it; NULL for a negative length or an empty filling.', syntax: 'LPAD(text, length [, filling])', params: [text, whole, text], optional: 1, returns: STRING, returnsNull: true,
    fn: (s: string, n: number, fill = ' ') => padded(s, n, fill, true), examples: [{ sql: "LPAD('hi', 5, '?!')", result: '?!?hi' }, { sql: "LPAD('hi', 1, '?')", result: 'h' }, { sql: "LPAD('hi', -1, '?')", result: 'NULL' }],
  }),
  simple({
    name: 'rpad', summary: 'Filled up on the right to a length, or cut to it; NULL for a negative length or an empty filling.', syntax: 'RPAD(text, length [, filling])', params: [text, whole, text], optional: 1, returns: STRING, returnsNull: true,
    fn: (s: string, n: number, fill = ' ') => padded(s, n, fill, false), examples: [{ sql: "RPAD('hi', 5, '?!')", result: 'hi?!?' }, { sql: "RPAD('hi', 0, '?')", result: '' }],
  }),
  simple({
    name: 'char_length', aliases: ['character_length', 'length'], summary: 'Number of characters (code points).', syntax: 'CHAR_LENGTH(text)', params: [text], returns: INT, fn: lengthOf,
    examples: [{ sql: "CHAR_LENGTH('naïve')", result: '5' }, { sql: "CHAR_LENGTH('')", result: '0' }],
  }),
  simple({
    name: 'substring', aliases: ['substr'], summary: 'A part of a text from a 1-based position; a position below 0 counts from the end.', syntax: 'SUBSTRING(text, start [, length]) or SUBSTRING(text FROM start [FOR length])',
    params: [text, whole, whole], optional: 1, returns: STRING, returnsNull: true, fn: substring,
    examples: [{ sql: "SUBSTRING('hello', 2, 3)", result: 'ell' }, { sql: "SUBSTRING('hello', 0, 3)", result: 'hel' }, { sql: "SUBSTRING('hello', -3)", result: 'llo' }, { sql: "SUBSTRING('hello', -9)", result: '' }, { sql: "SUBSTRING('hello', 1, -1)", result: 'NULL' }],
  }),
  simple({ name: 'left', summary: 'The first characters.', syntax: 'LEFT(text, length)', params: [text, whole], returns: STRING, fn: (s: string, n: number) => slice(s, 0, Math.max(0, n)), examples: [{ sql: "LEFT('hello', 2)", result: 'he' }, { sql: "LEFT('hello', -1)", result: '' }] }),
  simple({ name: 'right', summary: 'The last characters.', syntax: 'RIGHT(text, length)', params: [text, whole], returns: STRING, fn: (s: string, n: number) => (n <= 0 ? '' : s.slice(Math.max(0, retreat(s, s.length, n)))), examples: [{ sql: "RIGHT('hello', 2)", result: 'lo' }, { sql: "RIGHT('hello', 9)", result: 'hello' }] }),
  simple({ name: 'replace', summary: 'Every occurrence of a text replaced.', syntax: 'REPLACE(text, search, replacement)', params: [text, text, text], returns: STRING, fn: replace, examples: [{ sql: "REPLACE('a.b.c', '.', '$&')", result: 'a$&b$&c' }] }),
  simple({ name: 'translate', summary: 'Characters replaced one by one; those without a counterpart are dropped.', syntax: 'TRANSLATE(text, from, to)', params: [text, text, text], returns: STRING, fn: translate, examples: [{ sql: "TRANSLATE('12-34', '1-', 'x')", result: 'x234' }] }),
  simple({ name: 'reverse', summary: 'Characters in reverse order.', syntax: 'REVERSE(text)', params: [text], returns: STRING, fn: (s: string) => (isFlat(s) ? s.split('').reverse().join('') : reverse(s)), examples: [{ sql: "REVERSE('abc')", result: 'cba' }] }),
  simple({ name: 'repeat', summary: 'A text several times.', syntax: 'REPEAT(text, times)', params: [text, whole], returns: STRING, fn: repeat, examples: [{ sql: "REPEAT('ab', 2)", result: 'abab' }, { sql: "REPEAT('ab', 0)", result: '' }] }),
  simple({
    name: 'overlay', summary: 'A part of a text replaced by another.', syntax: 'OVERLAY(text PLACING replacement FROM start [FOR length])', params: [text, text, whole, whole], optional: 1, returns: STRING, fn: overlay,
    examples: [{ sql: "OVERLAY('abcdef', 'XY', 2, 3)", result: 'aXYef' }],
  }),
  simple({
    name: 'concat', summary: 'All arguments as one text; NULL when one is NULL.', syntax: 'CONCAT(any, ..)', params: [anyText], variadic: true, returns: STRING,
    fn: (...parts: string[]) => { const s = parts.join(''); limited(s.length); return s; }, examples: [{ sql: "CONCAT('a', 5, TRUE)", result: 'a5TRUE' }, { sql: "CONCAT('a', NULL)", result: 'NULL' }],
  }),
  simple({
    name: 'concat_ws', summary: 'The arguments that are not NULL, with a separator between them.', syntax: 'CONCAT_WS(separator, any, ..)', params: [text, anyText], variadic: true, returns: STRING, nulls: 'pass', returnsNull: true, fn: concatWs,
    examples: [{ sql: "CONCAT_WS('-', 'a', NULL, 2.50)", result: 'a-2.50' }, { sql: "CONCAT_WS(NULL, 'a')", result: 'NULL' }],
  }),
];
