import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Log } from '../../src/connectors/connector.ts';
import { Cluster } from '../../src/connectors/kafka/cluster.ts';
import type { Codec } from '../../src/connectors/kafka/codecs/codec.ts';
import { codecOf, loadCodecs } from '../../src/connectors/kafka/codecs/index.ts';
import { nativeZstd, wasmZstd } from '../../src/connectors/kafka/codecs/zstd.ts';
import { fetchRequest } from '../../src/connectors/kafka/protocol-fetch.ts';
import { codecIds } from '../../src/connectors/kafka/record-batch.ts';
import { PartitionDecoder } from '../../src/connectors/kafka/record-batch-decode.ts';
import { clientSettings } from '../../src/connectors/kafka/settings.ts';
import { PipeError } from '../../src/errors.ts';
import { compressed } from './batch-bytes.ts';
import { brokers, consoleProducer, createTopic, describeKafka, hasKcat, hasTools, kcat, openLog, readTopic } from './support.ts';
import { whole } from '../random.ts';

const MB = 1 << 20;
/** Of damaged batches of each kind. */
const RUNS = 3000;
/** ms: the slowest that a small batch may be, on a busy machine. */
const HANGS = 5000;
const ids: Readonly<Record<string, number>> = { gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const names = Object.keys(ids);
const framed = (payload: Buffer): boolean => payload.toString('latin1', 1, 7) === 'SNAPPY';

interface Row {
  readonly key: string;
  readonly value: string;
}

/** JSON as in a stream, and of each 20 rows one that hardly shrinks, one that nearly vanishes and one of one byte. */
function rowsOf(n: number, noise: number): Row[] {
  const pick = whole(2024);
  const value = (i: number): string => {
    if (i % 20 === 5) return Array.from({ length: noise }, () => String.fromCharCode(33 + pick(90))).join('');
    if (i % 20 === 10) return 'ab'.repeat(noise);
    if (i % 20 === 15) return '-';
    return `{"account":"${1000 + pick(200)}","amount":${pick(100_000) / 100},"timestamp":"${1_704_067_200 + i}","type":"${pick(2) === 0 ? 'deposit' : 'withdrawal'}","note":"Zürich ${i}"}`;
  };
  return Array.from({ length: n }, (_, i) => ({ key: `k${pick(50)}`, value: value(i) }));
}

/*
 * Each file is one batch as Kafka 4.1.0 gave it: these rows, written by its console producer (java-) or by kcat 1.7.1 (librdkafka-),
 * with the header origin=test on every record.
 */
const stored = join(import.meta.dirname, 'batches');
const storedRows = rowsOf(100, 200);

/** As lines of the console producer and of kcat, and as records. */
const javaLines = (rows: readonly Row[]): string[] => rows.map(r => `origin:test\t${r.key}\t${r.value}`);
const kcatLines = (rows: readonly Row[]): string => rows.map(r => `${r.key}\t${r.value}\n`).join('');
const plain = (rows: readonly Row[]): unknown[] => rows.map(r => ({ ...r, headers: { origin: 'test' } }));

function decodeAll(batch: Buffer): unknown[] {
  const b = new PartitionDecoder('t', 3).decode(batch, 0, []);
  return Array.from({ length: b.length }, (_, i) => ({
    key: b.data.toString('utf8', b.keyStart[i], b.keyEnd[i]), value: b.data.toString('utf8', b.valueStart[i], b.valueEnd[i]), headers: Object.fromEntries(b.headers(i).map(h => [h.key, String(h.value)])),
  }));
}

describeKafka('compressed topics', () => {
  const rows = rowsOf(6000, 2000);
  let log: Log;
  let cluster: Cluster;
  beforeAll(async () => {
    log = await openLog();
    cluster = new Cluster([brokers as string], clientSettings(null));
    await cluster.bootstrap();
  });
  afterAll(async () => {
    cluster.close();
    await log.close();
  });

  /** The first batches of a topic, at most 1 MB or one. */
  async function raw(topic: string): Promise<Buffer> {
    const meta = await cluster.topic(topic);
    const lane = cluster.lane();
    const { partitions: [found] } = await lane.send(await cluster.leader(topic, 0), fetchRequest({ topicId: meta?.id as string, partitions: [{ partition: 0, offset: 0 }], maxWaitMs: 100, maxBytes: MB, maxBytesPerPartition: MB }));
    cluster.endLane(lane);
    return found?.records as Buffer;
  }

  const text = (hex: string | null): string => Buffer.from(hex ?? '', 'hex').toString();
  const read = async (topic: string): Promise<unknown[]> => (await readTopic(log, topic)).map(r => ({ key: text(r.key), value: text(r.value), headers: r.headers }));

  it.skipIf(!hasTools()).each(names)("are read as Kafka's console producer wrote them, %s", async name => {
    const topic = await createTopic(`java-${name}`, 1);
    consoleProducer(topic, name, javaLines(rows));
    expect(await read(topic)).toEqual(plain(rows));
    const batches = await raw(topic);
    expect([...codecIds(batches)]).toEqual([ids[name]]);
    if (name === 'snappy') expect(framed(batches.subarray(61))).toBe(true);
  });

  it.skipIf(!hasKcat()).each(names)('are read as kcat wrote them, %s', async name => {
    const topic = await createTopic(`kcat-${name}`, 1);
    kcat(['-P', '-t', topic, '-K', '\t', '-z', name, '-H', 'origin=test'], kcatLines(rows));
    expect(await read(topic)).toEqual(plain(rows));
    const batches = await raw(topic);
    expect([...codecIds(batches)]).toContain(ids[name]);
    if (name === 'snappy') expect(framed(batches.subarray(61))).toBe(false);
  });

  it.skipIf(!hasKcat()).each(names)('are read as the broker compressed them, %s', async name => {
    const topic = await createTopic(`topic-${name}`, 1, { 'compression.type': name });
    kcat(['-P', '-t', topic, '-K', '\t', '-H', 'origin=test'], kcatLines(rows));
    expect(await read(topic)).toEqual(plain(rows));
    expect([...codecIds(await raw(topic))]).toEqual([ids[name]]);
  });

  it.skipIf(!hasKcat())('may change their compression from batch to batch', async () => {
    const topic = await createTopic('mixed', 1);
    const all = ['none', ...names, 'none'].map((name, i) => ({ name, part: rows.slice(i * 30, i * 30 + 30) }));
    for (const { name, part } of all) kcat(['-P', '-t', topic, '-K', '\t', '-z', name, '-H', 'origin=test'], kcatLines(part));
    expect(await read(topic)).toEqual(plain(all.flatMap(a => a.part)));
    expect([...codecIds(await raw(topic))].sort()).toEqual([0, 1, 2, 3, 4]);
  });
});

const kinds = readdirSync(stored).map(file => ({ kind: file.replace('.bin', ''), name: file.replace(/^.*-|\.bin$/g, ''), batch: readFileSync(join(stored, file)) }));

describe.each(kinds)('a batch that was stored, $kind', ({ name, batch }) => {
  const id = ids[name] as number;
  const damagedAs = new RegExp(`^the record batch at offset \\d+ of t/3 is damaged: (${name}: .|its headers are longer than the batch$)`);
  const payload = batch.subarray(61);
  let codecs: readonly Codec[];
  beforeAll(async () => {
    await loadCodecs(new Set([id]));
    // of zstd, both
    codecs = name === 'zstd' ? [await wasmZstd(), ...[nativeZstd()].filter(c => c !== null)] : [codecOf(id) as Codec];
  });

  /** `read`, or why not. Whatever else happens to a damaged batch fails the test. */
  function outcome(bytes: Buffer): string {
    const begin = performance.now();
    try {
      decodeAll(compressed(batch, id, bytes));
      return 'read';
    } catch (error) {
      if (!(error instanceof PipeError) || error.code !== 'system.source.corrupt_batch' || !damagedAs.test(error.message)) throw error;
      return error.message;
    } finally {
      if (performance.now() - begin > HANGS) throw new Error('it hangs');
    }
  }

  it('is read', () => {
    expect(batch.readInt16BE(21) & 7).toBe(id);
    expect(decodeAll(batch)).toEqual(plain(storedRows));
  });

  it('may become as large as the limit says, and not larger', () => {
    for (const codec of codecs) {
      const { length } = codec.decompress(payload, 512 * MB);
      expect(codec.decompress(payload, length).length).toBe(length);
      for (const limit of [length - 1, 1000, 1]) expect(() => codec.decompress(payload, limit)).toThrow(Error);
    }
  });

  it('is damaged wherever it is cut', () => {
    const read = [...payload.keys()].filter(n => outcome(payload.subarray(0, n)) === 'read');
    expect(read).toEqual([]);
  });

  it('is read or damaged whatever becomes of its bytes', () => {
    let damaged = 0;
    fc.assert(fc.property(mutations(payload.length), edits => {
      const bytes = edited(payload, edits);
      if (outcome(bytes) !== 'read') damaged++;
      const results = codecs.flatMap(c => { try { return [c.decompress(bytes, MB).toString('hex')]; } catch { return []; } });
      if (new Set(results).size > 1) throw new Error('decoders of one format read different data');
    }), { numRuns: RUNS });
    // the others hit a literal, or a byte that nobody reads
    expect(damaged).toBeGreaterThan(RUNS / 4);
  });
});

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: Uint8Array;
  /** Bits to turn over of the byte at `at`. */
  readonly flip: number;
}

