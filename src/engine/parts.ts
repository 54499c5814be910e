import { RunAccounting } from './accounting.ts';
import { EpochCheckpointer } from './checkpoint.ts';
import { RowOutbox } from './outbox.ts';
import type { EngineParts } from './ports.ts';

/** The books of a running pipeline on its state store. */
export const engineParts: EngineParts = {
  accounting: o => new RunAccounting(o),
  outbox: (o, accounting) => new RowOutbox(o, accounting),
  checkpointer: (...parts) => new EpochCheckpointer(...parts),
};
