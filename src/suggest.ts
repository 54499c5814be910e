/** Damerau-Levenshtein distance (optimal string alignment: two neighbouring letters swapped are one step). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, (last[j - 1] as number) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, (before[j - 2] as number) + 1);
      row.push(d);
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}

/** The name that `word` was probably meant to be, or undefined when none is near. */
export function closest(word: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const name of names) {
    const d = distance(word.slice(0, 64).toLowerCase(), name.slice(0, 64).toLowerCase());
    if (d < least && d <= Math.max(1, Math.floor(name.length / 3))) { best = name; least = d; }
  }
  return best;
}

/** `did you mean "x"?`, or undefined. */
export const didYouMean = (word: string, names: Iterable<string>): string | undefined => {
  const near = closest(word, names);
  return near === undefined ? undefined : `did you mean "${near}"?`;
};
