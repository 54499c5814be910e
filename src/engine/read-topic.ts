import type { Log, Source } from '../connectors/connector.ts';
import type { RecordBatch } from './records.ts';

const POLL_MS = 1000;

/** Batches of a topic from its first record to its end as it is now, until `signal`; the last of a partition may reach beyond. A batch is valid until the next. */
export async function* readTopic(log: Log, topic: string, signal: AbortSignal): AsyncGenerator<{ readonly source: Source; readonly batch: RecordBatch }> {
  const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'earliest' });
  try {
    await source.open();
    for (;;) {
      const done = new Set(source.partitions().filter(p => source.position(p) >= source.endAtOpen(p)));
      if (done.size === source.partitions().length || signal.aborted) return;
      for (const batch of await source.poll(done, POLL_MS, signal)) yield { source, batch };
    }
  } finally {
    await source.close();
  }
}
