import { commonFrom } from './common.ts';
import type { Columns } from './received.ts';

/** How two lists of rows differ; numbers are places in them. */
export type RowDiff =
  | { readonly k: 'differs'; readonly expected: number; readonly received: number }
  | { readonly k: 'missing'; readonly expected: number }
  | { readonly k: 'unexpected'; readonly received: number };

/** Rows beyond this many are paired in their order: the best pairs take time with the square. */
const MANY = 2000;

/** A row is as expected when all columns that the test names are; others are not looked at. */
export const fits = (expected: Columns, received: Columns): boolean => {
  for (const [name, value] of expected) if (received.get(name) !== value) return false;
  return true;
};

/** In any order: as many rows as can be are paired with one that fits, the rest with the one that is most alike. Empty when all is as expected. */
export function compareRows(expected: readonly Columns[], received: readonly Columns[], ordered: boolean): RowDiff[] {
  const pairs = ordered ? inOrder(expected, received) : inAnyOrder(expected, received);
  const paired = new Set(pairs);
  const left = received.flatMap((_, r) => (paired.has(r) ? [] : [r]));
  const missing = pairs.flatMap((r, e) => (r === null ? [e] : []));
  const alike = ordered ? neighbours(pairs, missing, left) : mostAlike(expected, received, missing, left);
  const diffs: RowDiff[] = missing.map(e => {
    const r = alike.get(e);
    return r === undefined ? { k: 'missing', expected: e } : { k: 'differs', expected: e, received: r };
  });
  const used = new Set(alike.values());
  return [...diffs, ...left.filter(r => !used.has(r)).map((r): RowDiff => ({ k: 'unexpected', received: r }))];
}

/** For each expected row the received one that fits it, or null: as many pairs as there can be. */
function inAnyOrder(expected: readonly Columns[], received: readonly Columns[]): (number | null)[] {
  const owner: (number | null)[] = received.map(() => null);
  const place = (e: number, tried: Set<number>): boolean => {
    for (let r = 0; r < received.length; r++) {
      if (tried.has(r) || !fits(expected[e] as Columns, received[r] as Columns)) continue;
      tried.add(r);
      const other = owner[r] as number | null;
      if (other !== null && (expected.length > MANY || !place(other, tried))) continue;
      owner[r] = e;
      return true;
    }
    return false;
  };
  expected.forEach((_, e) => place(e, new Set()));
  const pairs: (number | null)[] = expected.map(() => null);
  owner.forEach((e, r) => { if (e !== null) pairs[e] = r; });
  return pairs;
}

/** The longest series of pairs that fit and stand in the same order in both. */
function inOrder(expected: readonly Columns[], received: readonly Columns[]): (number | null)[] {
  const [n, m] = [expected.length, received.length];
  if (n * m > MANY * MANY) return expected.map((e, i) => (i < m && fits(e, received[i] as Columns) ? i : null));
  const same = (e: number, r: number): boolean => fits(expected[e] as Columns, received[r] as Columns);
  const at = commonFrom(n, m, same);
  const pairs: (number | null)[] = expected.map(() => null);
  for (let e = 0, r = 0; e < n && r < m;) {
    if (same(e, r)) pairs[e++] = r++;
    else if (at(e + 1, r) >= at(e, r + 1)) e++;
    else r++;
  }
  return pairs;
}

/** In order: what is missing goes with what came in the same gap. */
function neighbours(pairs: readonly (number | null)[], missing: readonly number[], left: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  const free = [...left];
  for (const e of missing) {
    const before = pairs.slice(0, e).findLast(r => r !== null) ?? -1;
    const after = pairs.slice(e + 1).find(r => r !== null) ?? Infinity;
    const k = free.findIndex(r => r > before && r < after);
    if (k >= 0) found.set(e, free.splice(k, 1)[0] as number);
  }
  return found;
}

/** Pairs with the most equal columns first; rows that have nothing in common are no pair, unless they are the only ones. */
function mostAlike(expected: readonly Columns[], received: readonly Columns[], missing: readonly number[], left: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  if (missing.length === 1 && left.length === 1) return found.set(missing[0] as number, left[0] as number);
  const few = missing.length * left.length <= MANY * MANY;
  const scored = few ? missing.flatMap(e => left.map(r => ({ e, r, score: equal(expected[e] as Columns, received[r] as Columns) }))) : [];
  const used = new Set<number>();
  for (const { e, r, score } of scored.sort((a, b) => b.score - a.score || a.e - b.e || a.r - b.r)) {
    if (score === 0 || found.has(e) || used.has(r)) continue;
    found.set(e, r);
    used.add(r);
  }
  return found;
}

function equal(expected: Columns, received: Columns): number {
  let n = 0;
  for (const [name, value] of expected) if (received.get(name) === value) n++;
  return n;
}
