import type { FormatSpec, SinkSpec } from '../config/spec.ts';
import { RowError } from '../errors.ts';
import type { Encoder } from '../formats/format.ts';
import type { Schema } from '../sql/types.ts';
import type { OutBlock } from '../state/store.ts';
import type { Batch } from './batch.ts';
import { BlockQueue } from './block-queue.ts';
import { ByteWriter } from './bytes.ts';
import type { Output } from './operator.ts';
import type { Accounting, Outbox, PartOptions } from './ports.ts';

/** Key and value of one output record, at most: what a broker takes with its default max.message.bytes. */
const MAX_OUTPUT_BYTES = 1_000_000;

/** Encodes the rows of all sinks into blocks by topic and partition. */
export class RowOutbox implements Outbox {
  readonly outputs: ReadonlyMap<string, Output>;
  readonly #queues: readonly BlockQueue[];

  constructor({ spec, plan, partitions, formats, now }: PartOptions, accounting: Accounting) {
    const queues = new Map<string, BlockQueue>();
    this.outputs = new Map(plan.sinks.map(w => {
      const sink = spec.sinks.find(s => s.name === w.sink) as SinkSpec;
      let queue = queues.get(sink.topic);
      if (queue === undefined) queues.set(sink.topic, (queue = new BlockQueue(sink.topic, partitions.get(sink.topic) as number)));
      return [w.sink, new SinkWriter(w.sink, encoderOf(formats, sink.format, sink, w.schema), queue, accounting, now)];
    }));
    this.#queues = [...queues.values()];
  }

  bytes(): number {
    let n = 0;
    for (const q of this.#queues) n += q.bytes;
    return n;
  }

  take(): readonly OutBlock[] { return this.#queues.flatMap(q => q.take()); }
}

function encoderOf(formats: PartOptions['formats'], format: FormatSpec, sink: SinkSpec, schema: Schema): Encoder {
  const make = formats.find(format.type)?.encoder;
  if (make === undefined) throw new Error(`format ${format.type} cannot be written`);
  return make(schema, { timestamps: format.timestamps, decimals: format.decimals, key: sink.key.map(k => schema.findIndex(f => f.name === k.name)) });
}

class SinkWriter implements Output {
  readonly #sink: string;
  readonly #encoder: Encoder;
  readonly #queue: BlockQueue;
  readonly #accounting: Accounting;
  readonly #now: () => number;
  readonly #key = new ByteWriter(256);

  constructor(sink: string, encoder: Encoder, queue: BlockQueue, accounting: Accounting, now: () => number) {
    this.#sink = sink;
    this.#encoder = encoder;
    this.#queue = queue;
    this.#accounting = accounting;
    this.#now = now;
  }

  push(b: Batch): void {
    const now = this.#now();
    let written = 0;
    for (let i = 0; i < b.length; i++) if (this.#write(b, i, now)) written++;
    this.#accounting.rowsOut(this.#sink, written);
  }

  watermark(): void {}
  finish(): void {}

  #write(b: Batch, i: number, now: number): boolean {
    const queue = this.#queue;
    const key = this.#key;
    key.reset();
    const keyed = this.#encoder.key(b, i, key);
    const partition = keyed ? queue.ofKey(key.buf, 0, key.pos) : queue.next();
    const builder = queue.builder(partition);
    const { out } = builder;
    builder.beginRecord();
    const start = out.pos;
    if (keyed) out.bytes(key.buf.subarray(0, key.pos));
    builder.endKey(!keyed);
    try {
      this.#encoder.value(b, i, out);
      const size = out.pos - start;
      if (size > MAX_OUTPUT_BYTES) throw new RowError('user.data.output_too_large', `the row takes ${size} bytes, at most ${MAX_OUTPUT_BYTES} can be sent${keyed ? ` (key ${key.buf.toString('utf8', 0, Math.min(key.pos, 100))})` : ''}`);
    } catch (error) {
      builder.cancelRecord();
      if (!(error instanceof RowError)) throw error;
      this.#accounting.failed(this.#sink, b, i, error.code, error.message, error.at);
      return false;
    }
    builder.endRecord(false, now);
    queue.added(partition);
    return true;
  }
}
