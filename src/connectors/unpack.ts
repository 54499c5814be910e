import type { PackedPart, Unpacker } from '../engine/records.ts';
import { BATCH_FORM, codecsFor, unpackInTurn } from './kafka/pack.ts';
import type { BlockReader } from './log/block-reader.ts';
import { BLOCK_FORM, unpackBlocksInTurn } from './log/blocks.ts';

/** Who opens what sources give packed, by its form, in a thread that takes one after the other. */
export const unpackers = (): ReadonlyMap<string, Unpacker> => new Map<string, Unpacker>([
  [BLOCK_FORM, blockUnpacker()],
  [BATCH_FORM, { ready: codecsFor, unpack: unpackInTurn() }],
]);

function blockUnpacker(): Unpacker {
  let reader: BlockReader | null = null;
  /** SQLite is loaded where there is a log to read. */
  const load = async (): Promise<void> => {
    const { BlockReader: Reader } = await import('./log/block-reader.ts');
    reader ??= new Reader();
  };
  return {
    ready: (parts: readonly PackedPart[]) => (reader === null && parts.some(p => p.place !== undefined) ? load() : null),
    read: (...block) => (reader as BlockReader).read(...block),
    unpack: unpackBlocksInTurn(),
  };
}
