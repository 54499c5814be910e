import { asMany, newRecords, type PackedPart, type Place, type RecordBatch, type Unpacker } from '../records.ts';
import type { Arena } from './arena.ts';

/** Records of one partition in shared memory, open or packed, or where they are to be found. They outlive the source's next poll. */
export interface RawSlice {
  /** Number of the slice, in the order in which slices are passed. */
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly length: number;
  /** Wall time of the fetch, epoch ms. */
  readonly fetchedAt: number;
  readonly shared: SharedArrayBuffer;
  readonly lies: OpenRecords | PackedParts;
}

/** f64 offsets[n], f64 timestamps[n], i32 starts and ends of values and keys [n] each, then their bytes. */
interface OpenRecords {
  readonly form: null;
  readonly at: number;
  readonly bytes: number;
}

/** As the log keeps them; what has a place is not in memory yet. */
interface PackedParts {
  readonly form: string;
  readonly parts: readonly { readonly at: number; readonly bytes: number; readonly base: number; readonly time: number | null; readonly place: Place | null }[];
}

/** Records that know their slice: so a report of one of them can cross threads. */
export interface SliceRecords extends RecordBatch {
  readonly slice: number;
}

/** By form; what was packed by a source of this process can be unpacked in every thread of it. */
type Unpackers = ReadonlyMap<string, Pick<Unpacker, 'unpack'>>;

const PER_RECORD = 32;
/** Behind the last record: a scanner looks a little beyond the end of what it reads. */
const PADDING = 8;
const NO_HEADERS = (): readonly [] => [];

/** Copies records [from, to), all of them where they are packed. */
export function copyRecords(r: RecordBatch, from: number, to: number, arena: Arena, id: number, fetchedAt: number): RawSlice {
  const whole = to - from === r.length ? r.packed : undefined;
  const about = { id, topic: r.topic, partition: r.partition, length: to - from, fetchedAt };
  if (whole === undefined) return copyOpen(r, from, to, arena, about);
  const { form } = whole;
  if (whole.parts.every(p => p.place !== undefined)) {
    return { ...about, shared: NOTHING, lies: { form, parts: whole.parts.map(({ base, at: time, place = null }) => ({ at: 0, bytes: 0, base, time, place })) } };
  }
  return { ...about, ...copyParts(form, whole.parts, arena) };
}

function copyParts(form: string, parts: readonly PackedPart[], arena: Arena): Pick<RawSlice, 'shared' | 'lies'> {
  const all = parts.map(p => p.data);
  let at = arena.reserve(all.reduce((n, d) => n + d.length, 0));
  const { shared } = arena;
  const memory = new Uint8Array(shared);
  return {
    shared, lies: {
      form, parts: parts.map(({ base, at: time }, i) => {
        const data = all[i] as Buffer;
        memory.set(data, at);
        at += data.length;
        return { at: at - data.length, bytes: data.length, base, time, place: null };
      }),
    },
  };
}

/** Reads the parts of a slice that are not in memory yet; null where all are. Throws system.source.offset_lost. */
export function readParts({ lies, topic, partition }: RawSlice, unpackers: ReadonlyMap<string, Unpacker>): PackedPart[] | null {
  if (lies.form === null || lies.parts.every(p => p.place === null)) return null;
  const { read } = unpackers.get(lies.form) as Unpacker & Pick<Required<Unpacker>, 'read'>;
  return lies.parts.map(({ base, time, place }) => ({ base, at: time, data: read(place as Place, base, topic, partition) }));
}

/** A slice whose parts were read, in shared memory. */
export function copyRead(slice: RawSlice, parts: readonly PackedPart[], arena: Arena): RawSlice {
  arena.reset();
  return { ...slice, ...copyParts(slice.lies.form as string, parts, arena) };
}

function copyOpen(r: RecordBatch, from: number, to: number, arena: Arena, about: Omit<RawSlice, 'shared' | 'lies'>): RawSlice {
  const n = to - from;
  const [first, end] = extent(r, from, to);
  const bytes = Math.max(0, end - first) + PADDING;
  const at = arena.reserve(n * PER_RECORD + bytes);
  const slice = { ...about, shared: arena.shared, lies: { form: null, at, bytes } };
  const copy = view(slice, slice.lies);
  copy.offsets.set(r.offsets.subarray(from, to));
  copy.timestamps.set(r.timestamps.subarray(from, to));
  move(r.valueStart, r.valueEnd, copy.valueStart, copy.valueEnd, from, n, first);
  move(r.keyStart, r.keyEnd, copy.keyStart, copy.keyEnd, from, n, first);
  copy.data.set(r.data.subarray(first, end));
  return slice;
}

/** The records of a slice that is in memory, or whose `parts` are. Throws system.source.corrupt_batch. */
export function openSlice(slice: RawSlice, unpackers: Unpackers, parts: readonly PackedPart[] = partsOf(slice)): SliceRecords {
  const { id, topic, partition, lies } = slice;
  const records = lies.form === null ? view(slice, lies)
    : asMany((unpackers.get(lies.form) as Unpacker).unpack(parts, topic, partition), slice.length);
  return Object.assign(newRecords(records), { slice: id });
}

/** The parts of a slice that is packed; none of another. */
export const partsOf = ({ shared, lies }: RawSlice): PackedPart[] =>
  (lies.form === null ? [] : lies.parts.map(p => ({ data: Buffer.from(shared as unknown as ArrayBuffer, p.at, p.bytes), base: p.base, at: p.time, ...(p.place === null ? {} : { place: p.place }) })));

/** What stands for records that another thread has. */
export const stubOf = (id: number, topic: string, partition: number): SliceRecords =>
  openSlice({ id, topic, partition, length: 0, fetchedAt: 0, shared: NOTHING, lies: { form: null, at: 0, bytes: 0 } }, new Map());
const NOTHING = new SharedArrayBuffer(0);

function view({ topic, partition, length: n, shared }: RawSlice, { at, bytes }: OpenRecords): RecordBatch {
  const ints = (k: number): Int32Array => new Int32Array(shared, at + 16 * n + 4 * n * k, n);
  const offsets = new Float64Array(shared, at, n);
  return {
    topic, partition, length: n, offsets, timestamps: new Float64Array(shared, at + 8 * n, n),
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
