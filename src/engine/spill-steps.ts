import { PARTS, type PieceSize } from '../state/store.ts';

/** Bytes of all pieces of a window by hash partition: those of a piece are spread over its partitions. */
export function sizesByPart(pieces: Iterable<PieceSize>): Float64Array {
  const sizes = new Float64Array(PARTS);
  for (const { part, span, bytes } of pieces) for (let p = part; p < part + span; p++) sizes[p] = (sizes[p] as number) + bytes / span;
  return sizes;
}

/** End of the partitions from `from` on that have at most `most` bytes: one of them in any case. */
export function stepEnd(sizes: Float64Array, from: number, most: number): number {
  let to = from;
  let bytes = 0;
  do bytes += sizes[to++] as number; while (to < PARTS && bytes + (sizes[to] as number) <= most);
  return to;
}
