import type { RecordBatch } from '../../engine/records.ts';

/** Blocks below this many bytes are joined to bigger ones. */
const SMALL_BYTES = 64 << 10;

/** The same records in the same order with neighbours that are small made one batch: what is done per batch is not done per record. */
export function joinSmall(batches: readonly RecordBatch[]): RecordBatch[] {
  const joined: RecordBatch[] = [];
  let run: RecordBatch[] = [];
  const flush = (): void => {
    if (run.length > 0) joined.push(run.length === 1 ? (run[0] as RecordBatch) : join(run));
    run = [];
  };
  for (const b of batches) {
    if (b.data.length < SMALL_BYTES) run.push(b);
    else { flush(); joined.push(b); }
  }
  flush();
  return joined;
}

/** All of them as one; what lies in one memory is not copied. */
export function join(run: readonly RecordBatch[]): RecordBatch {
  const length = run.reduce((n, b) => n + b.length, 0);
  const starts: number[] = [];
  const ints = (): Int32Array => new Int32Array(length);
  const [keyStart, keyEnd, valueStart, valueEnd] = [ints(), ints(), ints(), ints()];
  const offsets = new Float64Array(length);
  const timestamps = new Float64Array(length);
  const { data, starts: bytes } = together(run.map(b => b.data));
  let row = 0;
  for (const [k, b] of run.entries()) {
    const byte = bytes[k] as number;
    starts.push(row);
    offsets.set(b.offsets, row);
    timestamps.set(b.timestamps, row);
    for (const [from, to] of [[b.keyStart, keyStart], [b.keyEnd, keyEnd], [b.valueStart, valueStart], [b.valueEnd, valueEnd]] as const) {
      for (let i = 0; i < b.length; i++) { const at = from[i] as number; to[row + i] = at < 0 ? -1 : at + byte; }
    }
    row += b.length;
  }
  const first = run[0] as RecordBatch;
  return {
    topic: first.topic, partition: first.partition, length, data, keyStart, keyEnd, valueStart, valueEnd, offsets, timestamps,
    next: (run.at(-1) as RecordBatch).next,
    headers: i => {
      let r = starts.length - 1;
      while ((starts[r] as number) > i) r--;
      return (run[r] as RecordBatch).headers(i - (starts[r] as number));
    },
  };
}

/** One piece of memory that holds all, and where each begins in it. */
function together(all: readonly Buffer[]): { readonly data: Buffer; readonly starts: readonly number[] } {
  const [first] = all as readonly [Buffer];
  const at = Math.min(...all.map(d => d.byteOffset));
  const end = Math.max(...all.map(d => d.byteOffset + d.length));
  const size = all.reduce((n, d) => n + d.length, 0);
  if (end - at === size && all.every(d => d.buffer === first.buffer)) return { data: Buffer.from(first.buffer, at, size), starts: all.map(d => d.byteOffset - at) };
  let next = 0;
  return { data: Buffer.concat(all), starts: all.map(d => (next += d.length) - d.length) };
}
