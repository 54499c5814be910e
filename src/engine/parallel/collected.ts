import type { OutBlock } from '../../state/store.ts';
import type { Output } from '../operator.ts';
import type { Outbox } from '../ports.ts';
import type { Block } from './messages.ts';

/** The blocks that workers made, until the epoch takes them. */
export class CollectedOutbox implements Outbox {
  readonly outputs: ReadonlyMap<string, Output> = new Map();
  #blocks: OutBlock[] = [];
  #bytes = 0;

  add(blocks: readonly Block[]): void {
    for (const b of blocks) {
      this.#blocks.push({ ...b, data: Buffer.from(b.data.buffer, b.data.byteOffset, b.data.length) });
      this.#bytes += b.data.length;
    }
  }

  bytes(): number { return this.#bytes; }

  take(): readonly OutBlock[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    return blocks;
  }
}
