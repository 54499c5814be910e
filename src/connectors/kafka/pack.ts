import { PACK_BYTES, PACK_RECORDS, PackedRecords, type PackedPart, type RecordBatch, type Unpack } from '../../engine/records.ts';
import { loadCodecs, missingCodecs } from './codecs/index.ts';
import type { AbortedTransaction } from './protocol-fetch.ts';
import { codecIds, damaged } from './record-batch.ts';
import { PartitionDecoder } from './record-batch-decode.ts';
import { walkBatches, type WantedBatch } from './record-batch-walk.ts';

export const BATCH_FORM = 'record-batch';

/** What was fetched of one partition in pieces that lie as they came; opened where that does not tell how many records there are. */
export function packBatches(fetched: Buffer, topic: string, partition: number, from: number, aborted: readonly AbortedTransaction[], decoder: PartitionDecoder): RecordBatch[] {
  const { wanted, next } = walkBatches(fetched, from, aborted, false, (base, what) => damaged(topic, partition, base, what));
  const [first] = wanted;
  // of a batch that was read in part nobody knows how many are left, and one that says it is empty would be looked at by nobody
  if (first === undefined || first.base < from || wanted.some(b => b.count <= 0)) return [decoder.decode(fetched, from, aborted)];
  const runs = runsOf(wanted);
  return runs.map((run, i) => {
    const [head, tail] = [run[0] as WantedBatch, run.at(-1) as WantedBatch];
    const length = run.reduce((n, b) => n + b.count, 0);
    const behind = runs[i + 1]?.[0]?.base ?? next;
    return new PackedRecords({ topic, partition, length, next: behind }, { form: BATCH_FORM, parts: [{ data: fetched.subarray(head.at, tail.end), base: head.base, at: null }], unpack: unpackBatches });
  });
}

const unpackBatches: Unpack = (parts, topic, partition) => unpackInTurn()(parts, topic, partition);

/**
 * For one who looks at no records of a partition after those that came next: their arrays are used again. The codecs were loaded.
 * What it makes throws system.source.corrupt_batch and system.source.codec.
 */
export function unpackInTurn(): Unpack {
  const decoders = new Map<string, PartitionDecoder>();
  return (parts, topic, partition) => {
    const { data, base } = parts[0] as PackedPart;
    const key = `${partition} ${topic}`;
    let decoder = decoders.get(key);
    if (decoder === undefined) decoders.set(key, decoder = new PartitionDecoder(topic, partition));
    return decoder.decode(data, base, []);
  };
}

/** Loads what unpacking needs; null when it is there. */
export function codecsFor(parts: readonly PackedPart[]): Promise<void> | null {
  const ids = new Set(parts.flatMap(p => [...codecIds(p.data)]));
  return missingCodecs(ids) ? loadCodecs(ids) : null;
}

/** Batches that lie side by side: those of producers that send at once are tiny. */
function runsOf(wanted: readonly WantedBatch[]): WantedBatch[][] {
  const runs: WantedBatch[][] = [];
  let run: WantedBatch[] = [];
  let records = 0;
  for (const b of wanted) {
    const begin = run[0]?.at ?? b.at;
    records += b.count;
    if (run.length > 0 && (run.at(-1)?.end !== b.at || b.end - begin > PACK_BYTES || records > PACK_RECORDS)) {
      runs.push(run);
      run = [];
      records = b.count;
    }
    run.push(b);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}
