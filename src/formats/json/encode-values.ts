import type { Column } from '../../engine/batch.ts';
import type { ByteWriter } from '../../engine/bytes.ts';
import { RowError } from '../../errors.ts';
import { typeName, type SqlType, type Wide } from '../../sql/types.ts';
import { printDecimal } from '../../sql/values/decimal.ts';
import { printDate, printIso, printTime } from '../../sql/values/time.ts';
import { TextColumn } from '../../sql/values/text-column.ts';
import { pow10 } from '../../sql/values/wide.ts';
import type { EncoderOptions } from '../format.ts';
import { BACKSLASH, DOT, MINUS, QUOTE, ZERO } from './scan.ts';

/** All columns but texts as bytes, which only writers of text know. */
export type Cells = Exclude<Column, TextColumn>;

/** Writes a value that is not NULL. */
export type WriteValue = (column: Cells, i: number, out: ByteWriter) => void;

/** As a JSON value. */
export function jsonWriter(type: SqlType, options: EncoderOptions): WriteValue {
  switch (type.k) {
    case 'decimal': return options.decimals === 'string' ? quoted(plainWriter(type, options)) : plainWriter(type, options);
    case 'string': case 'null': return texts(writeStringBytes, writeString);
    case 'bytes': case 'date': case 'time': return quoted(plainWriter(type, options));
    case 'timestamp': case 'timestamp_ltz': return options.timestamps === 'iso' ? quoted(plainWriter(type, options)) : plainWriter(type, options);
    default: return plainWriter(type, options);
  }
}

/** As text without quotes: a record key. */
export function plainWriter(type: SqlType, options: EncoderOptions): WriteValue {
  switch (type.k) {
    case 'boolean': return (column, i, out) => out.ascii(column[i] === 1 ? 'true' : 'false');
    case 'bigint': return (column, i, out) => writeInteger(column[i] as Wide, out);
    case 'decimal': return (column, i, out) => writeDecimal(column[i] as Wide, type.s, out);
    case 'float': return (column, i, out) => out.ascii(doubleText(shortestFloat(column[i] as number), type));
    case 'double': return (column, i, out) => out.ascii(doubleText(column[i] as number, type));
    case 'string': case 'null': return texts(writeTextBytes, writeText);
    case 'bytes': return (column, i, out) => out.ascii(base64(column[i] as Uint8Array));
    case 'date': return (column, i, out) => out.ascii(printDate(column[i] as number));
    case 'time': return (column, i, out) => out.ascii(printTime(column[i] as number));
    case 'timestamp': case 'timestamp_ltz':
      return options.timestamps === 'iso' ? (column, i, out) => out.ascii(printIso(column[i] as number)) : (column, i, out) => writeInteger(column[i] as number, out);
    default: return (column, i, out) => writeInteger(column[i] as number, out);
  }
}

/** A column of strings, or of texts as bytes. */
const texts = (bytes: (column: TextColumn, i: number, out: ByteWriter) => void, strings: (s: string, out: ByteWriter) => void): WriteValue => (column: Column, i, out) => {
  if (column instanceof TextColumn) bytes(column, i, out);
  else strings(column[i] as string, out);
};

const quoted = (write: WriteValue): WriteValue => (column, i, out) => {
  out.reserve(1);
  out.buf[out.pos++] = QUOTE;
  write(column, i, out);
  out.reserve(1);
  out.buf[out.pos++] = QUOTE;
};

const base64 = (b: Uint8Array): string => Buffer.from(b.buffer, b.byteOffset, b.byteLength).toString('base64');

/** -9007199254740991 has 17 characters, a point and a zero before it make 19. */
const LONGEST = 24;

function writeInteger(v: Wide, out: ByteWriter): void {
  if (typeof v === 'bigint') return out.ascii(String(v));
  out.reserve(LONGEST);
  if (v < 0) out.buf[out.pos++] = MINUS;
  writeDigits(v < 0 ? -v : v, 1, out);
}

/** A scaled integer with exactly its scale. */
function writeDecimal(v: Wide, scale: number, out: ByteWriter): void {
  if (scale === 0) return writeInteger(v, out);
  if (typeof v === 'bigint' || scale > 15) return out.ascii(printDecimal(v, scale));
  out.reserve(LONGEST);
  if (v < 0) out.buf[out.pos++] = MINUS;
  writeDigits(v < 0 ? -v : v, scale + 1, out);
  const { buf, pos } = out;
  for (let i = 0; i < scale; i++) buf[pos - i] = buf[pos - i - 1] as number;
  buf[pos - scale] = DOT;
  out.pos = pos + 1;
}

