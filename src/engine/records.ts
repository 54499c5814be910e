/**
 * Records of one partition of one topic in offset order, as ranges of one buffer: nothing is allocated per record.
 * What sources give, what decoders read. Valid until the source's next poll unless copied.
 */
export interface RecordBatch {
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  readonly data: Buffer;
  /** [valueStart, valueEnd) in `data`; valueStart -1 is a null value (tombstone). */
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  /** [keyStart, keyEnd) in `data`; keyStart -1 is a null key. */
  readonly keyStart: Int32Array;
  readonly keyEnd: Int32Array;
  readonly offsets: Float64Array;
  /** Record timestamps, epoch ms. */
  readonly timestamps: Float64Array;
  headers(row: number): readonly Header[];
  /** How many pipelines of this process are given this very batch; 1 when absent. */
  readonly readers?: number;
  /** True: nobody but the receiver reads `data`, which fills a memory of its own; it may be given back before the next poll. */
  readonly own?: boolean;
  /** Where to go on after this batch; beyond the last offset + 1 when control or aborted records follow. A batch may hold 0 records and only move this. */
  readonly next: number;
}

/** A batch as sources give it: all have one shape, on which hot loops rely. `more` is what the batch at hand does not say of itself. */
export const newRecords = (r: RecordBatch, more: Pick<RecordBatch, 'readers' | 'own'> = {}): RecordBatch => ({
  topic: r.topic, partition: r.partition, length: r.length, data: r.data, valueStart: r.valueStart, valueEnd: r.valueEnd, keyStart: r.keyStart, keyEnd: r.keyEnd,
  offsets: r.offsets, timestamps: r.timestamps, headers: r.headers, readers: more.readers ?? r.readers ?? 1, own: more.own ?? r.own ?? false, next: r.next,
});

export interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}
