import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeLog } from '../../src/cli/make-log.ts';
import type { Source } from '../../src/connectors/connector.ts';
import { unpackers } from '../../src/connectors/unpack.ts';
import { Arena } from '../../src/engine/parallel/arena.ts';
import { copyRead, copyRecords, openSlice, partsOf, readParts } from '../../src/engine/parallel/raw.ts';
import { PACK_BYTES, type RecordBatch, type Unpacker } from '../../src/engine/records.ts';
import { Database } from '../../src/state/database.ts';
import { whole } from '../random.ts';

const dirs: string[] = [];
afterEach(() => { for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true }); });

async function openLog(): ReturnType<typeof makeLog> {
  const dir = mkdtempSync(join(tmpdir(), 'pipe-packed-'));
  dirs.push(dir);
  const log = await makeLog({ brokers: null, origin: 'test' }, dir, null, { warn: () => undefined, info: () => undefined });
  await log.open(1000, new AbortController().signal);
  return log;
}

const options = { topicId: null, from: 'earliest', onDataLoss: 'stop' } as const;

/** What `of` makes of each batch; one that is open is valid until the next poll. */
async function each<T>(source: Source, of: (b: RecordBatch) => T): Promise<T[]> {
  await source.open();
  const found: T[] = [];
  for (let batches = await source.poll(new Set(), 0, new AbortController().signal); batches.length > 0; batches = await source.poll(new Set(), 0, new AbortController().signal)) found.push(...batches.map(of));
  await source.close();
  return found;
}

const all = (source: Source): Promise<RecordBatch[]> => each(source, b => b);

const rows = (list: readonly RecordBatch[]): unknown[] => list.flatMap(r => Array.from({ length: r.length }, (_, i) => [
  r.partition, r.offsets[i], r.data.toString('latin1', r.valueStart[i], r.valueEnd[i]), r.headers(i).map(h => `${h.key}=${h.value?.toString()}`).join(),
])).sort();

/** What a worker makes of it: where it can it reads the blocks itself; `shared`: and copies them for other threads. */
async function asWorker(b: RecordBatch, shared = false): Promise<RecordBatch> {
  const known = unpackers();
  const raw = copyRecords(b, 0, b.length, new Arena(), 0, 0);
  if (raw.lies.form !== null) await (known.get(raw.lies.form) as Unpacker).ready?.(partsOf(raw));
  const read = readParts(raw, known);
  return read !== null && shared ? openSlice(copyRead(raw, read, new Arena()), known) : openSlice(raw, known, read ?? undefined);
}

it('a topic is the same whether its blocks are opened or left packed, from every place', async () => {
  const pick = whole(26_112_026);
  const log = await openLog();
  await log.createTopic({ name: 't', partitions: 2, retention: null, config: {} });
  for (let n = 0; n < 60; n++) {
    const size = pick(6) === 0 ? 20_000 : 20;
    await log.append('t', Array.from({ length: 1 + pick(20) }, (_, i) => ({ key: null, value: Buffer.from(`${n}.${i}.${'x'.repeat(pick(size))}`), headers: i === 3 ? [{ key: 'h', value: Buffer.from('v') }] : [], partition: pick(2), timestamp: null })));
  }
  let left = 0;
  for (let k = 0; k < 12; k++) {
    const ends = (await log.topic('t'))?.partitions ?? [];
    const positions = k === 0 ? new Map<number, number>() : new Map(ends.map(p => [p.partition, pick(p.end + 1)]));
    const open = (await each(log.source({ ...options, topic: 't', positions }), b => rows([b]))).flat().sort();
    const packed: RecordBatch[] = [];
    const read = await each(log.source({ ...options, topic: 't', positions, packed: true }), b => {
      if (b.packed === undefined) return rows([b]);
      packed.push(b);
      return [];
    });
    left += packed.reduce((n, b) => n + (b.packed?.parts.length ?? 0), 0);
    for (const b of packed) if (b.length > 0) expect([b.length, b.next]).toEqual([b.offsets.length, (b.offsets[b.length - 1] as number) + 1]);
    expect([...read.flat(), ...rows(packed)].sort()).toEqual(open);
    for (const shared of [false, true]) expect([...read.flat(), ...(await Promise.all(packed.map(async b => rows([await asWorker(b, shared)])))).flat()].sort()).toEqual(open);
    // who may go on behind what is deleted reads it all at once
    expect((await all(log.source({ ...options, onDataLoss: 'earliest', topic: 't', positions, packed: true }))).every(b => b.packed === undefined)).toBe(true);
  }
  expect(left).toBeGreaterThan(300);
  await log.close();
});

