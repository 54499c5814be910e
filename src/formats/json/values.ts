import { typeName, type SqlType } from '../../sql/types.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../../sql/values/calendar.ts';
import { parseDate, parseTime, parseTimestamp } from '../../sql/values/time.ts';
import type { DecodeColumn } from '../format.ts';
import type { Cells, ReadValue } from './column.ts';
import { readBigint, readDecimal, readDouble, readInt, readTicks } from './numbers.ts';
import { BACKSLASH, DOT, MINUS, QUOTE, ZERO, isDigit, type JsonScanner } from './scan.ts';
import { plainNumber, scalar, unescape } from './text.ts';
import { TextCache } from './text-cache.ts';

/** Largest time that a Date can hold; later ones (a wrong unit) are no event time. What is merely in the future is the guard's to judge. */
const MAX_TIME = 8.64e15;
const SHIFT = { s: 3, ms: 0, us: -3 } as const;

export function readerOf(column: DecodeColumn, cells: Cells, scan: JsonScanner): ReadValue {
  const { type } = column.field;
  if (column.time === 'iso') return readParsed(cells, scan, parseTimestamp);
  if (column.time !== null) return readTicks(cells, scan, SHIFT[column.time], -MAX_TIME, MAX_TIME);
  switch (type.k) {
    case 'string': return readText(cells, scan);
    case 'tinyint': case 'smallint': case 'int': return readInt(cells, scan, type);
    case 'bigint': return readBigint(cells, scan);
    case 'decimal': return readDecimal(cells, scan, type);
    case 'double': case 'float': return readDouble(cells, scan, type);
    case 'boolean': return readBoolean(cells, scan);
    case 'timestamp': case 'timestamp_ltz': return readTimestamp(cells, scan, type);
    case 'date': return readParsed(cells, scan, parseDate);
    case 'time': return readParsed(cells, scan, parseTime);
    case 'bytes': return readBytes(cells, scan);
    default: throw new Error(`a JSON column cannot be ${typeName(type)}`);
  }
}

/** FNV-1a */
const HASH_START = 0x811c9dc5 | 0;
const HASH_PRIME = 0x01000193;

/** Strings as they are; numbers in plain digits; true and false; objects and arrays as the bytes they were written in. */
function readText(cells: Cells, scan: JsonScanner): ReadValue {
  // large: made when the first text comes
  let made: TextCache | null = null;
  const cache = (): TextCache => (made ??= new TextCache());
  return (b, p, e, row) => {
    const c = b[p] as number;
    const end = c === QUOTE ? string(b, p + 1, e, row) : c > ZERO && c <= 57 ? integer(b, p, e, row) : other(b, p, e, row);
    return end < 0 ? -1 : end;
  };

  function string(b: Buffer, start: number, e: number, row: number): number {
    let hash = HASH_START;
    let seen = 0;
    for (let p = start; p < e; p++) {
      const c = b[p] as number;
      if (c === QUOTE) {
        if (seen > 127) scan.nonAscii = true;
        cells.values[row] = cache().get(b, start, p, hash, seen <= 127);
        return p + 1;
      }
      if (c < 32 || c === BACKSLASH) break;
      hash = Math.imul(hash ^ c, HASH_PRIME);
      seen |= c;
    }
    const end = scan.string(b, start, e);
    if (end >= 0) cells.values[row] = unescape(b, start, end - 1);
    return end;
  }

  function integer(b: Buffer, start: number, e: number, row: number): number {
    let hash = HASH_START;
    let p = start;
    for (; p < e && isDigit(b[p] as number); p++) hash = Math.imul(hash ^ (b[p] as number), HASH_PRIME);
    if (p >= e || b[p] === DOT || ((b[p] as number) | 32) === 101) return other(b, start, e, row);
    cells.values[row] = cache().get(b, start, p, hash, true);
    return p;
  }

  function other(b: Buffer, p: number, e: number, row: number): number {
    const end = scan.value(b, p, e, 2);
    if (end < 0) return end;
    const c = b[p] as number;
    const text = c === MINUS || isDigit(c) ? plainNumber(b.latin1Slice(p, end)) : b.utf8Slice(p, end);
    cells.values[row] = text;
    return text === null ? -1 : end;
  }
}

function readBoolean(cells: Cells, scan: JsonScanner): ReadValue {
  return (b, p, e, row) => {
    const c = b[p];
    if (c !== 116 && c !== 102) return -1;
    cells.bits[row] = c === 116 ? 1 : 0;
    const end = scan.value(b, p, e, 2);
    return end < 0 ? -1 : end;
  };
}

/** Text that `parse` understands. */
function readParsed(cells: Cells, scan: JsonScanner, parse: (text: string) => number | null): ReadValue {
  return (b, p, e, row) => {
    if (b[p] !== QUOTE) return -1;
    const s = scalar(scan, b, p, e);
    const v = s === null ? null : parse(s.text.trim());
    if (s === null || v === null) return -1;
    cells.numbers[row] = v;
    return s.end;
  };
}

/** ISO text or a number of epoch ms, cut to the type's precision. */
function readTimestamp(cells: Cells, scan: JsonScanner, type: SqlType): ReadValue {
  const iso = readParsed(cells, scan, parseTimestamp);
  const epoch = readTicks(cells, scan, 0, MIN_TIMESTAMP, MAX_TIMESTAMP);
  const unit = type.p >= 3 ? 1 : 10 ** (3 - type.p);
  return (b, p, e, row) => {
    const end = b[p] === QUOTE ? iso(b, p, e, row) : epoch(b, p, e, row);
    if (unit > 1 && end >= 0) cells.numbers[row] = Math.floor((cells.numbers[row] as number) / unit) * unit;
    return end;
  };
}

/** Base64 with padding (RFC 4648 section 4), and only the one text that these bytes have. */
function readBytes(cells: Cells, scan: JsonScanner): ReadValue {
  return (b, p, e, row) => {
    if (b[p] !== QUOTE) return -1;
    const s = scalar(scan, b, p, e);
    if (s === null) return -1;
    const bytes = Buffer.from(s.text, 'base64');
    if (bytes.toString('base64') !== s.text) return -1;
    cells.values[row] = new Uint8Array(bytes);
    return s.end;
  };
}
