import type { Batch } from '../../engine/batch.ts';
import { ByteWriter } from '../../engine/bytes.ts';
import type { Schema } from '../../sql/types.ts';
import type { Encoder, EncoderOptions, RecordSink } from '../format.ts';
import { generateEncoder, type EncodeLoop } from './encode-batch.ts';
import { jsonWriter, plainWriter, writeString, type Cells, type WriteValue } from './encode-values.ts';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY } from './scan.ts';

interface FieldWriter {
  /** `{"name":` or `,"name":` */
  readonly name: Buffer;
  readonly write: WriteValue;
}

const NULL = Buffer.from('null');

/** One JSON object a row: fields in the order of the schema, no blanks, NULLs written. */
export class JsonEncoder implements Encoder {
  readonly #fields: readonly FieldWriter[];
  readonly #key: readonly number[];
  /** One key column: its plain text. */
  readonly #keyText: WriteValue | null;
  readonly #place = new ByteWriter(256);
  readonly #loop: EncodeLoop | null;

  constructor(schema: Schema, options: EncoderOptions) {
    this.#fields = schema.map((f, i) => ({ name: nameBytes(f.name, i), write: jsonWriter(f.type, options) }));
    this.#key = options.key;
    const only = options.key.length === 1 ? schema[options.key[0] as number] : undefined;
    this.#keyText = only === undefined ? null : plainWriter(only.type, options);
    this.#loop = options.jit === true ? generateEncoder(schema, options, { fields: this.#fields, key: (batch, i, out) => this.key(batch, i, out) }) : null;
  }

  encode(batch: Batch, out: RecordSink): void {
    if (this.#loop !== null) return this.#loop(batch, out, this.#place);
    const key = this.#place;
    for (let i = 0; i < batch.length; i++) {
      try {
        key.reset();
        const has = this.key(batch, i, key);
        this.value(batch, i, out.begin(key.buf, has ? 0 : -1, key.pos));
        out.end();
      } catch (error) {
        out.failed(batch, i, error);
      }
    }
  }

  value(batch: Batch, i: number, out: ByteWriter): void {
    const start = out.pos;
    try {
      this.#object(batch, i, out);
    } catch (error) {
      out.pos = start;
      throw error;
    }
  }

  key(batch: Batch, i: number, out: ByteWriter): boolean {
    const [first] = this.#key;
    if (first === undefined) return false;
    const start = out.pos;
    try {
      if (this.#keyText === null) this.#array(batch, i, out);
      else if (isNull(batch, first, i)) return false;
      else this.#keyText(batch.cols[first] as Cells, i, out);
      return true;
    } catch (error) {
      out.pos = start;
      throw error;
    }
  }

  #object(batch: Batch, i: number, out: ByteWriter): void {
    const fields = this.#fields;
    if (fields.length === 0) return out.ascii('{}');
    for (let c = 0; c < fields.length; c++) {
      const field = fields[c] as FieldWriter;
      writeBytes(field.name, out);
      this.#cell(batch, c, i, out);
    }
    out.reserve(1);
    out.buf[out.pos++] = CLOSE_OBJECT;
  }

  #array(batch: Batch, i: number, out: ByteWriter): void {
    let open = OPEN_ARRAY;
    for (const c of this.#key) {
      out.reserve(1);
      out.buf[out.pos++] = open;
      this.#cell(batch, c, i, out);
      open = COMMA;
    }
    out.reserve(1);
    out.buf[out.pos++] = CLOSE_ARRAY;
  }

  #cell(batch: Batch, c: number, i: number, out: ByteWriter): void {
    if (isNull(batch, c, i)) writeBytes(NULL, out);
    else (this.#fields[c] as FieldWriter).write(batch.cols[c] as Cells, i, out);
  }
}

function isNull(batch: Batch, c: number, i: number): boolean {
  const nulls = batch.nulls[c] as Uint8Array | null;
  return nulls !== null && nulls[i] === 1;
}

/** Few bytes: a loop is faster than a call out of JavaScript. */
function writeBytes(from: Buffer, out: ByteWriter): void {
  const n = from.length;
  out.reserve(n);
  const { buf, pos } = out;
  for (let i = 0; i < n; i++) buf[pos + i] = from[i] as number;
  out.pos = pos + n;
}

function nameBytes(name: string, index: number): Buffer {
  const out = new ByteWriter(64);
  out.ascii(index === 0 ? '{' : ',');
  writeString(name, out);
  out.ascii(':');
  return Buffer.from(out.buf.subarray(0, out.pos));
}
