import type { Log, Source } from '../connectors/connector.ts';
import type { RecordBatch } from './records.ts';

const POLL_MS = 1000;

/** Batches of a topic from its first record to its end as it is now, until `signal`; the last of a partition may reach beyond. A batch is valid until the next. */
export async function* readTopic(log: Log, topic: string, signal: AbortSignal): AsyncGenerator<{ readonly source: Source; readonly batch: RecordBatch }> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'earliest' });
  for await (const batch of read(source, p => source.endAtOpen(p), signal)) yield { source, batch };
}

/** Offsets [from, to) of a partition. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** Batches that hold some offsets of some partitions, as far as there are records; they may reach beyond. A batch is valid until the next. */
export async function* readRanges(log: Log, topic: string, ranges: ReadonlyMap<number, OffsetRange>, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  const source = log.source({ topic, topicId: null, positions: new Map([...ranges].map(([p, r]) => [p, r.from])), from: 'latest', onDataLoss: 'earliest' });
  for await (const batch of read(source, p => Math.min(source.endAtOpen(p), ranges.get(p)?.to ?? -1), signal)) if (ranges.has(batch.partition)) yield batch;
}

async function* read(source: Source, to: (partition: number) => number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
  try {
    await source.open();
    for (;;) {
      const done = new Set(source.partitions().filter(p => source.position(p) >= to(p)));
      if (done.size === source.partitions().length || signal.aborted) return;
      yield* await source.poll(done, POLL_MS, signal);
    }
  } finally {
    await source.close();
  }
}
