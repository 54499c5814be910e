/**
 * murmur2 with Kafka's seed, over bytes [start, end): the hash of the Java client's default partitioner
 * (org.apache.kafka.common.utils.Utils.murmur2), so that keys meet on one partition whoever wrote them.
 */
export function murmur2(data: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let h = 0x9747b28c ^ length;
  let p = start;
  for (let n = length >> 2; n > 0; n--, p += 4) {
    let k = (data[p] as number) | ((data[p + 1] as number) << 8) | ((data[p + 2] as number) << 16) | ((data[p + 3] as number) << 24);
    k = Math.imul(k, 0x5bd1e995);
    k ^= k >>> 24;
    h = Math.imul(h, 0x5bd1e995) ^ Math.imul(k, 0x5bd1e995);
  }
  const rest = length & 3;
  if (rest === 3) h ^= (data[p + 2] as number) << 16;
  if (rest >= 2) h ^= (data[p + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (data[p] as number), 0x5bd1e995);
  h ^= h >>> 13;
  h = Math.imul(h, 0x5bd1e995);
  return h ^ (h >>> 15);
}

/** Partition of a key, as the Java client chooses it. */
export const partitionOf = (data: Uint8Array, start: number, end: number, partitions: number): number => (murmur2(data, start, end) & 0x7fffffff) % partitions;
