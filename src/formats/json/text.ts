import { BACKSLASH, type JsonScanner, MINUS, QUOTE, isDigit } from './scan.ts';

const SHORT: Readonly<Record<number, string>> = { 34: '"', 92: '\\', 47: '/', 98: '\b', 102: '\f', 110: '\n', 114: '\r', 116: '\t' };

/** The text of a checked JSON string whose bytes between the quotes are [p, e). Lone surrogates stay as they are, as in JSON.parse. */
export function unescape(b: Buffer, p: number, e: number): string {
  let text = '';
  let run = p;
  while (p < e) {
    if (b[p] !== BACKSLASH) { p++; continue; }
    text += b.utf8Slice(run, p);
    const short = SHORT[b[p + 1] as number];
    if (short === undefined) {
      text += String.fromCharCode(parseInt(b.latin1Slice(p + 2, p + 6), 16));
      p += 6;
    } else {
      text += short;
      p += 2;
    }
    run = p;
  }
  return text + b.utf8Slice(run, e);
}

/** A string's or number's text and where the value ends. */
export interface Scalar {
  readonly text: string;
  readonly end: number;
}

/** The string or number at `p`, or null when there is none (another value, or no JSON). */
export function scalar(scan: JsonScanner, b: Buffer, p: number, e: number): Scalar | null {
  const c = b[p] as number;
  if (c === QUOTE) {
    const end = scan.string(b, p + 1, e);
    return end < 0 ? null : { text: unescape(b, p + 1, end - 1), end };
  }
  if (c !== MINUS && !isDigit(c)) return null;
  const end = scan.number(b, p, e);
  return end < 0 ? null : { text: b.latin1Slice(p, end), end };
}

/** Longest plain text of a number with an exponent. */
const MAX_PLAIN = 128;

/**
 * The text that a JSON number is in a STRING column: its digits as written, so 9999 is '9999' and 1.50 is '1.50'; an exponent
 * is written out (1e3 is '1000', 1.5e-3 is '0.0015') and -0 has no sign. Null when that takes more than 128 characters.
 */
export function plainNumber(written: string): string | null {
  const m = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(written) as RegExpExecArray;
  const whole = m[2] as string;
  const fraction = m[3] ?? '';
  let text = m[3] === undefined ? whole : `${whole}.${fraction}`;
  if (m[4] !== undefined) {
    const point = whole.length + Number(m[4]);
    if (Math.abs(point) > MAX_PLAIN) return null;
    text = shift(whole + fraction, point);
  }
  if (text.length > MAX_PLAIN && m[4] !== undefined) return null;
  return m[1] === '-' && /[1-9]/.test(text) ? `-${text}` : text;
}

/** 0.digits x 10^point in plain digits. */
function shift(digits: string, point: number): string {
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0').replace(/^0+(?=\d)/, '');
  const fraction = point <= 0 ? '0'.repeat(-point) + digits : digits.slice(point);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
