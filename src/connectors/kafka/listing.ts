import type { PartitionInfo, TopicInfo } from '../connector.ts';
import type { Cluster } from './cluster.ts';
import { check, KafkaError } from './kafka-error.ts';
import { EARLIEST, LATEST, listOffsetsRequest, logDirsRequest, type TopicMetadata } from './protocol-cluster.ts';

/** Offsets by partition at a time (epoch ms), EARLIEST or LATEST; -1 where no record is so new. Throws passing errors where a leader moves. */
export async function offsetsOf(cluster: Cluster, topic: string, partitions: readonly number[], at: number, committed: boolean): Promise<Map<number, number>> {
  const leaders = await cluster.byLeader(partitions.map(partition => ({ topic, partition })));
  const offsets = new Map<number, number>();
  await Promise.all([...leaders].map(async ([node, list]) => {
    for (const { partition, error, offset } of await cluster.node(node, listOffsetsRequest(topic, list.map(p => p.partition), at, committed))) {
      check(error, `offsets of ${topic}/${partition}`);
      offsets.set(partition, offset);
    }
  }));
  return offsets;
}

export async function describeTopic(cluster: Cluster, t: TopicMetadata): Promise<TopicInfo> {
  const numbers = t.partitions.map(p => p.partition);
  const [begin, end, bytes] = await Promise.all([offsetsOf(cluster, t.name, numbers, EARLIEST, false), offsetsOf(cluster, t.name, numbers, LATEST, true), sizes(cluster, t.name, numbers)]);
  const partitions: PartitionInfo[] = numbers.map(partition => ({ partition, begin: begin.get(partition) ?? 0, end: end.get(partition) ?? 0, bytes: bytes.get(partition) ?? null }));
  return { name: t.name, id: t.id, partitions };
}

/** Bytes at the leaders; empty where we may not ask (that takes Describe on the cluster). */
async function sizes(cluster: Cluster, topic: string, partitions: readonly number[]): Promise<Map<number, number>> {
  try {
    const leaders = await cluster.byLeader(partitions.map(partition => ({ topic, partition })));
    const each = await Promise.all([...leaders].map(([node, list]) => cluster.node(node, logDirsRequest(topic, list.map(p => p.partition)))));
    return new Map(each.flatMap(m => [...m]));
  } catch (error) {
    if (error instanceof KafkaError) return new Map();
    throw error;
  }
}
