import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Delivery, OutEpoch } from '../../src/connectors/connector.ts';
import { BlockBuilder } from '../../src/engine/block-builder.ts';
import { EpochCheckpointer } from '../../src/engine/checkpoint.ts';
import type { Accounting, Checkpointer, Outbox, PartOptions } from '../../src/engine/ports.ts';
import { openStateStore } from '../../src/state/sqlite.ts';
import type { OutBlock, Position, StateStore } from '../../src/state/store.ts';

let dir: string;
let store: StateStore;
const open = (): void => { store = openStateStore({ path: join(dir, 'p.db'), pipeline: 'p', logId: 'k', reset: false }); };
beforeEach(() => { dir = mkdtempSync(join(tmpdir(), 'pipe-checkpoint-')); open(); });
afterEach(() => { store.close(); rmSync(dir, { recursive: true, force: true }); });

const block = (): OutBlock => {
  const b = new BlockBuilder();
  b.add(null, Buffer.from('x'), [], 1);
  return { topic: 'out', partition: 0, rows: 1, data: b.finish() };
};
const at = (source: string, next: number): Position => ({ source, topic: 'in', topicId: 'id', partition: 0, next, maxEventTime: -Infinity });

/** A log that says `marker`, and notes what it is given; an epoch with output fails while `failing`. */
class NotedDelivery implements Delivery {
  markerMayLag?: true;
  readonly epochs: OutEpoch[] = [];
  marker: number | null = null;
  failing = false;
  recover(): Promise<number | null> { return Promise.resolve(this.marker); }
  commit(e: OutEpoch): Promise<void> {
    if (this.failing) return Promise.reject(new Error('refused for good'));
    this.epochs.push(e);
    return Promise.resolve();
  }
  close(): Promise<void> { return Promise.resolve(); }
}

function checkpointer(delivery: Delivery, resume: PartOptions['resume'] = null): { readonly c: Checkpointer; epoch(rows: number, positions?: readonly Position[]): Promise<void> } {
  let out: readonly OutBlock[] = [];
  const outbox: Pick<Outbox, 'take'> = { take: () => { const taken = out; out = []; return taken; } };
  const accounting: Pick<Accounting, 'takeBlocks' | 'counters' | 'takeDeadLetters'> = { takeBlocks: () => [], counters: () => new Map([['records_in', 1]]), takeDeadLetters: () => [] };
  const c = new EpochCheckpointer({ spec: { name: 'p' }, store, resume } as PartOptions, accounting as Accounting, outbox as Outbox, delivery);
  return {
    c, epoch: (rows, positions = [at('a', 1)]) => {
      out = Array.from({ length: rows }, block);
      return c.commit({ positions, watermarks: new Map(), write: () => undefined });
    },
  };
}

/** A process that dies after the commit of its last epoch with output, before that is delivered; `before` epochs were. */
async function died(before: number): Promise<void> {
  const d = new NotedDelivery();
  const { c, epoch } = checkpointer(d);
  await c.recover();
  for (let i = 0; i < before; i++) await epoch(1);
  d.failing = true;
  await epoch(1);
  c.stop();
  store.close();
  open();
}

describe('an epoch that lies in the outbox at start', () => {
  it('is sent when the log has the one before, and not when the log has it', async () => {
    await died(2);
    const d = new NotedDelivery();
    d.marker = 2;
    await checkpointer(d).c.recover();
    expect(d.epochs.map(e => [e.number, e.blocks.length])).toEqual([[3, 1]]);
    expect(store.outbox()).toEqual([]);
  });

  it('is forgotten when the log has it', async () => {
    await died(2);
    const d = new NotedDelivery();
    d.marker = 3;
    await checkpointer(d).c.recover();
    expect(d.epochs.map(e => [e.number, e.blocks.length])).toEqual([[3, 0]]);
  });

  it('is sent when it was the first and the log knows nothing', async () => {
    await died(0);
    const d = new NotedDelivery();
    await checkpointer(d).c.recover();
    expect(d.epochs.map(e => [e.number, e.blocks.length])).toEqual([[1, 1]]);
  });

  it('is for a person to decide on when others were delivered and the log knows nothing any more', async () => {
    await died(2);
    await expect(checkpointer(new NotedDelivery()).c.recover()).rejects.toMatchObject({ code: 'system.sink.unknown_outcome' });
    expect(store.outbox()).toHaveLength(1);
    const skipped = new NotedDelivery();
    await checkpointer(skipped, 'skip').c.recover();
    expect(skipped.epochs.map(e => e.blocks.length)).toEqual([0]);
  });

  it('is sent when a person says so', async () => {
    await died(2);
    const d = new NotedDelivery();
    await checkpointer(d, 'resend').c.recover();
    expect(d.epochs.map(e => e.blocks.length)).toEqual([1]);
  });
});

it('a marker behind what had arrived is an older log, but for one that a late commit may have put back', async () => {
  const first = new NotedDelivery();
  const { c, epoch } = checkpointer(first);
  await c.recover();
  for (let i = 0; i < 3; i++) await epoch(1);
  await c.drain();
  const d = new NotedDelivery();
  d.marker = 2;
  await expect(checkpointer(d).c.recover()).rejects.toMatchObject({ code: 'system.state.rolled_back' });
  d.markerMayLag = true;
  await checkpointer(d).c.recover();
  expect(d.epochs.map(e => [e.number, e.blocks.length])).toEqual([[3, 0]]);
});

describe('an epoch', () => {
  it('tells the log the lower position of two sources of one topic', async () => {
    const d = new NotedDelivery();
    const { c, epoch } = checkpointer(d);
    await c.recover();
    await epoch(1, [at('a', 9), at('b', 4)]);
    await c.drain();
    expect(d.epochs.map(e => [...(e.offsets.get('in') ?? [])])).toEqual([[[0, 4]]]);
    await epoch(0, [at('a', 9), at('b', 12)]);
    await c.drain();
    expect(d.epochs.map(e => [...(e.offsets.get('in') ?? [])])).toEqual([[[0, 4]], [[0, 9]]]);
  });

  it('whose delivery fails for good is the end', async () => {
    const d = new NotedDelivery();
    const { c, epoch } = checkpointer(d);
    await c.recover();
    d.failing = true;
    await epoch(1);
    await expect(epoch(1)).rejects.toThrow('refused for good');
    expect([c.failed(), store.saved().epoch]).toEqual([true, 1]);
    await expect(c.drain()).rejects.toThrow('refused for good');
  });
});
