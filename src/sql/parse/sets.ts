import type { At, Query } from '../ast.ts';
import type { SetWords } from './rewrite.ts';

/** A query with its extent in the text, parentheses included. */
export interface Side {
  readonly query: Query;
  readonly at: At;
}

function pair(left: Side, right: Side, words: SetWords): Side {
  const at: At = [left.at[0], right.at[1]];
  return { at, query: { k: 'set', op: words.op, all: words.all, with: [], left: left.query, right: right.query, orderBy: [], limit: null, at } };
}

/** INTERSECT binds tighter than UNION and EXCEPT, which go from left to right. `sides` are one more than `sets`. */
export function combine(sides: readonly Side[], sets: readonly SetWords[]): Query {
  let waiting: { readonly left: Side; readonly words: SetWords } | undefined;
  let side = sides[0] as Side;
  for (const [i, words] of sets.entries()) {
    const right = sides[i + 1] as Side;
    if (words.op === 'intersect') side = pair(side, right, words);
    else {
      waiting = { left: waiting === undefined ? side : pair(waiting.left, side, waiting.words), words };
      side = right;
    }
  }
  return (waiting === undefined ? side : pair(waiting.left, side, waiting.words)).query;
}
