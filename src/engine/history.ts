import type { OutBlock, StateStore } from '../state/store.ts';
import { EPOCH_BYTES } from './loop.ts';
import type { Output } from './operator.ts';
import type { Accounting, Checkpointer, Outbox } from './ports.ts';

/** The outbox of a pipeline, and before it the rows that a backfill has left to be sent: epochs of them, which move no position. */
export class History implements Outbox {
  #outbox: Outbox | null = null;
  readonly #sinks: ReadonlySet<string>;
  #blocks: readonly OutBlock[] = [];

  /** `sinks`: topics of rows; what goes to others are dead letters. */
  constructor(sinks: Iterable<string>) { this.#sinks = new Set(sinks); }

  /** The one from now on; that before is empty. */
  goOn(outbox: Outbox): void { this.#outbox = outbox; }

  get outputs(): ReadonlyMap<string, Output> { return this.#outbox?.outputs ?? new Map<string, Output>(); }
  bytes(): number { return this.#outbox?.bytes() ?? 0; }

  take(): readonly OutBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    return [...blocks, ...this.#outbox?.take() ?? []];
  }

  /** After recovery, before the first record. */
  async deliver(store: StateStore, checkpointer: Checkpointer, accounting: Accounting): Promise<void> {
    for (let next = store.backlog(EPOCH_BYTES); next !== null; next = store.backlog(EPOCH_BYTES)) {
      const { last, blocks } = next;
      const { positions, watermarks } = store.saved();
      this.#blocks = blocks;
      // no sink in particular: a topic may have several
      for (const b of blocks) if (this.#sinks.has(b.topic)) accounting.rowsOut('', b.rows);
      await checkpointer.commit({ positions, watermarks, write: tx => tx.dropBacklog(last) });
    }
  }
}
