import { expect, it } from 'vitest';
import { recordsFrom } from '../../src/engine/block.ts';
import { Flight } from '../../src/engine/parallel/flight.ts';
import { PackedRecords, type RecordBatch } from '../../src/engine/records.ts';

it('a packed slice is opened once, however many of its records are reported, and from the copy', () => {
  let opened = 0;
  const data = Buffer.from('as it lies');
  const unpack = (parts: readonly { readonly data: Buffer }[]): RecordBatch => {
    opened++;
    return recordsFrom([{ key: null, value: parts[0]?.data.toString() ?? '' }, { key: null, value: 'b' }], 't', 0, 7);
  };
  const flight = new Flight(2);
  const records = new PackedRecords({ topic: 't', partition: 0, length: 2, next: 9 }, { form: 'x', parts: [{ data, base: 7, at: null }], unpack });
  const f = flight.start({ records, from: 0, to: 2, next: 9, fetchedAt: 0 }, 1);
  // the source uses its memory again
  data.fill(0);
  for (let i = 0; i < 100; i++) {
    const r = flight.records(f.id);
    expect([r.length, r.offsets[1], r.data.toString('utf8', r.valueStart[0], r.valueEnd[0])]).toEqual([2, 8, 'as it lies']);
  }
  expect(opened).toBe(1);
});
