import type { Log, Source, SourceOptions } from '../connectors/connector.ts';
import type { SourceSpec } from '../config/spec.ts';
import { PipeError } from '../errors.ts';

/** ms to wait for the first record of a topic. */
const LOOK_MS = 2000;

/**
 * Whether a topic still reaches back to where its source begins. Throws user.usage.bad_value where nobody can say where that is, and
 * system.source.offset_lost where records are gone and nobody has said that what is left will do: `from` (--from), or on_data_loss: earliest.
 */
export async function checkStart(source: SourceSpec, ends: ReadonlyMap<number, number>, from: SourceOptions['from'] | null, log: Log, make: (o: SourceOptions) => Source, at: SourceOptions): Promise<void> {
  if (from !== null) return;
  if (source.start === 'latest') {
    throw new PipeError('user.usage.bad_value', `source "${source.name}" starts at the newest record, so --backfill does not know where to begin`, { hint: 'say it: --from earliest, or a time such as --from 2024-01-01T12:00:00Z' });
  }
  const info = await log.topic(source.topic);
  const cut = (info?.partitions ?? []).filter(p => ends.has(p.partition) && p.begin > 0);
  if (cut.length === 0 || source.onDataLoss === 'earliest') return;
  const since = await firstTime(make({ ...at, from: 'earliest' }), new Set(cut.map(p => p.partition)));
  const places = cut.slice(0, 3).map(p => `${source.topic}/${p.partition} at offset ${p.begin}`);
  throw new PipeError('system.source.offset_lost', `the start of topic "${source.topic}" is gone, so not all can be built again: what is left begins with ${places.join(', ')}${cut.length > 3 ? `, and ${cut.length - 3} more` : ''}${since === null ? '' : ` (${new Date(since).toISOString()})`}`, {
    hint: 'to build from what is left: --from earliest, a time (--from 2024-01-01T12:00:00Z), or on_data_loss: earliest on the source',
  });
}

/** Time (epoch ms) of the oldest record of these partitions, or null where none comes soon. */
async function firstTime(source: Source, partitions: ReadonlySet<number>): Promise<number | null> {
  try {
    await source.open();
    const batches = await source.poll(new Set(source.partitions().filter(p => !partitions.has(p))), LOOK_MS, new AbortController().signal);
    const times = batches.flatMap(b => (b.length > 0 && (b.timestamps[0] as number) >= 0 ? [b.timestamps[0] as number] : []));
    return times.length === 0 ? null : Math.min(...times);
  } finally {
    await source.close();
  }
}