/** A safe integer >= 0 with at least `least` digits; the caller has made room. */
function writeDigits(v: number, least: number, out: ByteWriter): void {
  let length = least;
  for (let limit = pow10(least); v >= limit && length < 16; limit *= 10) length++;
  let p = out.pos + length;
  out.pos = p;
  const { buf } = out;
  // beyond 2^31 division is dear: nine digits at a time go on as small integers
  while (v >= 1e9) {
    const high = Math.floor(v / 1e9);
    let low = v - high * 1e9;
    for (let i = 0; i < 9; i++) { const q = (low / 10) | 0; buf[--p] = ZERO + low - q * 10; low = q; }
    v = high;
    length -= 9;
  }
  let low = v | 0;
  while (length-- > 0) { const q = (low / 10) | 0; buf[--p] = ZERO + low - q * 10; low = q; }
}

/** Shortest text that reads back as the same double, marked as one by `.0` or its exponent: 5000.0, 1e+21. */
function doubleText(x: number, type: SqlType): string {
  if (!Number.isFinite(x)) throw new RowError('user.data.row', `${x} is a ${typeName(type)} that JSON cannot hold`);
  if (Object.is(x, -0)) return '-0.0';
  const text = String(x);
  return Number.isInteger(x) && !text.includes('e') ? `${text}.0` : text;
}

/** The double with the shortest decimal text that still rounds to the same float. */
function shortestFloat(x: number): number {
  if (Number.isFinite(x)) for (let digits = 1; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return short;
  }
  return x;
}

/** Up to this many characters are copied one by one, which is faster than a call out of JavaScript. */
const SHORT_TEXT = 48;

/** A JSON string: control characters, quotes, backslashes and lone surrogates escaped, all else as UTF-8. */
export function writeString(s: string, out: ByteWriter): void {
  const n = s.length;
  if (n > SHORT_TEXT) return writeLong(s, out);
  out.reserve(n + 2);
  const { buf } = out;
  let p = out.pos;
  buf[p++] = QUOTE;
  for (let i = 0; i < n; i++) {
    const c = s.charCodeAt(i);
    if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) return writeLong(s, out);
    buf[p++] = c;
  }
  buf[p++] = QUOTE;
  out.pos = p;
}

/** Text as UTF-8, as it is. */
function writeText(s: string, out: ByteWriter): void {
  const n = s.length;
  if (n > SHORT_TEXT) return out.utf8(s);
  out.reserve(n);
  const { buf, pos } = out;
  for (let i = 0; i < n; i++) {
    const c = s.charCodeAt(i);
    if (c > 126) return out.utf8(s);
    buf[pos + i] = c;
  }
  out.pos = pos + n;
}

/** C0 controls, the two characters of JSON itself, halves of a surrogate pair. */
const ESCAPED = /[\u0000-\u001f"\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escape = (c: string): string => SHORT_ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;

function writeStringBytes(column: TextColumn, i: number, out: ByteWriter): void {
  const { bytes } = column;
  const end = column.end[i] as number;
  let from = column.start[i] as number;
  out.reserve(end - from + 2);
  const { buf } = out;
  let p = out.pos;
  buf[p++] = QUOTE;
  while (from < end) {
    const c = bytes[from++] as number;
    if (c < 32 || c > 126 || c === QUOTE || c === BACKSLASH) return writeLong(column.at(i), out);
    buf[p++] = c;
  }
  buf[p++] = QUOTE;
  out.pos = p;
}

function writeTextBytes(column: TextColumn, i: number, out: ByteWriter): void {
  const { bytes } = column;
  const end = column.end[i] as number;
  let from = column.start[i] as number;
  out.reserve(end - from);
  const { buf } = out;
  let p = out.pos;
  while (from < end) {
    const c = bytes[from++] as number;
    if (c > 126) return out.utf8(column.at(i));
    buf[p++] = c;
  }
  out.pos = p;
}

function writeLong(s: string, out: ByteWriter): void {
  const text = s.replace(ESCAPED, escape);
  out.reserve(text.length * 3 + 2);
  out.buf[out.pos++] = QUOTE;
  out.utf8(text);
  out.buf[out.pos++] = QUOTE;
}
