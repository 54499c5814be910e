import type { Log } from '../connectors/connector.ts';
import { readTopic } from './read-topic.ts';

/** Where records lie that topics of dead letters hold up to their ends as they are now, as `topic/partition/offset`: what header pipe.at says. */
export async function deadPlaces(topics: Iterable<string>, log: Log, signal: AbortSignal): Promise<Set<string>> {
  const places = new Set<string>();
  for (const topic of topics) {
    for await (const { batch } of readTopic(log, topic, signal)) {
      for (let i = 0; i < batch.length; i++) {
        const at = batch.headers(i).find(h => h.key === 'pipe.at')?.value?.toString();
        if (at !== undefined) places.add(at.split(' ', 1)[0] as string);
      }
    }
  }
  return places;
}
