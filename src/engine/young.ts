import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { poisons } from '../failpoint.ts';

/**
 * Bytes of buffers after which the collector looks for young ones that nobody has any more. Left to itself it waits until some are old,
 * and marks the whole heap for each 64 MB that a run reads, which was a tenth of its CPU time. To free them one by one
 * (ArrayBuffer.transfer) is cheap, but from the first that is detached on V8 checks every access to any array: a fifth of a scan.
 * V8 lowers what it lets the heap grow by with each look that finds little, down to 8 MB: with as many bytes of buffers it marked again.
 */
const YOUNG_BYTES = 4 << 20;

type Collect = (o: { readonly type: 'minor' }) => void;
let collect: Collect | null = null;
let bytes = 0;

/** Buffers that came from outside V8's heap, each with memory of its own, and that nobody reads any more. */
export function doneWith(buffers: readonly Buffer[]): void {
  if (poisons) for (const b of buffers) b.fill(0xdb);
  for (const b of buffers) bytes += b.length;
  if (bytes < YOUNG_BYTES) return;
  bytes = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** V8 shows it in contexts that are made behind its flag. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
