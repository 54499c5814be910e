import { isUtf8 } from 'node:buffer';
import { random, seed } from './support.ts';

/** Makers of random documents: the same for the same FORMATS_SEED. */
export const next = random(seed);
export const int = (n: number): number => Math.floor(next() * n);
export const pick = <T>(from: readonly T[]): T => from[int(from.length)] as T;

export const KEYS = ['a', 'b', 'amount', '__proto__', 'ключ', '', 'a"b', 'x'];
const NUMBERS = ['0', '-0', '1', '12', '-5', '600.25', '0.1', '1e3', '1E-2', '2.50e+1', '9007199254740993', '123456789012345678', '1e400', '0.000', '1704110400', '-1.5'];
const STRINGS = ['', 'a', 'deposit', '12', 'é', '😀', '\\n', '\\u0041', '\\ud83d\\ude00', '\\ud800', '\\"', '\\\\', '\u2028', '2024-01-01T00:00:00Z', 'AQL/', 'null'];
const BLANKS = ['', '', '', ' ', '\n', '\t\r '];
export const blank = (): string => pick(BLANKS);

export function value(depth: number): string {
  switch (int(depth > 3 ? 4 : 6)) {
    case 0: return pick(NUMBERS);
    case 1: case 2: return `"${pick(STRINGS)}${pick(STRINGS)}"`;
    case 3: return pick(['true', 'false', 'null']);
    case 4: return `[${pick(BLANKS)}${Array.from({ length: int(4) }, () => value(depth + 1)).join(`${pick(BLANKS)},${pick(BLANKS)}`)}]`;
    default: return object(depth + 1);
  }
}

const key = (): string => (next() < 0.1 ? pick(['"\\u0061"', '"\\u005f_proto__"', '"amoun\\u0074"']) : JSON.stringify(pick(KEYS)));
export const object = (depth: number): string =>
  `{${pick(BLANKS)}${Array.from({ length: int(5) }, () => `${key()}${pick(BLANKS)}:${pick(BLANKS)}${value(depth)}`).join(`${pick(BLANKS)},${pick(BLANKS)}`)}${pick(BLANKS)}}`;

const PIECES = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '1', '-', '.', 'e', 'E', '+', 'null', 'tru', ' ', '\n', '\0', '\u001f', '\\u', '\\u12', 'é', '\ufeff', '\u00a0', '/', "'", '""', '"a":1'].map(s => Buffer.from(s))
  .concat(['\xff', '\xc3', '\xa9', '\xed\xa0\x80', '\xf0\x9f'].map(s => Buffer.from(s, 'latin1')));

/** Cuts, doubles, swaps or inserts bytes; mostly once, so that many documents stay nearly right. */
export function mutate(doc: Buffer): Buffer {
  let b = doc;
  for (let n = next() < 0.8 ? 1 : int(4); n > 0; n--) {
    const at = int(b.length + 1);
    const to = Math.min(b.length, at + int(6));
    switch (int(5)) {
      case 0: b = b.subarray(0, at); break;
      case 1: b = Buffer.concat([b.subarray(0, at), b.subarray(to)]); break;
      case 2: b = Buffer.concat([b.subarray(0, to), b.subarray(at)]); break;
      case 3: b = Buffer.concat([b.subarray(0, at), pick(PIECES), b.subarray(to)]); break;
      default: b = Buffer.concat([b.subarray(0, at), pick(PIECES), b.subarray(at)]);
    }
  }
  return b;
}

/** The document as JSON.parse sees it, numbers as their texts: the oracle knows objects from everything else. */
export function parsed(doc: Buffer): Map<string, unknown> | null {
  if (!isUtf8(doc)) return null;
  try {
    const v: unknown = JSON.parse(doc.toString('utf8'));
    return typeof v === 'object' && v !== null && !Array.isArray(v) ? new Map(Object.entries(v)) : null;
  } catch {
    return null;
  }
}
