/** Seeded random values. SEED and COUNT come from the environment (FUNCTIONS_SEED, FUNCTIONS_COUNT multiplies the rounds); the seed is printed on failure by whoever uses it. */
export interface Random {
  readonly seed: number;
  /** Integer in [lo, hi]. */
  int(lo: number, hi: number): number;
  digits(n: number): string;
  pick<T>(from: readonly T[]): T;
  /** Up to `max` of the pieces, joined. */
  text(pieces: readonly string[], max: number): string;
}

const seed = Number(process.env['FUNCTIONS_SEED'] ?? Date.now() % 1_000_000);
const factor = Number(process.env['FUNCTIONS_COUNT'] ?? 1);
let printed = false;

export const rounds = (n: number): number => Math.ceil(n * factor);

/** mulberry32, one stream per name. */
export function random(name: string): Random {
  if (!printed) process.stderr.write(`FUNCTIONS_SEED=${seed}\n`);
  printed = true;
  let state = seed;
  for (const c of name) state = (Math.imul(state, 31) + c.charCodeAt(0)) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (lo: number, hi: number): number => lo + Math.floor(next() * (hi - lo + 1));
  return {
    seed,
    int,
    digits: n => Array.from({ length: n }, () => int(0, 9)).join(''),
    pick: from => from[int(0, from.length - 1)] as (typeof from)[number],
    text: (pieces, max) => Array.from({ length: int(0, max) }, () => pieces[int(0, pieces.length - 1)]).join(''),
  };
}
