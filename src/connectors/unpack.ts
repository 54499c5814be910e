import type { Unpacker } from '../engine/records.ts';
import { BATCH_FORM, codecsFor, unpackInTurn } from './kafka/pack.ts';
import { BLOCK_FORM, unpackBlocks } from './log/blocks.ts';

/** Who opens what sources give packed, by its form, in a thread that takes one after the other. */
export const unpackers = (): ReadonlyMap<string, Unpacker> => new Map<string, Unpacker>([
  [BLOCK_FORM, { unpack: unpackBlocks }],
  [BATCH_FORM, { ready: codecsFor, unpack: unpackInTurn() }],
]);
