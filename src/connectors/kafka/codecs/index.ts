import type { Codec } from './codec.ts';

/** By the number in the attributes of a batch (https://kafka.apache.org/documentation/#recordbatch). */
const known: readonly { readonly id: number; load(): Promise<Codec> }[] = [
  { id: 1, load: async () => (await import('./gzip.ts')).gzip },
  { id: 2, load: async () => (await import('./snappy.ts')).snappy },
  { id: 3, load: async () => (await import('./lz4.ts')).lz4 },
  { id: 4, load: async () => (await import('./zstd.ts')).openZstd() },
];

const loaded = new Map<number, Codec>();

/** Makes `codecOf` ready for these; those that nobody knows are left alone. */
export async function loadCodecs(ids: ReadonlySet<number>): Promise<void> {
  for (const { id, load } of known) if (ids.has(id) && !loaded.has(id)) loaded.set(id, await load());
}

/** Whether `loadCodecs` has to be called for these. */
export const missingCodecs = (ids: ReadonlySet<number>): boolean => known.some(({ id }) => ids.has(id) && !loaded.has(id));

/** Null where the number is none of a codec. Those that are known were loaded before. */
export function codecOf(id: number): Codec | null {
  const found = loaded.get(id);
  if (found === undefined && known.some(k => k.id === id)) throw new Error(`codec ${id} is not loaded`);
  return found ?? null;
}
