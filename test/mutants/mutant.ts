export interface Mutant {
  readonly name: string;
  /** From the root. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What is wrong with it. */
  readonly why: string;
  /** Test files that notice, the quickest first. */
  readonly killedBy: readonly string[];
}

/** Mutants of one file: [name, find, replace, why], and the tests that notice them unless one names others. */
export const of = (file: string, killedBy: readonly string[], list: readonly (readonly [name: string, find: string, replace: string, why: string, ...killedBy: string[]])[]): Mutant[] =>
  list.map(([name, find, replace, why, ...others]) => ({ name, file: `src/${file}`, find, replace, why, killedBy: (others.length > 0 ? others : killedBy).map(t => `test/${t}.test.ts`) }));
