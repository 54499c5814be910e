import { PipeError } from '../../errors.ts';
import type { DeliveryOptions, OutEpoch } from '../connector.ts';
import type { Cluster, Lane } from './cluster.ts';
import { check } from './kafka-error.ts';
import { type CommittedOffset, type GroupOffsets, offsetFetchRequest } from './protocol-cluster.ts';

/** What the metadata of a committed offset says: delivered epoch, id of the state file, id of the process. */
interface Mark {
  readonly e: number;
  readonly s: string;
  readonly r: string;
}

export const markText = (epoch: number, o: DeliveryOptions): string => JSON.stringify({ e: epoch, s: o.stateId, r: o.ownerId } satisfies Mark);

/** The committed offsets of a pipeline's group, and the marker in their metadata. */
export class GroupMarks {
  readonly offsets: readonly CommittedOffset[];
  readonly #marks: readonly Mark[];
  readonly #o: DeliveryOptions;

  constructor(offsets: readonly CommittedOffset[], o: DeliveryOptions) {
    this.offsets = offsets.filter(f => f.offset >= 0);
    this.#marks = this.offsets.flatMap(f => parse(f.metadata) ?? []);
    this.#o = o;
  }

  /** Another state file has delivered last. */
  get foreign(): boolean { return this.#marks.some(m => m.s !== this.#o.stateId); }
  /** Last epoch that this state file has delivered; 0 for none. */
  get epoch(): number { return this.#marks.reduce((e, m) => (m.s === this.#o.stateId && m.e > e ? m.e : e), 0); }
  /** Processes that have delivered, on whatever partition. */
  get owners(): ReadonlySet<string> { return new Set(this.#marks.map(m => m.r)); }

  /**
   * Throws system.state.foreign, and system.state.rolled_back when more was delivered than `lastDelivery`, or that with other offsets than
   * `owed`: two copies of one state have gone on.
   */
  check(lastDelivery: number, owed: OutEpoch['offsets'] | null = null): void {
    const { pipeline, takeOver } = this.#o;
    if (this.foreign && !takeOver) {
      throw new PipeError('system.state.foreign', `another state file than this one has delivered for pipeline "${pipeline}" to this cluster (group ${groupName(this.#o)})`, {
        hint: 'run it with the --data-dir and settings.state of before, or start again with --reset-state: it reads from the start, and sends its rows a second time; settings.kafka.id_prefix sets two pipelines of one name apart',
      });
    }
    if (owed !== null && this.epoch === lastDelivery && this.offsets.some(f => f.offset !== (owed.get(f.topic)?.get(f.partition) ?? f.offset))) {
      throw new PipeError('system.state.rolled_back', `another copy of this state has made delivery ${lastDelivery} of pipeline "${pipeline}", from other records`, {
        hint: 'go on with that copy, or start again with --reset-state: it reads from the start, and sends its rows a second time',
      });
    }
    if (this.epoch > lastDelivery) {
      throw new PipeError('system.state.rolled_back', `the state of pipeline "${pipeline}" is at delivery ${lastDelivery}, but ${this.epoch} has been delivered: it is an older copy`, {
        hint: 'put the newer state back (a restore keeps it as *.before-restore), or start again with --reset-state: it reads from the start, and sends its rows a second time',
      });
    }
  }
}

/** Also the transactional id. */
export const groupName = (o: Pick<DeliveryOptions, 'idPrefix' | 'pipeline'>): string => `${o.idPrefix}pipe-${o.pipeline}`;

/** `stable`: waits (by a passing error) for transactions that are not decided. */
export async function readMarks(cluster: Cluster, lane: Lane, o: DeliveryOptions, stable: boolean): Promise<GroupMarks> {
  const group = groupName(o);
  const { error, offsets } = await lane.send(await cluster.coordinator('group', group), offsetFetchRequest(group, stable));
  check(error, `offsets of group ${group}`);
  return new GroupMarks(offsets, o);
}

export const fenced = (o: DeliveryOptions): PipeError =>
  new PipeError('system.sink.fenced', `pipeline "${o.pipeline}" was started by another process, which delivers for it now`, { hint: 'one process runs a pipeline, and nothing is lost; rows come twice only if the other was started with --reset-state' });

/**
 * Offsets to commit. The first commit of a process also goes to partitions that the group knows from before (sources that were
 * taken out): so every partition says who owns the group.
 */
export async function offsetsToCommit(cluster: Cluster, current: ReadonlyMap<string, ReadonlyMap<number, number>>, before: readonly CommittedOffset[]): Promise<GroupOffsets> {
  const all = new Map([...current].filter(([, partitions]) => partitions.size > 0).map(([topic, partitions]) => [topic, new Map(partitions)]));
  for (const { topic, partition, offset } of before) {
    if (all.get(topic)?.has(partition) === true) continue;
    const known = await cluster.topic(topic);
    if (known === null || !known.partitions.some(p => p.partition === partition)) continue;
    const partitions = all.get(topic);
    if (partitions === undefined) all.set(topic, new Map([[partition, offset]]));
    else partitions.set(partition, offset);
  }
  return [...all];
}

function parse(metadata: string | null): Mark | null {
  try {
    const { e, s, r } = JSON.parse(metadata ?? '') as Partial<Mark>;
    return typeof e === 'number' && typeof s === 'string' && typeof r === 'string' ? { e, s, r } : null;
  } catch {
    return null;
  }
}