/** Often near the beginning, where headers are. */
function mutations(length: number): fc.Arbitrary<Edit[]> {
  const at = fc.oneof(fc.nat(length - 1), fc.nat(30));
  const none = new Uint8Array(0);
  const extreme = fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0xff, 0xff, 0xff, 0x7f], [0x80], [0xff]).map(b => Uint8Array.from(b));
  return fc.array(fc.oneof(
    fc.record({ at, remove: fc.constant(0), insert: fc.constant(none), flip: fc.nat(7).map(bit => 1 << bit) }),
    fc.record({ at, insert: fc.oneof(extreme, fc.uint8Array({ minLength: 1, maxLength: 8 })), flip: fc.constant(0) }).map(e => ({ ...e, remove: e.insert.length })),
    fc.record({ at, remove: fc.nat(40), insert: fc.uint8Array({ maxLength: 40 }), flip: fc.constant(0) }),
  ), { minLength: 1, maxLength: 3 });
}

function edited(bytes: Buffer, edits: readonly Edit[]): Buffer {
  let b = Buffer.from(bytes);
  for (const { at, remove, insert, flip } of edits) {
    if (flip !== 0 && at < b.length) b[at] = (b[at] as number) ^ flip;
    if (remove + insert.length > 0) b = Buffer.concat([b.subarray(0, at), insert, b.subarray(at + remove)]);
  }
  return b;
}
