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
  const at = s.indexOf(seek, advance(s, 0, from - 1));
  return at < 0 ? 0 : lengthOf(s.slice(0, at)) + 1;
}

export function reverse(s: string): string {
  let out = '';
  for (const c of s) out = c + out;
  return out;
}
