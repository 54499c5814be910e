/** Bytes behind the end of an output that copies may write. */
export const SLACK = 4;
/** From so many bytes on the engine's own copying is faster than a loop. */
const LONG = 96;

export const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);

/** Copies n bytes, which are there. Each view is of its array. */
export function copyLiterals(from: Uint8Array, fromView: DataView, at: number, to: Uint8Array, toView: DataView, q: number, n: number): void {
  if (n > LONG) to.set(from.subarray(at, at + n), q);
  else if (at + n + 4 <= from.length) for (let i = 0; i < n; i += 4) toView.setInt32(q + i, fromView.getInt32(at + i, true), true);
  else for (let i = 0; i < n; i++) to[q + i] = from[at + i] as number;
}

/** Repeats at `q` what begins `offset` bytes before; where n is more than that, it repeats itself. `view` is of `to`. */
export function copyMatch(to: Uint8Array, view: DataView, q: number, offset: number, n: number): void {
  if (n > LONG && offset >= n) to.copyWithin(q, q - offset, q - offset + n);
  else if (offset >= 4) for (let i = 0; i < n; i += 4) view.setInt32(q + i, view.getInt32(q - offset + i, true), true);
  else if (n > LONG && offset === 1) to.fill(to[q - 1] as number, q, q + n);
  else for (let i = 0; i < n; i++) to[q + i] = to[q + i - offset] as number;
}
