import type { Definition } from '../registry.ts';
import type { Batch } from '../engine/batch.ts';
import type { ByteWriter } from '../engine/bytes.ts';
import type { RecordBatch } from '../engine/records.ts';
import type { Code } from '../errors.ts';
import type { Field, Schema } from '../sql/types.ts';

/** One column to decode. Two columns may read the same field: the text and the event time made from it. */
export interface DecodeColumn {
  readonly field: Field;
  /** Key in the record; the column's declared name. */
  readonly key: string;
  /** Set: the value is event time in this unit and the column holds epoch ms; NULL or unusable time makes the record undecodable. */
  readonly time: 's' | 'ms' | 'us' | 'iso' | null;
  /** It is the time attribute itself: without it the record has no event time. */
  readonly attribute?: boolean;
  /** A STRING of which nobody needs the text: it passes through or is grouped by. The decoder may give a TextColumn. */
  readonly bytes?: boolean;
  /** NOT NULL in the schema: a missing value makes the record undecodable (user.data.missing). */
  readonly required: boolean;
}

/** Takes note of record `record` of a batch, which is no row. */
export type BadRecord = (record: number, code: Code, message: string) => void;

export interface Decoder {
  /**
   * Decodes records [from, to) into rows, in order, leaving out the bad ones, each of which is reported once.
   * Never throws on data. The batch's `origin` is set, `wm` is null. Arrays are reused by the next call.
   */
  decode(records: RecordBatch, from: number, to: number, bad: BadRecord): Batch;
}

/** Takes the records that an encoder makes of a batch, row by row. */
export interface RecordSink {
  /** Begins a row's record with key bytes [from, to) of `key`, or with a null key: `from` < 0. What is written to the result is its value. */
  begin(key: Uint8Array, from: number, to: number): ByteWriter;
  /** The value is complete. Throws RowError when the record cannot be taken. */
  end(): void;
  /** Row i cannot be a record: what was begun is forgotten. Throws `error` when it is no RowError, and where a bad row stops the pipeline. */
  failed(batch: Batch, i: number, error: unknown): void;
}

export interface Encoder {
  /** All rows, in order, each as a record or as failed. */
  encode(batch: Batch, out: RecordSink): void;
  /** Appends row i as one value. Throws RowError when it cannot (a DOUBLE that is no JSON number). */
  value(batch: Batch, i: number, out: ByteWriter): void;
  /** Appends the key's text; false (and nothing appended) for a null key. Several key columns: a JSON array text. */
  key(batch: Batch, i: number, out: ByteWriter): boolean;
}

export interface EncoderOptions {
  readonly timestamps: 'epoch_ms' | 'iso';
  readonly decimals: 'number' | 'string';
  /** Indexes of the key columns in the schema; empty: null key. */
  readonly key: readonly number[];
  /** False or absent: closures instead of generated code. */
  readonly jit?: boolean;
}

export interface DecoderOptions {
  /** Whose records they are: decoders of one topic may share their work. */
  readonly topic: string;
  readonly maxRecordBytes: number;
  /** True: generated code where there is some; false: closures only. Both give the same. */
  readonly generated: boolean;
}

export interface FormatDef extends Definition {
  decoder?(columns: readonly DecodeColumn[], options: DecoderOptions): Decoder;
  encoder?(schema: Schema, options: EncoderOptions): Encoder;
}
