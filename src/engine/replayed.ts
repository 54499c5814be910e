import type { Header, RecordBatch } from './records.ts';

const HEADER = 'pipe.replay';

/** Says of a record that `pipe dlq replay` sends which pipeline sent it, and where the record lies that it is a copy of. */
export const replayHeader = (pipeline: string, topic: string, partition: number, offset: number): Header => ({ key: HEADER, value: Buffer.from(`${pipeline} ${topic}/${partition}/${offset}`) });

/** Leaves out what `pipeline` has sent again of records that lie in this topic at or behind `begins`, by partition; a record that is not read there has its copy only. */
export function withoutCopies(b: RecordBatch, pipeline: string, begins: ReadonlyMap<number, number>): RecordBatch {
  const lead = copyLead(pipeline, b.topic);
  const keep: number[] = [];
  for (let i = 0; i < b.length; i++) if (!isCopy(b.headers(i), lead, begins)) keep.push(i);
  if (keep.length === b.length) return b;
  const rows = <T extends Int32Array | Float64Array>(from: T, to: T): T => { keep.forEach((i, j) => { to[j] = from[i] as number; }); return to; };
  const ints = (from: Int32Array): Int32Array => rows(from, new Int32Array(keep.length));
  const floats = (from: Float64Array): Float64Array => rows(from, new Float64Array(keep.length));
  return {
    topic: b.topic, partition: b.partition, length: keep.length, data: b.data, next: b.next, headers: row => b.headers(keep[row] as number),
    valueStart: ints(b.valueStart), valueEnd: ints(b.valueEnd), keyStart: ints(b.keyStart), keyEnd: ints(b.keyEnd), offsets: floats(b.offsets), timestamps: floats(b.timestamps),
  };
}

function isCopy(headers: readonly Header[], lead: string, begins: ReadonlyMap<number, number>): boolean {
  const original = originalOf(headers, lead);
  return original !== null && original.offset >= (begins.get(original.partition) ?? Infinity);
}

/** How the header begins of what `pipeline` has sent again of records of `topic`. */
export const copyLead = (pipeline: string, topic: string): string => `${pipeline} ${topic}/`;

/** Of which record this is a copy by such a pipeline, or null. */
export function originalOf(headers: readonly Header[], lead: string): { readonly partition: number; readonly offset: number } | null {
  const text = headers.find(h => h.key === HEADER)?.value?.toString();
  if (text?.startsWith(lead) !== true) return null;
  const [, partition, offset] = /^(\d+)\/(\d+)$/.exec(text.slice(lead.length)) ?? [];
  return partition === undefined ? null : { partition: Number(partition), offset: Number(offset) };
}
