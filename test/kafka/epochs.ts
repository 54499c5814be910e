import { randomBytes } from 'node:crypto';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import type { Delivery, DeliveryOptions, Log, OutEpoch } from '../../src/connectors/connector.ts';
import type { OutBlock } from '../../src/state/store.ts';
import { unique } from './support.ts';

export const block = (topic: string, partition: number, values: readonly string[]): OutBlock => {
  const b = new BlockBuilder();
  for (const v of values) b.add(Buffer.from(`k${partition}`), Buffer.from(v), [], Date.now());
  return { topic, partition, rows: values.length, data: b.finish() };
};

/** A pipeline that reads `input`/0, with a name of its own; `id()` are the options of a process of it. */
export class TestPipeline {
  readonly name = unique('p');
  readonly group = `pipe-${this.name}`;
  readonly state = randomBytes(8).toString('hex');
  readonly input: string;

  constructor(input: string) { this.input = input; }

  options(more: Partial<DeliveryOptions> = {}): DeliveryOptions {
    return { pipeline: this.name, idPrefix: '', stateId: this.state, ownerId: randomBytes(8).toString('hex'), exactlyOnce: true, takeOver: false, ...more };
  }

  delivery(log: Log, more: Partial<DeliveryOptions> = {}): Delivery { return log.delivery(this.options(more)); }

  epoch(number: number, blocks: readonly OutBlock[], next = number): OutEpoch {
    return { number, blocks, offsets: new Map([[this.input, new Map([[0, next]])]]) };
  }
}