it('packs are small wherever the large records of a partition are', async () => {
  const log = await openLog();
  await log.createTopic({ name: 't', partitions: 1, retention: null, config: {} });
  const append = (n: number, value: Buffer): Promise<void> => log.append('t', Array.from({ length: n }, () => ({ key: null, value, headers: [], partition: 0, timestamp: null })));
  for (let i = 0; i < 20; i++) await append(1000, Buffer.from('x'));
  for (let i = 0; i < 12; i++) await append(1, Buffer.alloc(300_000, 'y'));
  const sizes = await each(log.source({ ...options, topic: 't', positions: new Map(), packed: true }), b => b.packed?.parts.reduce((n, p) => n + p.data.length, 0) ?? Infinity);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(PACK_BYTES);
  expect(sizes.length).toBeLessThan(12);
  await log.close();
});

it('a damaged block is not counted by its head', async () => {
  const log = await openLog();
  await log.createTopic({ name: 't', partitions: 1, retention: null, config: {} });
  for (const value of ['a', 'b', 'c']) await log.append('t', [{ key: null, value: Buffer.from(value), headers: [], partition: 0, timestamp: null }]);
  const db = new Database(join(dirs[0] as string, 'topics.db'));
  const change = (base: number, at: number, bit: number): void => {
    const data = db.prepare('SELECT data FROM batches WHERE base = ?').pluck().get(base) as Buffer;
    data[at] = (data[at] as number) ^ bit;
    db.prepare('UPDATE batches SET data = ? WHERE base = ?').run(data, base);
  };
  const read = async (): Promise<RecordBatch[]> => {
    const found = await all(log.source({ ...options, topic: 't', positions: new Map(), packed: true }));
    const here = await Promise.all(found.map(b => asWorker(b))).then(rows, (e: Error) => e.message);
    let there: unknown;
    try { there = rows(found); } catch (error) { there = (error as Error).message; }
    expect(here).toEqual(there);
    if (typeof there === 'string') throw new Error(there);
    return found;
  };
  // how many records it says that it holds
  change(1, 8, 3);
  await expect(read()).rejects.toThrow(/damaged|missing/);
  change(1, 8, 3);
  expect(rows(await read())).toHaveLength(3);
  // nothing that is known
  change(2, 0, 1);
  await expect(read()).rejects.toThrow(/damaged/);
  db.close();
  await log.close();
});

it('blocks that were deleted before they were read are missed, whoever comes too late', async () => {
  const log = await openLog();
  await log.createTopic({ name: 't', partitions: 1, retention: null, config: {} });
  // two packs
  const value = Buffer.alloc(PACK_BYTES / 4, 'x');
  for (let i = 0; i < 6; i++) await log.append('t', [{ key: null, value, headers: [], partition: 0, timestamp: null }]);
  const found = await all(log.source({ ...options, topic: 't', positions: new Map(), packed: true }));
  expect(found.map(b => b.length)).toEqual([3, 3]);
  const db = new Database(join(dirs[0] as string, 'topics.db'));
  db.exec('DELETE FROM batches WHERE base < 2; UPDATE partitions SET first = 2');
  const lost = { code: 'system.source.offset_lost', message: '2 records of t/0 were deleted by retention before they were read (offsets 0 to 1)' };
  await expect(asWorker(found[0] as RecordBatch)).rejects.toMatchObject(lost);
  expect(() => (found[0] as RecordBatch).offsets).toThrow(expect.objectContaining(lost));
  expect((await asWorker(found[1] as RecordBatch)).length).toBe(3);
  db.exec('DELETE FROM partitions');
  await expect(asWorker(found[0] as RecordBatch)).rejects.toMatchObject({ code: 'system.source.topic_missing', message: 'topic "t" was deleted while it was read' });
  db.exec('INSERT INTO partitions VALUES (1, 1, 0, 0, 6, 0)');
  await expect(asWorker(found[0] as RecordBatch)).rejects.toMatchObject({ code: 'system.source.corrupt_batch', message: 'the record at offset 0 of t/0 is missing from the log' });
  // nor is a gap passed over
  db.exec('DELETE FROM batches WHERE base = 4');
  await expect(all(log.source({ ...options, topic: 't', positions: new Map([[0, 2]]), packed: true }))).rejects.toMatchObject({ code: 'system.source.corrupt_batch', message: 'the record at offset 4 of t/0 is missing from the log' });
  // the index and the block may not say different things
  const one = db.prepare('SELECT data FROM batches WHERE base = 5').pluck().get() as Buffer;
  db.prepare('UPDATE batches SET data = ?, records = 2 WHERE base = 5').run(one);
  db.exec('UPDATE partitions SET first = 5, next = 7');
  const [b] = await all(log.source({ ...options, topic: 't', positions: new Map([[0, 5]]), packed: true }));
  await expect(asWorker(b as RecordBatch)).rejects.toMatchObject({ code: 'system.source.corrupt_batch', message: 'there are 1 records at offset 5 of t/0 where its log says 2' });
  db.close();
  await log.close();
});
