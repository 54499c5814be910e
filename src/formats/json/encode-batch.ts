import { Writer } from '../../codegen/writer.ts';
import type { Batch } from '../../engine/batch.ts';
import type { ByteWriter } from '../../engine/bytes.ts';
import { reprOf, type Schema, type SqlType } from '../../sql/types.ts';
import { TextColumn } from '../../sql/values/text-column.ts';
import { pow10 } from '../../sql/values/wide.ts';
import type { EncoderOptions, RecordSink } from '../format.ts';
import { NUMBER_BYTES, putDecimal, putInteger } from './encode-digits.ts';
import { isAscii, putAscii, putText, putTextBytes } from './encode-text.ts';
import type { WriteValue } from './encode-values.ts';
import { CLOSE_OBJECT, QUOTE } from './scan.ts';

/** All rows of a batch, one after the other; `key` is a place for keys. */
export type EncodeLoop = (batch: Batch, out: RecordSink, key: ByteWriter) => void;

/** The same by closures: of single fields what the loop does not know, and keys that are not simple. */
export interface FieldByField {
  readonly fields: readonly { /** `{"name":` or `,"name":` */ readonly name: Buffer; readonly write: WriteValue }[];
  key(batch: Batch, i: number, out: ByteWriter): boolean;
}

/** Stores of eight bytes reach so far behind what they write. */
const SLACK = 16;
/** `null` as a little-endian integer. */
const NULL_WORD = 0x6c6c756e;

/**
 * One loop for the rows of a schema. In it `w` is the writer of the row's value, `b`, `v` and `p` its bytes, their view and the position;
 * columns are `c0..`, null maps `n0..`; a text column has `t0`, true where it holds bytes: `y0` [`s0`, `e0`).
 */
export function generateEncoder(schema: Schema, options: EncoderOptions, closures: FieldByField): EncodeLoop {
  return new EncodeWriter(schema, options, closures).write();
}

class EncodeWriter {
  readonly #w = new Writer();
  readonly #schema: Schema;
  readonly #options: EncoderOptions;
  readonly #closures: FieldByField;
  /** What a row takes at most without its texts. */
  readonly #room: number;

  constructor(schema: Schema, options: EncoderOptions, closures: FieldByField) {
    this.#schema = schema;
    this.#options = options;
    this.#closures = closures;
    this.#room = closures.fields.reduce((n, f) => n + f.name.length + 2 + NUMBER_BYTES, 2 + SLACK);
  }

