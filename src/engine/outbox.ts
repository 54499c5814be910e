import type { SinkSpec } from '../config/spec.ts';
import { RowError } from '../errors.ts';
import type { Encoder, RecordSink } from '../formats/format.ts';
import type { Schema } from '../sql/types.ts';
import type { OutBlock } from '../state/store.ts';
import type { Batch } from './batch.ts';
import type { BlockBuilder } from './block-builder.ts';
import { BlockQueue } from './block-queue.ts';
import type { ByteWriter } from './bytes.ts';
import type { Output } from './operator.ts';
import type { Outbox, OutboxOptions, SinkCounts } from './ports.ts';

/** Key and value of one output record, at most: what a broker takes with its default max.message.bytes. */
const MAX_OUTPUT_BYTES = 1_000_000;

/** Encodes the rows of all sinks into blocks by topic and partition. */
export class RowOutbox implements Outbox {
  readonly outputs: ReadonlyMap<string, Output>;
  readonly #queues: readonly BlockQueue[];

  constructor({ spec, plan, partitions, formats, jit, now }: OutboxOptions, accounting: SinkCounts) {
    const queues = new Map<string, BlockQueue>();
    this.outputs = new Map(plan.sinks.map(w => {
      const sink = spec.sinks.find(s => s.name === w.sink) as SinkSpec;
      let queue = queues.get(sink.topic);
      if (queue === undefined) queues.set(sink.topic, (queue = new BlockQueue(sink.topic, partitions.get(sink.topic) as number)));
      return [w.sink, new SinkWriter(w.sink, encoderOf(formats, sink, w.schema, jit), queue, accounting, now)];
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

function encoderOf(formats: OutboxOptions['formats'], sink: SinkSpec, schema: Schema, jit: boolean): Encoder {
  const { format } = sink;
  const make = formats.find(format.type)?.encoder;
  if (make === undefined) throw new Error(`format ${format.type} cannot be written`);
  return make(schema, { timestamps: format.timestamps, decimals: format.decimals, key: sink.key.map(k => schema.findIndex(f => f.name === k.name)), jit });
}

/** What the encoder of one sink makes, as records in the blocks of their partitions. */
class SinkWriter implements Output, RecordSink {
  readonly #sink: string;
  readonly #encoder: Encoder;
  readonly #queue: BlockQueue;
  readonly #accounting: SinkCounts;
  readonly #clock: () => number;
  #now = 0;
  #written = 0;
  #partition = 0;
  /** Where a record was begun. */
  #open: BlockBuilder | null = null;

  constructor(sink: string, encoder: Encoder, queue: BlockQueue, accounting: SinkCounts, clock: () => number) {
    this.#sink = sink;
    this.#encoder = encoder;
    this.#queue = queue;
    this.#accounting = accounting;
    this.#clock = clock;
  }

  push(b: Batch): void {
    this.#now = this.#clock();
    this.#written = 0;
    this.#encoder.encode(b, this);
    this.#accounting.rowsOut(this.#sink, this.#written);
  }

  watermark(): void {}
  finish(): void {}

  begin(key: Uint8Array, from: number, to: number): ByteWriter {
    const queue = this.#queue;
    const partition = from < 0 ? queue.next() : queue.ofKey(key, from, to);
    const builder = queue.builder(partition);
    builder.begin(key, from, to, this.#now);
    this.#partition = partition;
    this.#open = builder;
    return builder.out;
  }

  end(): void {
    const builder = this.#open as BlockBuilder;
    if (builder.size > MAX_OUTPUT_BYTES) throw tooLarge(builder);
    builder.end();
    this.#open = null;
    this.#queue.added(this.#partition);
    this.#written++;
  }

  failed(b: Batch, i: number, error: unknown): void {
    this.#open?.cancel();
    this.#open = null;
    if (!(error instanceof RowError)) throw error;
    this.#accounting.failed(this.#sink, b, i, error.code, error.message, error.at);
  }
}

function tooLarge(builder: BlockBuilder): RowError {
  const key = builder.openKey(100);
  return new RowError('user.data.output_too_large', `the row takes ${builder.size} bytes, at most ${MAX_OUTPUT_BYTES} can be sent${key === null ? '' : ` (key ${key})`}`);
}
