import type { Batch } from './batch.ts';
import type { Output } from './operator.ts';

/** One output that stands for several. */
class FanOut implements Output {
  readonly #outputs: readonly Output[];
  constructor(outputs: readonly Output[]) { this.#outputs = outputs; }
  push(batch: Batch): void { for (const o of this.#outputs) o.push(batch); }
  watermark(ms: number): void { for (const o of this.#outputs) o.watermark(ms); }
  finish(): void { for (const o of this.#outputs) o.finish(); }
}

export const fanOut = (outputs: readonly Output[]): Output => (outputs.length === 1 ? (outputs[0] as Output) : new FanOut(outputs));
