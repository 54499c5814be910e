/**
 * The longest series of pairs that are the same and stand in the same order in two lists of `n` and `m`: how long it is from the places
 * `i` and `j` on.
 */
export function commonFrom(n: number, m: number, same: (i: number, j: number) => boolean): (i: number, j: number) => number {
  const best = Array.from({ length: n + 1 }, () => new Int32Array(m + 1));
  const at = (i: number, j: number): number => (best[i] as Int32Array)[j] as number;
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) (best[i] as Int32Array)[j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  return at;
}
