/** Text as Unicode code points. JS strings are UTF-16: a character above U+FFFF is two units, and unit order is not code point order. */

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** -1, 0 or 1 by code points, the order of their UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // a surrogate stands for a code point above every other unit
    const px = x >= 0xd800 && x <= 0xdfff ? x + 0x10000 : x;
    const py = y >= 0xd800 && y <= 0xdfff ? y + 0x10000 : y;
    return px < py ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

/** Number of code points. */
export function lengthOf(s: string): number {
  let n = s.length;
  for (let i = 1; i < s.length; i++) if (isLow(s.charCodeAt(i)) && isHigh(s.charCodeAt(i - 1))) n--;
  return n;
}

/** True when every code point is one unit, so that offsets need no conversion. */
export function isFlat(s: string): boolean {
  for (let i = 0; i < s.length; i++) if (isHigh(s.charCodeAt(i))) return false;
  return true;
}

/** Unit offset after `n` code points from unit offset `from`; s.length when there are fewer. */
export function advance(s: string, from: number, n: number): number {
  let i = from;
  for (; n > 0 && i < s.length; n--) i += isHigh(s.charCodeAt(i)) && i + 1 < s.length && isLow(s.charCodeAt(i + 1)) ? 2 : 1;
  return i;
}

/** Unit offset `n` code points before unit offset `from`, or -1 when there are fewer. */
export function retreat(s: string, from: number, n: number): number {
  let i = from;
  for (; n > 0; n--) {
    if (i === 0) return -1;
    i -= i > 1 && isLow(s.charCodeAt(i - 1)) && isHigh(s.charCodeAt(i - 2)) ? 2 : 1;
  }
  return i;
}

/** Code points [start, end), both >= 0. */
export function slice(s: string, start: number, end: number): string {
  const from = advance(s, 0, start);
  return s.slice(from, end <= start ? from : advance(s, from, end - start));
}

/** 1-based code point position of `seek` at or after code point `from` (1-based); 0 when absent. */
export function position(s: string, seek: string, from = 1): number {
  const at = indexOf(s, seek, advance(s, 0, from - 1));
  return at < 0 ? 0 : lengthOf(s.slice(0, at)) + 1;
}

export function reverse(s: string): string {
  let out = '';
  for (const c of s) out = c + out;
  return out;
}

/** From this length on a search by String.indexOf may take minutes: it looks at each place of the text for most of the pattern. */
const LONG = 200;

/** As String.indexOf, in time linear in both lengths (Knuth, Morris, Pratt 1977), since both may come from a record. */
export function indexOf(s: string, seek: string, from = 0): number {
  const m = seek.length;
  if (m < LONG) return s.indexOf(seek, from);
  if (s.length - from < m) return -1;
  const borders = bordersOf(seek);
  let k = 0;
  for (let i = from; i < s.length; i++) {
    const c = s.charCodeAt(i);
    while (k > 0 && seek.charCodeAt(k) !== c) k = borders[k - 1] as number;
    if (seek.charCodeAt(k) === c && ++k === m) return i - m + 1;
  }
  return -1;
}

/** Of each start of a text, the length of its longest proper start that is its end too. */
function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length);
  let k = 0;
  for (let i = 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    while (k > 0 && text.charCodeAt(k) !== c) k = borders[k - 1] as number;
    if (text.charCodeAt(k) === c) k++;
    borders[i] = k;
  }
  return borders;
}

/** As String.split by a text that is not empty, in linear time. */
export function splitBy(s: string, seek: string): string[] {
  if (seek.length < LONG) return s.split(seek);
  const parts: string[] = [];
  let from = 0;
  for (let at = indexOf(s, seek); at >= 0; at = indexOf(s, seek, from)) {
    parts.push(s.slice(from, at));
    from = at + seek.length;
  }
  parts.push(s.slice(from));
  return parts;
}
