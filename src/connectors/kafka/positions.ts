import { PipeError } from '../../errors.ts';
import { closest } from '../../suggest.ts';
import type { Notices, SourceOptions } from '../connector.ts';
import type { Cluster } from './cluster.ts';
import { offsetsOf } from './listing.ts';
import { EARLIEST, LATEST, type TopicMetadata } from './protocol-cluster.ts';

export interface Start {
  readonly partition: number;
  readonly position: number;
  /** Last stable offset. */
  readonly end: number;
}

const ON_DATA_LOSS = 'on_data_loss: earliest on the source goes on with what is there; --reset-state starts again';

/** Where each partition begins. Throws system.source.topic_recreated and offset_lost; passing errors. */
export async function startPositions(cluster: Cluster, topic: TopicMetadata, o: SourceOptions, notices: Notices): Promise<Start[]> {
  const partitions = topic.partitions.map(p => p.partition);
  const fresh = o.positions.size === 0;
  const [begin, end, written, at] = await Promise.all([
    offsetsOf(cluster, topic.name, partitions, EARLIEST, false), offsetsOf(cluster, topic.name, partitions, LATEST, true), offsetsOf(cluster, topic.name, partitions, LATEST, false),
    fresh && typeof o.from === 'number' ? offsetsOf(cluster, topic.name, partitions, o.from, true) : null,
  ]);
  return partitions.map(partition => {
    const first = begin.get(partition) as number;
    const last = end.get(partition) as number;
    const timed = at?.get(partition) ?? -1;
    const chosen = !fresh || o.from === 'earliest' ? first : o.from === 'latest' || timed < 0 ? last : timed;
    const position = o.positions.get(partition) ?? chosen;
    const high = written.get(partition) as number;
    if (position > high) return { partition, position: rewound(o, partition, position, high, first, notices), end: last };
    return { partition, position: position < first ? lost(o, partition, position, first, notices) : position, end: last };
  });
}

/** What `onDataLoss` says about records that retention has removed: where to go on, or system.source.offset_lost. */
export function lost(o: SourceOptions, partition: number, position: number, begin: number, notices: Notices): number {
  const count = begin - position;
  const place = `${o.topic}/${partition}`;
  const what = count === 1 ? `1 record of ${place} was deleted by retention before it was read (offset ${position})`
    : `${count} records of ${place} were deleted by retention before they were read (offsets ${position} to ${begin - 1})`;
  if (o.onDataLoss === 'stop') {
    throw new PipeError('system.source.offset_lost', what, { hint: ON_DATA_LOSS });
  }
  notices.warn(`${what}; going on at offset ${begin} (on_data_loss: earliest)`);
  return begin;
}

/** The same for a topic that is shorter than it was: a broker that had not all of it became its leader. */
export function rewound(o: SourceOptions, partition: number, position: number, end: number, begin: number, notices: Notices): number {
  const what = `the saved offset ${position} of ${o.topic}/${partition} is beyond its end ${end}: records that were read once are gone`;
  if (o.onDataLoss === 'stop') throw new PipeError('system.source.offset_lost', what, { hint: ON_DATA_LOSS });
  notices.warn(`${what}; going on at offset ${begin} (on_data_loss: earliest)`);
  return begin;
}

const AGAIN = 'start again with --reset-state, or put the old topic back';

export const recreated = (topic: string): PipeError =>
  new PipeError('system.source.topic_recreated', `topic "${topic}" was deleted and made again since it was last read: the saved positions are of the old one`, { hint: AGAIN });

export async function missing(cluster: Cluster, topic: string, label: string): Promise<PipeError> {
  const names = await cluster.metadata(null).then(m => m.topics.filter(t => !t.internal).map(t => t.name), () => []);
  const near = closest(topic, names);
  return new PipeError('system.source.topic_missing', `topic "${topic}" does not exist on ${label}`, {
    label: near === undefined ? undefined : `did you mean "${near}"?`, hint: `create it: pipe topics create ${topic} --partitions 3`,
  });
}
