import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SourceSharing } from '../../src/connectors/shared-source.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
import { sharingFormats } from '../../src/engine/shared-scan.ts';
import { formats } from '../../src/formats/index.ts';
import type { DecodeColumn, Decoder } from '../../src/formats/format.ts';
import { BIGINT, STRING, TIMESTAMP_LTZ, decimal, type SqlType } from '../../src/sql/types.ts';
import { plainColumn } from '../../src/sql/values/text-column.ts';
import { GENERATED } from '../no-codegen.ts';
import { MemorySource } from './memory-source.ts';

const column = (name: string, type: SqlType, more: Partial<DecodeColumn> = {}): DecodeColumn => ({ field: { name, type, nullable: true }, key: name, time: null, required: false, ...more });
const time = column('ts', TIMESTAMP_LTZ, { key: 'timestamp', time: 's', required: true });
const BALANCES = [column('account', STRING, { bytes: true }), column('amount', decimal(12, 2)), column('type', STRING), time];
const FRAUD = [column('amount', decimal(12, 2)), column('account', BIGINT), time];
const options = { topic: 't', maxRecordBytes: 1 << 20, generated: GENERATED };

const decoderIn = (found: { find(name: string): (typeof formats extends { find(name: string): infer F } ? F : never) }, columns: readonly DecodeColumn[]): Decoder => found.find('json')?.decoder?.(columns, options) as Decoder;

/** All that is seen of a decoded slice. */
function seen(d: Decoder, records: RecordBatch, from: number, to: number): unknown {
  const bad: unknown[] = [];
  const b = d.decode(records, from, to, (i, code, message) => { bad.push([i, code, message]); });
  const cols = b.cols.map(c => plainColumn(c, b.length));
  const rows = Array.from({ length: b.length }, (_, i) => [b.origin?.rows[i], ...cols.map((c, j) => (b.nulls[j]?.[i] === 1 ? null : c[i]))]);
  return { names: b.schema.map(f => f.name), rows, bad, same: b.origin?.records === records };
}

const record = fc.oneof(
  { weight: 60, arbitrary: fc.record({ account: fc.oneof(fc.nat(99), fc.nat(99).map(String)), amount: fc.nat(10_000).map(n => n / 100), timestamp: fc.nat(1000).map(n => String(1_704_110_400 + n)), type: fc.constantFrom('deposit', 'withdrawal') }).map(r => JSON.stringify(r)) },
  { weight: 1, arbitrary: fc.constantFrom('{"account":"ACC-7","amount":1,"timestamp":"1704110400","type":"x"}', 'no JSON', '{"account":1,"amount":"much","timestamp":1704110400}', '{"account":null,"amount":1,"timestamp":"1704110400"}', '{"account":1}') },
);

it('pipelines that share a scan see what each of them would see alone', () => {
  fc.assert(fc.property(fc.array(record, { minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 20 }), fc.boolean(), (values, step, other) => {
    const shared = sharingFormats(formats);
    const [balances, fraud] = [decoderIn(shared, BALANCES), decoderIn(shared, FRAUD)];
    const records = { ...recordsFrom(values.map(value => ({ key: null, value }))), readers: 2 };
    const slices = Array.from({ length: Math.ceil(values.length / step) }, (_, i) => [i * step, Math.min(values.length, (i + 1) * step)] as const);
    const first = slices.map(([from, to]) => seen(balances, records, from, to));
    // one that cuts its slices otherwise gets the same rows, only not for free
    const second = (other ? [[0, values.length] as const] : slices).map(([from, to]) => seen(fraud, records, from, to));
    expect(first).toEqual(slices.map(([from, to]) => seen(decoderIn(formats, BALANCES), records, from, to)));
    expect(second).toEqual((other ? [[0, values.length] as const] : slices).map(([from, to]) => seen(decoderIn(formats, FRAUD), records, from, to)));
  }), { numRuns: 300 });
});

it('a slice is decoded once', () => {
  let decoded = 0;
  const json = formats.find('json');
  const counting = sharingFormats({ find: () => json && { ...json, decoder: (c, o) => {
    const d = json.decoder?.(c, o) as Decoder;
    return { decode: (...args) => { decoded += args[2] - args[1]; return d.decode(...args); } };
  } } });
  const [a, b] = [decoderIn(counting as typeof formats, BALANCES), decoderIn(counting as typeof formats, FRAUD)];
  const records = { ...recordsFrom(Array.from({ length: 100 }, (_, i) => ({ key: null, value: `{"account":${i},"amount":1.5,"timestamp":"1704110400","type":"deposit"}` }))), readers: 2 };
  for (const d of [a, b]) for (let at = 0; at < 100; at += 10) d.decode(records, at, at + 10, () => { throw new Error('bad'); });
  expect(decoded).toBe(100);
  // a batch of its own is nobody else's matter
  a.decode({ ...records, readers: 1 }, 0, 100, () => undefined);
  expect(decoded).toBe(200);
});

it('who is left behind by the others reads its own records, in whose memory others lie by now', async () => {
  const never = new AbortController().signal;
  const log = [Array.from({ length: 40 }, (_, i) => ({ value: `{"account":"account ${i}","type":"deposit"}`, timestamp: i }))];
  const sharing = new SourceSharing(o => Object.assign(new MemorySource(log, [o.positions.get(0) ?? 0]), { most: 10 }), 20);
  const open = async (): Promise<ReturnType<typeof sharing.source>> => {
    const s = sharing.source({ topic: 'events', topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop' });
    await s.open();
    return s;
  };
  const [fast, slow] = [await open(), await open()];
  const shared = sharingFormats(formats);
  const columns = [column('account', STRING, { bytes: true })];
  const [one, other] = [decoderIn(shared, columns), decoderIn(shared, columns)];
  const [[ahead], [behind]] = await Promise.all([fast.poll(new Set(), 1000, never), slow.poll(new Set(), 1000, never)]) as unknown as [[RecordBatch], [RecordBatch]];
  // the one has scanned all of the batch for both, and made no strings of it, when the other is held up
  for (const from of [0, 5]) one.decode(ahead, from, from + 5, () => { throw new Error('bad'); });
  seen(other, behind, 0, 5);
  for (let n = 0; n < 20;) n += (await fast.poll(new Set(), 100, never)).reduce((sum, b) => sum + b.length, 0);
  expect(seen(other, behind, 5, 10)).toMatchObject({ rows: [5, 6, 7, 8, 9].map(i => [i, `account ${i}`]), bad: [] });
  await Promise.all([fast.close(), slow.close()]);
});
