import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { makeLog } from '../../src/cli/make-log.ts';
import type { Source } from '../../src/connectors/connector.ts';
import type { RecordBatch } from '../../src/engine/records.ts';
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

async function all(source: Source): Promise<RecordBatch[]> {
  await source.open();
  const found: RecordBatch[] = [];
  for (let batches = await source.poll(new Set(), 0, new AbortController().signal); batches.length > 0; batches = await source.poll(new Set(), 0, new AbortController().signal)) found.push(...batches);
  await source.close();
  return found;
}

const rows = (list: readonly RecordBatch[]): unknown[] => list.flatMap(r => Array.from({ length: r.length }, (_, i) => [
  r.partition, r.offsets[i], r.data.toString('latin1', r.valueStart[i], r.valueEnd[i]), r.headers(i).map(h => `${h.key}=${h.value?.toString()}`).join(),
])).sort();

it('a topic is the same whether its blocks are opened or left packed, from every place', async () => {
  const pick = whole(26_112_026);
  const log = await openLog();
  await log.createTopic({ name: 't', partitions: 2, retention: null, config: {} });
  for (let n = 0; n < 60; n++) {
    const size = pick(6) === 0 ? 20_000 : 20;
    await log.append('t', Array.from({ length: 1 + pick(20) }, (_, i) => ({ key: null, value: Buffer.from(`${n}.${i}.${'x'.repeat(pick(size))}`), headers: i === 3 ? [{ key: 'h', value: Buffer.from('v') }] : [], partition: pick(2), timestamp: null })));
  }
  let packed = 0;
  for (let k = 0; k < 12; k++) {
    const ends = (await log.topic('t'))?.partitions ?? [];
    const positions = k === 0 ? new Map<number, number>() : new Map(ends.map(p => [p.partition, pick(p.end + 1)]));
    const open = await all(log.source({ ...options, topic: 't', positions }));
    const left = await all(log.source({ ...options, topic: 't', positions, packed: true }));
    packed += left.filter(b => b.packed !== undefined).length;
    for (const b of left) if (b.length > 0) expect([b.length, b.next]).toEqual([b.offsets.length, (b.offsets[b.length - 1] as number) + 1]);
    expect(rows(left)).toEqual(rows(open));
  }
  expect(packed).toBeGreaterThan(60);
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
  const read = (): Promise<RecordBatch[]> => all(log.source({ ...options, topic: 't', positions: new Map(), packed: true }));
  // how many records it says that it holds
  change(1, 8, 3);
  await expect(read().then(rows)).rejects.toThrow(/damaged|missing/);
  change(1, 8, 3);
  expect(rows(await read())).toHaveLength(3);
  // nothing that is known
  change(2, 0, 1);
  await expect(read()).rejects.toThrow(/damaged/);
  db.close();
  await log.close();
});
