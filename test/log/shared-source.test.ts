import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Source, SourceOptions } from '../../src/connectors/connector.ts';
import { SourceSharing } from '../../src/connectors/shared-source.ts';
import { recordsFrom } from '../../src/engine/block.ts';
import { PackedRecords, type PackedPart, type RecordBatch } from '../../src/engine/records.ts';
import { MemorySource, type Stored } from '../engine/memory-source.ts';

const never = new AbortController().signal;
const NONE: ReadonlySet<number> = new Set();
const options = (more: Partial<SourceOptions> = {}): SourceOptions => ({ topic: 'events', topicId: null, positions: new Map(), from: 'earliest', onDataLoss: 'stop', ...more });

/** A topic of some partitions, and how many readers were made of it. */
function topic(partitions: number, each: number, most = 3): { readonly logs: Stored[][]; readonly readers: MemorySource[]; make(o: SourceOptions): Source } {
  const logs = Array.from({ length: partitions }, (_, p) => Array.from({ length: each }, (_, i) => ({ value: `${p}:${i}`, timestamp: i })));
  const readers: MemorySource[] = [];
  return {
    logs, readers, make: o => {
      const reader = new MemorySource(logs, Array.from({ length: partitions }, (_, p) => o.positions.get(p) ?? 0));
      reader.most = most;
      readers.push(reader);
      return reader;
    },
  };
}

const valuesOf = (batches: readonly RecordBatch[]): string[] => batches.flatMap(b => Array.from({ length: b.length }, (_, i) => b.data.toString('utf8', b.valueStart[i], b.valueEnd[i])));

/** The same records as a log might keep them, in memory that is used again. */
function asPacked(reader: Source): Source {
  const unpack = ([part]: readonly PackedPart[], name: string, partition: number): RecordBatch =>
    recordsFrom((JSON.parse((part as PackedPart).data.toString()) as string[]).map(value => ({ key: null, value, timestamp: 0 })), name, partition, (part as PackedPart).base);
  const poll = reader.poll.bind(reader);
  const given: Buffer[] = [];
  reader.poll = async (...args) => {
    for (const b of given) b.fill(0);
    return (await poll(...args)).map(b => {
      const data = Buffer.from(JSON.stringify(valuesOf([b])));
      given.push(data);
      return new PackedRecords(b, { form: 'json', parts: [{ data, base: b.offsets[0] as number, at: null }], unpack });
    });
  };
  return reader;
}

describe('sources that share a reader', () => {
  it('get the same batches, fetched once, and read on from the same positions', async () => {
    const t = topic(2, 10);
    const sharing = new SourceSharing(o => t.make(o));
    const [a, b] = [sharing.source(options()), sharing.source(options())];
    await Promise.all([a.open(), b.open()]);
    const first = a.poll(NONE, 1000, never);
    const [x, y] = await Promise.all([first, b.poll(NONE, 1000, never)]);
    expect(x.length).toBeGreaterThan(0);
    expect(x.map((batch, i) => batch === y[i])).toEqual(x.map(() => true));
    expect(x[0]?.readers).toBe(2);
    expect(t.readers.length).toBe(1);
    // a has not done with its records, so there are no new ones yet for b
    const before = a.position(0);
    expect(await b.poll(NONE, 30, never)).toEqual([]);
    expect([a.position(0), b.position(0)]).toEqual([before, before]);
    await Promise.all([a.close(), b.close()]);
  });

  it('of other places have readers of their own', async () => {
    const t = topic(1, 5);
    const sharing = new SourceSharing(o => t.make(o));
    const all = [options(), options({ positions: new Map([[0, 2]]) }), options({ from: 'latest' }), options({ onDataLoss: 'earliest' })].map(o => sharing.source(o));
    for (const s of all) await s.open();
    expect(t.readers.length).toBe(4);
    // one that has been read from is not joined any more
    await (all[0] as Source).poll(NONE, 100, never);
    await sharing.source(options()).open();
    expect(t.readers.length).toBe(5);
  });

  it('all learn why the reader failed', async () => {
    const t = topic(1, 5);
    const sharing = new SourceSharing(o => ({ ...t.make(o), open: () => Promise.resolve(), partitions: () => [0], position: () => 0, poll: () => Promise.reject(new Error('gone')), close: () => Promise.resolve() }));
    const [a, b] = [sharing.source(options()), sharing.source(options())];
    await Promise.all([a.open(), b.open()]);
    await expect(Promise.all([a.poll(NONE, 1000, never), b.poll(NONE, 1000, never)])).rejects.toThrow('gone');
    await expect(b.poll(NONE, 1000, never)).rejects.toThrow('gone');
  });

  it.each([['open', (r: Source) => r], ['packed', asPacked]] as const)('leave one behind that does not come back; it goes on alone, its %s records untouched', async (_, kind) => {
    const t = topic(2, 12, 2);
    const sharing = new SourceSharing(o => kind(t.make(o)), 20);
    const [a, b] = [sharing.source(options()), sharing.source(options())];
    await Promise.all([a.open(), b.open()]);
    const [held] = await Promise.all([a.poll(NONE, 1000, never), b.poll(NONE, 1000, never)]);
    const seen = valuesOf(held);
    const got = [...seen];
    for (let n = got.length; n < 24; ) {
      const more = valuesOf(await b.poll(NONE, 100, never));
      got.push(...more);
      n += more.length;
    }
    expect(valuesOf(held)).toEqual(seen);
    expect(t.readers.length).toBe(1);
    const rest: string[] = [...seen];
    while (rest.length < 24) rest.push(...valuesOf(await a.poll(NONE, 100, never)));
    expect(t.readers.length).toBe(2);
    expect(rest.sort()).toEqual(got.sort());
  });

  it('give each every record once and in order, whatever their pace and what they pause', async () => {
    const seed = Number(process.env['SHARED_SEED'] ?? Math.floor(Math.random() * 1e9));
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.nat(99)), async (members, partitions, dice) => {
      const t = topic(partitions, 20, 4);
      const sharing = new SourceSharing(o => t.make(o), 3);
      const sources = Array.from({ length: members }, () => sharing.source(options()));
      await Promise.all(sources.map(s => s.open()));
      const roll = (): number => dice.next().value as number;
      await Promise.all(sources.map(async s => {
        const next = Array.from({ length: partitions }, () => 0);
        while (next.some(n => n < 20)) {
          const paused = new Set(roll() < 15 && partitions > 1 ? [roll() % partitions] : []);
          for (const [p, n] of next.entries()) if (s.position(p) !== n) throw new Error(`position ${s.position(p)} of partition ${p}, not ${n}`);
          for (const b of await s.poll(paused, 20, never)) {
            if (roll() < 10) await sleep(roll() % 8);
            for (const v of valuesOf([b])) {
              const n = next[b.partition] as number;
              if (v !== `${b.partition}:${n}`) throw new Error(`${v} instead of ${b.partition}:${n}`);
              next[b.partition] = n + 1;
            }
          }
          if (roll() < 5) await sleep(roll() % 10);
        }
        await s.close();
      }));
    }), { numRuns: 60, seed });
  }, 60_000);
});
