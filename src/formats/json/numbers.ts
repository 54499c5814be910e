import { intRange } from '../../sql/functions/numeric-types.ts';
import type { SqlType, Wide } from '../../sql/types.ts';
import { parseDecimal } from '../../sql/values/decimal.ts';
import { parseDouble } from '../../sql/values/double.ts';
import { fitsBigint, pow10 } from '../../sql/values/wide.ts';
import { parseInteger, parseTicks, shortExponent } from './exact.ts';
import type { Cells, ReadValue } from './column.ts';
import { DOT, MINUS, QUOTE, ZERO, type JsonScanner } from './scan.ts';
import { scalar } from './text.ts';

/**
 * The fast path of all numbers: `-12.50`, quoted or not, whose digits without the point are an exact double (15 digits, 16 up to 2^53 - 1).
 * Anything else, also what is no number, is left to the exact readers.
 */
class PlainNumber {
  /** The digits as one integer, without sign and point. */
  digits = 0;
  /** How many of them follow the point. */
  fraction = 0;
  negative = false;

  /** The position after the value, or -1. */
  read(b: Buffer, p: number, e: number): number {
    const quoted = b[p] === QUOTE;
    if (quoted) p++;
    const negative = b[p] === MINUS;
    if (negative) p++;
    const start = p;
    let m = 0;
    let d = 0;
    while (p < e && (d = (b[p] as number) - ZERO) >= 0 && d <= 9) { m = m * 10 + d; p++; }
    let count = p - start;
    if (count === 0 || (count > 1 && b[start] === ZERO && !quoted)) return -1;
    let fraction = 0;
    if (p < e && b[p] === DOT) {
      const point = ++p;
      while (p < e && (d = (b[p] as number) - ZERO) >= 0 && d <= 9) { m = m * 10 + d; p++; }
      fraction = p - point;
      if (fraction === 0) return -1;
      count += fraction;
    }
    if (count > 16 || m > Number.MAX_SAFE_INTEGER || p >= e) return -1;
    if (quoted) { if (b[p++] !== QUOTE) return -1; }
    else if (((b[p] as number) | 32) === 101) return -1;
    this.digits = m;
    this.fraction = fraction;
    this.negative = negative;
    return p;
  }
}

/** Reads what the fast path left by the value's text; `store` answers whether it is of the type. */
const exactly = (scan: JsonScanner, store: (text: string, row: number) => boolean): ReadValue => (b, p, e, row) => {
  const s = scalar(scan, b, p, e);
  return s !== null && store(shortExponent(s.text.trim()), row) ? s.end : -1;
};

/** TINYINT, SMALLINT, INT: a number or its text that stands for an integer. */
export function readInt(cells: Cells, scan: JsonScanner, type: SqlType): ReadValue {
  const [min, max] = intRange(type);
  const slow = exactly(scan, (text, row) => {
    const v = parseInteger(text);
    if (v === null || v < min || v > max) return false;
    cells.numbers[row] = v as number;
    return true;
  });
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0 || n.fraction !== 0) return slow(b, p, e, row);
    const v = n.negative ? 0 - n.digits : n.digits;
    if (v < min || v > max) return -1;
    cells.numbers[row] = v;
    return end;
  };
}

export function readBigint(cells: Cells, scan: JsonScanner): ReadValue {
  const slow = exactly(scan, (text, row) => {
    const v = parseInteger(text);
    if (v === null || !fitsBigint(v)) return false;
    cells.values[row] = v;
    return true;
  });
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0 || n.fraction !== 0) return slow(b, p, e, row);
    cells.values[row] = n.negative ? 0 - n.digits : n.digits;
    return end;
  };
}

/** DECIMAL(p,s) as its scaled integer; more fraction digits than s round half away from zero, from the digits. */
export function readDecimal(cells: Cells, scan: JsonScanner, type: SqlType): ReadValue {
  return type.p <= 15 ? readNarrowDecimal(cells, scan, type) : readWideDecimal(cells, scan, type);
}

function readNarrowDecimal(cells: Cells, scan: JsonScanner, { p: precision, s: scale }: SqlType): ReadValue {
  const slow = exactly(scan, (text, row) => {
    const v = parseDecimal(text, precision, scale);
    if (typeof v === 'string') return false;
    cells.numbers[row] = v as number;
    return true;
  });
  const limit = pow10(precision);
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0 || n.fraction > scale) return slow(b, p, e, row);
    // beyond 2^53 the product may be rounded, but then it is beyond the limit too
    const v = n.digits * pow10(scale - n.fraction);
    if (v >= limit) return -1;
    cells.numbers[row] = n.negative ? 0 - v : v;
    return end;
  };
}

function readWideDecimal(cells: Cells, scan: JsonScanner, { p: precision, s: scale }: SqlType): ReadValue {
  const slow = exactly(scan, (text, row) => {
    const v = parseDecimal(text, precision, scale);
    if (typeof v === 'string') return false;
    cells.values[row] = v satisfies Wide;
    return true;
  });
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0 || n.fraction > scale || scale - n.fraction > 15) return slow(b, p, e, row);
    const v = n.digits * pow10(scale - n.fraction);
    if (v > Number.MAX_SAFE_INTEGER) return slow(b, p, e, row);
    cells.values[row] = n.negative ? 0 - v : v;
    return end;
  };
}

/** DOUBLE and FLOAT; what overflows is not of the type, because JSON has no Infinity to write it back. */
export function readDouble(cells: Cells, scan: JsonScanner, type: SqlType): ReadValue {
  const round = type.k === 'float' ? Math.fround : (x: number): number => x;
  const slow = exactly(scan, (text, row) => {
    const x = parseDouble(text);
    if (x === null || !Number.isFinite(round(x))) return false;
    cells.numbers[row] = round(x);
    return true;
  });
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0) return slow(b, p, e, row);
    // two exact doubles: one correctly rounded division (Clinger 1990, "How to read floating point numbers accurately")
    const x = n.digits / pow10(n.fraction);
    cells.numbers[row] = round(n.negative ? -x : x);
    return end;
  };
}

/** Epoch ms within [min, max] from a number, or its text, of ticks of 10^shift ms (s: 3, ms: 0, us: -3); parts of a ms are cut. */
export function readTicks(cells: Cells, scan: JsonScanner, shift: number, min: number, max: number): ReadValue {
  const slow = exactly(scan, (text, row) => {
    const ms = parseTicks(text, shift);
    if (ms === null || ms < min || ms > max) return false;
    cells.numbers[row] = ms;
    return true;
  });
  const up = shift >= 0 ? pow10(shift) : 1;
  const down = shift < 0 ? pow10(-shift) : 1;
  const n = new PlainNumber();
  return (b, p, e, row) => {
    const end = n.read(b, p, e);
    if (end < 0 || n.fraction !== 0) return slow(b, p, e, row);
    const ticks = n.negative ? 0 - n.digits : n.digits;
    const scaled = ticks * up;
    const cut = scaled % down;
    const ms = (scaled - (cut < 0 ? cut + down : cut)) / down;
    if (ms < min || ms > max) return -1;
    cells.numbers[row] = ms;
    return end;
  };
}
