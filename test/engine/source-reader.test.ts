import { expect, it } from 'vitest';
import type { Clock } from '../../src/engine/clock.ts';
import { SourceReader } from '../../src/engine/source-reader.ts';
import { EventTime } from '../../src/engine/watermark.ts';
import { formats } from '../../src/formats/index.ts';
import { TIMESTAMP_LTZ } from '../../src/sql/types.ts';
import { MemorySource } from './memory-source.ts';

const signal = new AbortController().signal;

/** A reader that follows two partitions, on a clock of its own; `lead` in ms. */
async function reader(lead: number): Promise<{ readonly r: SourceReader; readonly source: MemorySource; readonly watermarks: number[]; poll(): Promise<void>; pass(ms: number): void }> {
  let now = 0;
  const time: Clock = { now: () => now, elapsed: () => now };
  const clock = new EventTime({ delay: 0, idle: 50, maxFuture: 1e9, following: true }, time, -Infinity);
  const decoder = formats.find('json')?.decoder?.([{ field: { name: 'ts', type: TIMESTAMP_LTZ, nullable: false }, key: 'ts', time: 'ms', required: true }], { topic: 'events', maxRecordBytes: 1000, generated: false });
  const source = new MemorySource(2);
  source.now = () => now;
  const watermarks: number[] = [];
  const r = new SourceReader({
    ends: null,
    name: 'events', source, decoder: decoder as NonNullable<typeof decoder>, input: { push: () => undefined, watermark: ms => { watermarks.push(ms); }, finish: () => undefined }, time: { column: 0, clock }, following: true,
    batchRows: 1, lead, counts: { read: () => undefined, undecodable: () => undefined, future: () => undefined }, unitCheck: null, warn: () => undefined, meters: null, lastOpenEnd: () => null,
  });
  await source.open();
  r.begin([]);
  return {
    r, source, watermarks, pass: ms => { now += ms; },
    poll: async () => {
      r.take(await source.poll(r.paused(), 0, signal), now);
      while (r.step() !== null);
      r.tick();
    },
  };
}

it('goes on with the event times that were saved', async () => {
  const { r, poll } = await reader(100);
  r.begin([0, 1].map(partition => ({ source: 'events', topic: 'events', topicId: 'events', partition, next: 0, maxEventTime: 700 + partition })));
  await poll();
  expect(r.positions().map(p => p.maxEventTime)).toEqual([700, 701]);
});

it('moves the watermark on after each slice', async () => {
  const { source, watermarks, poll } = await reader(1e9);
  source.send(0, '{"ts":1000}', 1000);
  source.send(1, '{"ts":500}', 1000);
  source.send(1, '{"ts":700}', 1000);
  await poll();
  expect(watermarks).toEqual([500, 700]);
});

it('does not take a partition for idle that it leaves out itself', async () => {
  const { r, source, poll, pass } = await reader(100);
  source.most = 1;
  source.send(0, '{"ts":1000}', 1000);
  source.send(1, '{"ts":500}', 1000);
  for (let i = 0; i < 9; i++) source.send(1, '{"ts":500}', 1000);
  await poll();
  expect([...r.paused()]).toEqual([0]);
  // the source itself may know nothing of that
  source.idleSince = () => 0;
  for (let i = 0; i < 3; i++) { await poll(); pass(60); }
  expect(r.clock?.isLive(0)).toBe(true);
});
