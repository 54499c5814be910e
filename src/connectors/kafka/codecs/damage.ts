/** `size`, where `b` has so many bytes from `at` on. */
export function need(b: Buffer, at: number, size: number): number {
  if (at + size > b.length) throw new Error('it is cut short');
  return size;
}

export const tooLarge = (limit: number): Error => new Error(`it would become larger than ${limit} bytes`);
