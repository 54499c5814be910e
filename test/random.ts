/** xorshift32 (Marsaglia 2003): numbers of 32 bits, the same for the same seed. */
function bits(seed: number): () => number {
  let x = seed === 0 ? 1 : seed;
  return () => {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    return x >>> 0;
  };
}

/** Numbers in [0, 1). */
export function fractions(seed: number): () => number {
  const next = bits(seed);
  return () => next() / 2 ** 32;
}

/** Whole numbers in [0, n). */
export function whole(seed: number): (n: number) => number {
  const next = bits(seed);
  return n => next() % n;
}
