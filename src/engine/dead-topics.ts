import type { Log } from '../connectors/connector.ts';

const POLL_MS = 1000;

/** Where records lie that topics of dead letters hold up to their ends as they are now, as `topic/partition/offset`: what header pipe.at says. */
export async function deadPlaces(topics: Iterable<string>, log: Log, signal: AbortSignal): Promise<Set<string>> {
  const places = new Set<string>();
  for (const topic of topics) {
    const source = log.source({ topic, topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'earliest' });
    try {
      await source.open();
      for (;;) {
        const done = new Set(source.partitions().filter(p => source.position(p) >= source.endAtOpen(p)));
        if (done.size === source.partitions().length || signal.aborted) break;
        for (const b of await source.poll(done, POLL_MS, signal)) {
          for (let i = 0; i < b.length; i++) {
            const at = b.headers(i).find(h => h.key === 'pipe.at')?.value?.toString();
            if (at !== undefined) places.add(at.split(' ', 1)[0] as string);
          }
        }
      }
    } finally {
      await source.close();
    }
  }
  return places;
}
