import type { RecordBatch } from '../records.ts';
import type { Arena } from './arena.ts';

/**
 * Records of one partition in shared memory: f64 offsets[n], f64 timestamps[n], i32 starts and ends of values and keys [n] each,
 * then their bytes. It outlives the source's next poll.
 */
export interface RawSlice {
  /** Number of the slice, in the order in which slices are passed. */
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly shared: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
  readonly bytes: number;
  /** Wall time of the fetch, epoch ms. */
  readonly fetchedAt: number;
}

/** Records that know their slice: so a report of one of them can cross threads. */
export interface SliceRecords extends RecordBatch {
  readonly slice: number;
}

const PER_RECORD = 32;
/** Behind the last record: a scanner looks a little beyond the end of what it reads. */
const PADDING = 8;
const NO_HEADERS = (): readonly [] => [];

/** Copies records [from, to). */
export function copyRecords(r: RecordBatch, from: number, to: number, arena: Arena, id: number, fetchedAt: number): { readonly raw: RawSlice; readonly records: SliceRecords } {
  const n = to - from;
  const [first, end] = extent(r, from, to);
  const bytes = Math.max(0, end - first) + PADDING;
  const at = arena.reserve(n * PER_RECORD + bytes);
  const slice = { id, topic: r.topic, partition: r.partition, shared: arena.shared, at, length: n, bytes, fetchedAt };
  const copy = openSlice(slice);
  copy.offsets.set(r.offsets.subarray(from, to));
  copy.timestamps.set(r.timestamps.subarray(from, to));
  move(r.valueStart, r.valueEnd, copy.valueStart, copy.valueEnd, from, n, first);
  move(r.keyStart, r.keyEnd, copy.keyStart, copy.keyEnd, from, n, first);
  copy.data.set(r.data.subarray(first, end));
  return { raw: slice, records: copy };
}

/** Views over a slice. */
export function openSlice({ id, topic, partition, shared, at, length: n, bytes }: RawSlice): SliceRecords {
  const ints = (k: number): Int32Array => new Int32Array(shared, at + 16 * n + 4 * n * k, n);
  const offsets = new Float64Array(shared, at, n);
  return {
    slice: id, topic, partition, length: n, offsets, timestamps: new Float64Array(shared, at + 8 * n, n),
    valueStart: ints(0), valueEnd: ints(1), keyStart: ints(2), keyEnd: ints(3), data: Buffer.from(shared as unknown as ArrayBuffer, at + PER_RECORD * n, bytes),
    headers: NO_HEADERS, next: (offsets[n - 1] as number) + 1,
  };
}

/** Range of `data` that records [from, to) use. */
function extent(r: RecordBatch, from: number, to: number): [first: number, end: number] {
  const { valueStart, valueEnd, keyStart, keyEnd } = r;
  let first = r.data.length;
  let end = 0;
  for (let i = from; i < to; i++) {
    const v = valueStart[i] as number;
    const k = keyStart[i] as number;
    if (v >= 0 && v < first) first = v;
    if (k >= 0 && k < first) first = k;
    if (v >= 0 && (valueEnd[i] as number) > end) end = valueEnd[i] as number;
    if (k >= 0 && (keyEnd[i] as number) > end) end = keyEnd[i] as number;
  }
  return first < end ? [first, end] : [0, 0];
}

function move(start: Int32Array, end: Int32Array, toStart: Int32Array, toEnd: Int32Array, from: number, n: number, first: number): void {
  for (let i = 0; i < n; i++) {
    const s = start[from + i] as number;
    toStart[i] = s < 0 ? -1 : s - first;
    toEnd[i] = s < 0 ? -1 : (end[from + i] as number) - first;
  }
}