  write(): EncodeLoop {
    const w = this.#w;
    this.#schema.forEach((f, c) => this.#column(f.type, c));
    w.line('const rows = batch.length; let i = 0;');
    w.line('for (;;) try { for (; i < rows; i++) {');
    this.#key();
    w.line(`w.reserve(${this.#room}); let b = w.buf, v = w.view, p = w.pos;`);
    this.#schema.forEach((f, c) => this.#field(f.type, c));
    w.line(this.#schema.length === 0 ? 'b[p++] = 123; b[p++] = 125;' : `b[p++] = ${CLOSE_OBJECT};`);
    w.line('w.pos = p; out.end();');
    w.line('} return; } catch (error) { out.failed(batch, i, error); i++; }');
    return w.compile<EncodeLoop>('encode', ['batch', 'out', 'key']);
  }

  #column(type: SqlType, c: number): void {
    const w = this.#w;
    w.line(`const c${c} = batch.cols[${c}], n${c} = batch.nulls[${c}];`);
    if (isText(type)) w.line(`const t${c} = c${c} instanceof ${w.bind(TextColumn)}, y${c} = t${c} ? c${c}.bytes : null, s${c} = t${c} ? c${c}.start : null, e${c} = t${c} ? c${c}.end : null;`);
    if (isRepeated(type, this.#options)) w.line(`let m${c} = NaN, x${c} = 0, z${c} = 0, l${c} = 0;`);
  }

  /** Begins the row's record: `w`. */
  #key(): void {
    const w = this.#w;
    const [c, second] = this.#options.key;
    if (c === undefined) return w.line('const w = out.begin(key.buf, -1, 0);');
    const type = (this.#schema[c] as Schema[number]).type;
    const slow = `key.pos = 0; const has = ${w.bind(this.#closures)}.key(batch, i, key); w = out.begin(key.buf, has ? 0 : -1, key.pos);`;
    w.line('let w;');
    if (second !== undefined || !(isText(type) || isWhole(type, this.#options))) return w.line(slow);
    w.line(`if (n${c} !== null && n${c}[i] === 1) w = out.begin(key.buf, -1, 0);`);
    if (isText(type)) {
      w.line(`else if (t${c} && ${w.bind(isAscii)}(y${c}, s${c}[i], e${c}[i])) w = out.begin(y${c}, s${c}[i], e${c}[i]);`);
      w.line(`else { let q = -1; if (!t${c}) { key.pos = 0; key.reserve(c${c}[i].length); q = ${w.bind(putAscii)}(key.buf, 0, c${c}[i]); }`);
    } else {
      w.line(`else { let q = -1; if (typeof c${c}[i] === 'number') { key.pos = 0; key.reserve(${NUMBER_BYTES}); q = ${w.bind(putInteger)}(key.buf, 0, c${c}[i]); }`);
    }
    w.line(`if (q >= 0) w = out.begin(key.buf, 0, q); else { ${slow} } }`);
  }

  #field(type: SqlType, c: number): void {
    const w = this.#w;
    const text = isText(type);
    this.#bytes(this.#closures.fields[c]?.name as Buffer, text);
    w.line(`if (n${c} !== null && n${c}[i] === 1) { ${text ? 'p--; ' : ''}v.setInt32(p, ${NULL_WORD}, true); p += 4; } else {`);
    if (text) this.#text(c);
    else if (isRepeated(type, this.#options)) this.#repeated(c);
    else if (isWhole(type, this.#options)) this.#number(type, c, `${w.bind(putInteger)}(b, p, c${c}[i])`);
    else if (isPlainDecimal(type, this.#options)) this.#number(type, c, `${w.bind(putDecimal)}(b, p, c${c}[i], ${Number(type.s)}, ${pow10(type.s)})`);
    else this.#slow(c);
    w.line('}');
  }

  /** The name, and the quote that begins a text, eight bytes at a time. */
  #bytes(name: Buffer, quote: boolean): void {
    const w = this.#w;
    const length = name.length + (quote ? 1 : 0);
    const padded = Buffer.alloc(length + 8);
    name.copy(padded);
    if (quote) padded[length - 1] = QUOTE;
    // no eight bytes of UTF-8 are a NaN, which alone would not be kept bit for bit
    for (let at = 0; at < length; at += 8) w.line(`v.setFloat64(p + ${at}, ${w.bind(padded.readDoubleLE(at))}, true);`);
    w.line(`p += ${length};`);
  }

  #text(c: number): void {
    const w = this.#w;
    w.line(`const n = t${c} ? e${c}[i] - s${c}[i] : c${c}[i].length;`);
    w.line(`if (p + n + ${this.#room} > b.length) { w.pos = p; w.reserve(n + ${this.#room}); b = w.buf; v = w.view; }`);
    w.line(`const q = t${c} ? ${w.bind(putTextBytes)}(b, p, y${c}, s${c}[i], e${c}[i]) : ${w.bind(putText)}(b, p, c${c}[i]);`);
    w.line(`if (q >= 0) { p = q; b[p++] = ${QUOTE}; } else { p--;`);
    this.#slow(c);
    w.line('}');
  }

  /** A value like the row's before is a copy of its digits: the bounds of a window are the same in many rows. */
  #repeated(c: number): void {
    const w = this.#w;
    w.line(`const x = c${c}[i]; if (x === m${c}) { v.setFloat64(p, x${c}, true); v.setFloat64(p + 8, z${c}, true); p += l${c}; } else {`);
    w.line(`v.setFloat64(p, 0, true); v.setFloat64(p + 8, 0, true); const q = ${w.bind(putInteger)}(b, p, x);`);
    w.line(`if (q - p <= 16) { m${c} = x; x${c} = v.getFloat64(p, true); z${c} = v.getFloat64(p + 8, true); l${c} = q - p; } p = q; }`);
  }

  #number(type: SqlType, c: number, js: string): void {
    if (reprOf(type) !== 'wide') return this.#w.line(`p = ${js};`);
    this.#w.line(`if (typeof c${c}[i] === 'number') p = ${js}; else {`);
    this.#slow(c);
    this.#w.line('}');
  }

  #slow(c: number): void {
    this.#w.line(`w.pos = p; ${this.#w.bind(this.#closures.fields[c]?.write)}(c${c}, i, w); w.reserve(${this.#room}); b = w.buf; v = w.view; p = w.pos;`);
  }
}

const isText = (t: SqlType): boolean => t.k === 'string' || t.k === 'null';
const isRepeated = (t: SqlType, o: EncoderOptions): boolean => (t.k === 'timestamp' || t.k === 'timestamp_ltz') && o.timestamps === 'epoch_ms';

/** Written as an integer, by its number. */
function isWhole(t: SqlType, o: EncoderOptions): boolean {
  switch (t.k) {
    case 'tinyint': case 'smallint': case 'int': case 'bigint': case 'interval': case 'interval_month': return true;
    case 'decimal': return t.s === 0 && o.decimals === 'number';
    default: return isRepeated(t, o);
  }
}

const isPlainDecimal = (t: SqlType, o: EncoderOptions): boolean => t.k === 'decimal' && t.s > 0 && t.s <= 15 && o.decimals === 'number';
